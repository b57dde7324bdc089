"""The format of `registry.toml`, version 1: what an entry may contain, and what is refused (`docs/registry.md`).

A registry may come from anywhere, so nothing in it is trusted: every text is one printable line, every path stays in
the registry's own folder, no requirement can be an option of pip, and the file's size and the number of entries are
limited. An entry that is wrong is left out, with the reason; the others stay usable.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion

from zoo.errors import BadRegistry

FORMAT = 1
MOST_BYTES = 4_000_000
MOST_ENTRIES = 10_000

Line = Annotated[str, Meta(min_length=1, max_length=300, description="one printable line")]
Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_.\-]*$", max_length=100)]
Distribution = Annotated[str, Meta(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._\-]*[A-Za-z0-9])?$", max_length=100)]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Meta(ge=0, le=2**50)]
Kind = Literal["index", "wheel", "folder", "git"]


class Artefact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that pip may install: its name, and the hash of its content."""

    file: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+!\-]*$", max_length=200)]
    sha256: Sha256
    bytes: Count = 0


class ListedBackbone(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A backbone that the plugin offers, with the facts to search for it before the plugin is installed."""

    name: Name
    modality: Name
    family: Annotated[str, Meta(max_length=100)] = ""
    params: Count = 0
    licence: Annotated[str, Meta(max_length=100, description="of the default weights")] = ""


class ListedHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A task head that the plugin offers."""

    name: Name
    summary: Line
    modalities: tuple[Name, ...]


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A plugin.

    name          of its entry point in the group `zoo.plugins`
    requirement   "package==version"; the path of a wheel, relative to the registry, or its https address; "./FOLDER";
                  or "git+https://HOST/PATH@COMMIT"
    folder        its folder in a checkout, relative to the registry: if that exists, the plugin is taken from there
    api           the range of plugin API versions it was written for
    bytes         size of the download, without what it requires; 0 if not known
    verified      whether a maintainer of this registry has seen it keep its promises (`zoo check`)
    artefacts     the files that may be installed; if there are any, what is downloaded has to be one of them
    """

    name: Name
    summary: Line
    distribution: Distribution
    requirement: Line
    api: Line
    licence: Line
    homepage: Line | None = None
    folder: Line | None = None
    bytes: Count = 0
    verified: bool = False
    artefacts: tuple[Artefact, ...] = ()
    backbones: tuple[ListedBackbone, ...] = ()
    heads: tuple[ListedHead, ...] = ()
    modalities: tuple[Name, ...] = ()

    @property
    def kind(self) -> Kind:
        """The kind of its requirement."""
        return kind_of(self.requirement)


class RegistryFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of a `registry.toml`."""

    format: Literal[1]
    plugins: Annotated[tuple[Entry, ...], Meta(max_length=MOST_ENTRIES)] = ()


def schema() -> dict[str, Any]:
    """The JSON schema of a registry."""
    about = {"title": "registry.toml of zoo, format 1", "$schema": "https://json-schema.org/draft/2020-12/schema"}
    return about | msgspec.json.schema(RegistryFile)


def parse(content: bytes, origin: str) -> tuple[list[Entry], list[str]]:
    """The entries of a registry, and a sentence for each one that is wrong and left out.

    Raises `BadRegistry` if the whole is not a registry of this format.
    """
    if len(content) > MOST_BYTES:
        raise BadRegistry(f"{origin} is larger than {MOST_BYTES / 1e6:.0f} MB, which a registry may not be.")
    try:
        document = tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadRegistry(f"{origin} is not a TOML file ({printable(str(error))[:200]}).") from None
    if document.get("format") != FORMAT:
        stated = printable(repr(document.get("format")))[:40]
        raise BadRegistry(
            f"{origin} has format {stated}, and this zoo reads format {FORMAT}: it must start with format = {FORMAT}."
        )
    unknown = sorted(set(document) - {"format", "plugins"})
    plugins = document.get("plugins", [])
    if unknown or not isinstance(plugins, list):
        wrong = printable(unknown[0])[:40] if unknown else "plugins"
        raise BadRegistry(f"{origin}: {wrong!r} is wrong at the top level, which may contain format and [[plugins]].")
    if len(plugins) > MOST_ENTRIES:
        raise BadRegistry(f"{origin} has {len(plugins)} plugins; at most {MOST_ENTRIES} are allowed.")
    entries: dict[str, Entry] = {}
    problems = []
    for number, content_of_one in enumerate(plugins, start=1):
        try:
            entry = _entry(content_of_one)
            if entry.name in entries:
                raise ValueError("another entry above has the same name")
            entries[entry.name] = entry
        except (msgspec.ValidationError, ValueError, RecursionError) as error:
            name = content_of_one.get("name") if isinstance(content_of_one, dict) else None
            said = f" ({printable(name)[:60]})" if isinstance(name, str) else ""
            problems.append(f"plugin {number}{said}: {printable(str(error))[:300]}")
    return list(entries.values()), problems


def kind_of(requirement: str) -> Kind:
    """The kind of a requirement, which need not be a valid one."""
    if requirement.startswith("git+"):
        return "git"
    if requirement.endswith(".whl"):
        return "wheel"
    return "folder" if "/" in requirement else "index"


def printable(text: str) -> str:
    """The text without control characters, so that it stays on one line and a terminal shows it as it is."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def _entry(content: Any) -> Entry:
    _refuse_unprintable(content, "")
    entry = msgspec.convert(content, Entry)
    _check_requirement(entry)
    try:
        SpecifierSet(entry.api)
    except InvalidSpecifier:
        raise ValueError(f"api is {entry.api!r}; it must be a version range such as '>=1.0,<2'") from None
    if entry.homepage is not None and urlsplit(entry.homepage).scheme not in ("https", "http"):
        raise ValueError(f"homepage is {entry.homepage!r}; it must be an https:// address")
    if entry.folder is not None:
        _check_inside(entry.folder, "folder")
    for listed in (entry.backbones, entry.heads):
        names = [one.name for one in listed]
        if len(set(names)) < len(names):
            raise ValueError("it lists the same name twice")
    return entry


def _refuse_unprintable(value: Any, place: str) -> None:
    if isinstance(value, str) and not value.isprintable():
        raise ValueError(f"{place or 'it'} is not one printable line: {value!r}")
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        _refuse_unprintable(str(key), "a key")
        _refuse_unprintable(inner, f"{place}.{key}" if place else str(key))


def _check_requirement(entry: Entry) -> None:
    text = entry.requirement
    if text.startswith("-") or any(sign.isspace() for sign in text):
        raise ValueError(f"requirement is {text!r}; it must not start with '-' or contain spaces")
    if entry.kind == "index":
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            raise ValueError(f"requirement is {text!r}; it must have the form package==version") from None
        exact = re.fullmatch(r"==[0-9][0-9A-Za-z.!+]*", str(requirement.specifier))
        if requirement.url or requirement.marker or not exact:
            raise ValueError(f"requirement is {text!r}; it must name one version: package==version")
        _check_distribution(requirement.name, entry)
    elif entry.kind == "git":
        if not re.fullmatch(r"git\+https://[A-Za-z0-9._:\-]+/[A-Za-z0-9._/~\-]+@[0-9a-f]{40}", text) or ".." in text:
            raise ValueError(f"requirement is {text!r}; it must have the form git+https://HOST/PATH@COMMIT (40 digits)")
    elif entry.kind == "folder":
        if not text.startswith("./"):
            raise ValueError(f"requirement is {text!r}; a folder must be written as ./FOLDER")
        _check_inside(text, "requirement")
    else:
        _check_wheel(text, entry)


def _check_wheel(text: str, entry: Entry) -> None:
    if "://" not in text:
        _check_inside(text, "requirement")
    elif not re.fullmatch(r"https://[A-Za-z0-9._:\-]+/[A-Za-z0-9._/~%+\-]+", text):
        raise ValueError(f"requirement is {text!r}; it must be the https:// address of a wheel")
    file = text.rsplit("/", 1)[-1]
    try:
        name, _, _, _ = parse_wheel_filename(file)
    except (InvalidWheelFilename, InvalidVersion):
        raise ValueError(f"requirement is {text!r}, but {file!r} is not the name of a wheel") from None
    _check_distribution(name, entry)
    if not any(artefact.file == file for artefact in entry.artefacts):
        raise ValueError(f"requirement is the wheel {file!r}, but artefacts has no sha256 for it")


def _check_distribution(name: str, entry: Entry) -> None:
    if canonicalize_name(name) != canonicalize_name(entry.distribution):
        raise ValueError(f"requirement is for {name!r}, but distribution is {entry.distribution!r}")


def _check_inside(text: str, field: str) -> None:
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or "\\" in text or ":" in text or text.startswith(("-", "~")):
        raise ValueError(f"{field} is {text!r}; it must be a path inside the registry's own folder")
