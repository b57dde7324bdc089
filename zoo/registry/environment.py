"""The environment that runs `zoo`: its distributions, what they need of each other, and which files are theirs."""

from __future__ import annotations

import json
import os
import shlex
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion

from zoo.catalog.hookspecs import GROUP
from zoo.errors import AmbiguousName, CannotInstall

CAME_FOR_A_PLUGIN = "ZOO-NEEDED"
PINNED = ("tfzoo", "tensorflow", "keras", "numpy")


def installed() -> dict[str, metadata.Distribution]:
    """Every installed distribution by its normalized name; the first one on the path, as for Python."""
    found: dict[str, metadata.Distribution] = {}
    for distribution in metadata.distributions():
        with suppress(Exception):  # its files are damaged
            if name := distribution.metadata["Name"]:
                found.setdefault(canonicalize_name(name), distribution)
    return found


def plugin_names(distribution: metadata.Distribution) -> list[str]:
    """The plugins that a distribution offers, by their entry points."""
    try:
        return sorted(point.name for point in distribution.entry_points if point.group == GROUP)
    except Exception:  # they are damaged
        return []


def distribution_of(name: str) -> metadata.Distribution | None:
    """The installed distribution of a plugin, by its own name or else by the plugin's.

    Raises `AmbiguousName` if several distributions offer a plugin of this name.
    """
    everything = installed()
    named = everything.get(canonicalize_name(name))
    if named and plugin_names(named):
        return named
    found = [distribution for distribution in everything.values() if name in plugin_names(distribution)]
    if len(found) > 1:
        names = " and ".join(distribution.metadata["Name"] for distribution in found)
        raise AmbiguousName(f"{names} offer a plugin called {name!r}. Name one of these distributions.")
    return found[0] if found else None


def is_editable(distribution: metadata.Distribution) -> bool:
    """Whether it is only a link to a folder that somebody works in."""
    return bool(origin_of(distribution).get("dir_info", {}).get("editable", False))


def origin_of(distribution: metadata.Distribution) -> dict[str, Any]:
    """What its direct_url.json says about where it was installed from; empty if it came from an index."""
    try:
        origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    except ValueError:
        return {}
    return origin if isinstance(origin, dict) else {}


def is_of(distribution: metadata.Distribution, given: str) -> bool:
    """Whether it was installed from the folder that `given` names: a path, a file:// address, or NAME @ such a one."""
    origin = origin_of(distribution).get("url", "")
    there, here = (_folder(address.rpartition(" @ ")[2]) for address in (origin, given))
    return there is not None and there == here


def _folder(address: str) -> Path | None:
    if "://" not in address:
        return Path(address).resolve()
    parts = urlsplit(address)
    return Path(url2pathname(parts.path)).resolve() if parts.scheme == "file" else None


def needs(distribution: metadata.Distribution, extras: Iterable[str] = ()) -> Iterator[Requirement]:
    """What a distribution requires on this platform, with these of its extras."""
    for text in distribution.requires or ():
        try:
            requirement = Requirement(text)
            wanted = requirement.marker is None or any(requirement.marker.evaluate({"extra": e}) for e in ("", *extras))
        except (InvalidRequirement, UndefinedComparison, UndefinedEnvironmentName, InvalidVersion):
            continue
        if wanted:
            yield requirement


def reached(roots: Iterable[str], everything: dict[str, metadata.Distribution]) -> dict[str, list[Requirement]]:
    """Everything that the `roots` need, directly or not: for each normalized name the requirements that name it."""
    found: dict[str, list[Requirement]] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    open_ends = [(root, frozenset[str]()) for root in roots]
    while open_ends:
        name, extras = open_ends.pop()
        if (name, extras) in seen or name not in everything:
            continue
        seen.add((name, extras))
        for requirement in needs(everything[name], extras):
            needed = canonicalize_name(requirement.name)
            found.setdefault(needed, []).append(requirement)
            open_ends.append((needed, frozenset(requirement.extras)))
    return found


def constraints(changing: Iterable[str] = ()) -> list[str]:
    """The constraints on any installation, as lines for pip: versions that must not change, and ranges to stay in.

    TensorFlow, Keras, NumPy and zoo keep their versions; whatever zoo or an installed plugin needs, directly or not,
    stays in the range in which it is needed. `changing` are plugins whose own version and needs are about to change.
    """
    everything = installed()
    away = {canonicalize_name(name) for name in changing}
    plugins = [name for name, distribution in everything.items() if plugin_names(distribution) and name not in away]
    ranges = {
        f"{requirement.name}{requirement.specifier}"
        for requirements in reached(["tfzoo", *plugins], everything).values()
        for requirement in requirements
        if not requirement.url and canonicalize_name(requirement.name) not in PINNED
    }
    return [f"{name}=={everything[name].version}" for name in PINNED if name in everything] + sorted(ranges)


def only_needed_by(names: Iterable[str]) -> list[str]:
    """The distributions to remove with these: themselves, and what was installed for them and nothing else needs.

    What a person asked pip for stays; pip marks it as requested. What came with a plugin, which `zoo install` marks,
    stays if something else requires it. Anything else also stays if an extra requires it whose requirements are all
    installed, since nothing records which extras were asked for.
    """
    everything = installed()
    gone = {canonicalize_name(name) for name in names}
    candidates = {n for n in reached(gone, everything) if n in everything and n not in PINNED} - gone
    candidates = {n for n in candidates if everything[n].read_text("REQUESTED") is None}
    came = {n for n in candidates if everything[n].read_text(CAME_FOR_A_PLUGIN) is not None}
    while True:
        stay = [distribution for name, distribution in everything.items() if name not in gone | candidates]
        required = {canonicalize_name(r.name) for d in stay for r in needs(d)}
        by_extras = {canonicalize_name(r.name) for d in stay for r in needs(d, _extras_here(d, everything))}
        needed = candidates & (required | (by_extras - came))
        if not needed:
            return sorted(gone) + sorted(candidates)
        candidates -= needed


def _extras_here(distribution: metadata.Distribution, everything: Mapping[str, object]) -> list[str]:
    """The extras of a distribution whose requirements are all installed."""
    plain = {str(requirement) for requirement in needs(distribution)}
    found = []
    for extra in distribution.metadata.get_all("Provides-Extra") or ():
        more = [requirement for requirement in needs(distribution, [extra]) if str(requirement) not in plain]
        if more and all(canonicalize_name(requirement.name) in everything for requirement in more):
            found.append(extra)
    return found


def files_of(distribution: metadata.Distribution) -> list[Path]:
    """The files that belong to a distribution and to no other one, according to its RECORD.

    Raises `CannotInstall` if it has none, or if files are outside the environment.
    """
    name = distribution.metadata["Name"]
    try:
        record = distribution.files
    except Exception as error:
        raise CannotInstall(f"The RECORD of {name} is damaged ({error}). Remove it with pip.") from None
    if record is None:
        raise CannotInstall(f"{name} was not installed by pip or uv. Remove it with the tool that installed it.")
    paths = {Path(os.path.abspath(str(path.locate()))) for path in record}
    about = Path(os.path.abspath(getattr(distribution, "_path", library())))
    paths |= {inside for path in paths if path == about / "RECORD" for inside in about.iterdir() if inside.is_file()}
    outside = [path for path in paths if not path.is_relative_to(sys.prefix)]
    if outside:
        command = shlex.join([sys.executable, "-m", "pip", "uninstall", name])
        raise CannotInstall(
            f"{name} has files outside this environment, such as {outside[0]}. Remove it with: {command}"
        )
    paths -= _files_of_others(distribution)
    return sorted(path for path in paths if os.path.lexists(path) and path.suffix != ".pyc")


def _files_of_others(distribution: metadata.Distribution) -> set[Path]:
    """What other distributions say is theirs, and what makes the environment: whatever a RECORD says, it stays."""
    found = {path for path in (Path(sys.prefix) / "bin").glob("*") if path.name.startswith(("python", "activate"))}
    found |= {path for path in (Path(sys.prefix) / "Scripts").glob("*") if path.name.startswith(("python", "activate"))}
    found.add(Path(sys.prefix) / "pyvenv.cfg")
    mine = canonicalize_name(distribution.metadata["Name"])
    for name, other in installed().items():
        if name != mine:
            with suppress(Exception):  # its RECORD is damaged
                found |= {Path(os.path.abspath(str(path.locate()))) for path in other.files or ()}
                found |= set(Path(os.path.abspath(getattr(other, "_path", ""))).glob("*"))
    return found


def library() -> Path:
    """The folder of this environment that contains the distributions."""
    return Path(sysconfig.get_path("purelib"))


def refuse_unmanageable(prefix: str, base_prefix: str, stdlib: Path, folder: Path) -> None:
    """Raise `CannotInstall` if the environment belongs to the operating system, or is not writable."""
    remedy = "Create an environment of your own with python -m venv ENV, and install tfzoo there."
    if prefix == base_prefix and (stdlib / "EXTERNALLY-MANAGED").exists():
        raise CannotInstall(f"This Python ({prefix}) is managed by the operating system. {remedy}")
    if not os.access(folder, os.W_OK):
        raise CannotInstall(f"The environment is not writable ({folder}). {remedy}")
