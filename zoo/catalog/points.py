"""The entry points of the installed plugins, without loading any of them."""

from __future__ import annotations

import functools
import json
import os
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import url2pathname

from packaging.utils import canonicalize_name

from zoo.catalog.hookspecs import GROUP
from zoo.catalog.plugin import Refused
from zoo.catalog.specs import PLUGIN_NAME

_CODE = (".py", ".so", ".pyd")


class Point(NamedTuple):
    """One entry point of the group `zoo.plugins`.

    module    what it names, in which the hooks are
    packages  the top-level packages of its distribution
    problem   why its distribution cannot be read, if it cannot
    """

    name: str
    module: str
    distribution: str
    version: str
    packages: tuple[str, ...]
    problem: str = ""


def installed_points(path: Sequence[str] = ()) -> list[Point]:
    """The entry points of all installed plugins, in the order of their names; a damaged distribution is one, too.

    path  folders to look in instead
    """
    points: list[Point] = []
    seen: set[str] = set()
    for about in metadata.distributions(path=list(path)) if path else metadata.distributions():
        place = str(getattr(about, "_path", "unknown"))
        called = place.rpartition(os.sep)[2].partition(".dist-info")[0].rpartition("-")[0] or "unknown"
        try:
            name = about.metadata["Name"] or called  # the first on the path is the one that Python imports
            found = [_point(one, about, name) for one in about.entry_points if one.group == GROUP]
            key = canonicalize_name(name)
        except Exception as error:  # whatever is wrong with the files of a stranger's distribution
            if not _names_plugins(Path(place)):
                continue
            found = [Point(called, "", called, "unknown", (), f"{place} is damaged: {type(error).__name__}: {error}")]
            key = canonicalize_name(called)
        if key not in seen:
            points += found
            seen.add(key)
    return sorted(points)


def _names_plugins(about: Path) -> bool:
    """Whether a distribution whose metadata cannot be read has plugins, by the text of its entry points."""
    try:
        return GROUP.encode() in (about / "entry_points.txt").read_bytes()
    except OSError:
        return False


def points_of(distribution: str) -> list[Point]:
    """The entry points of one installed distribution, by its name."""
    name = canonicalize_name(distribution)
    return [point for point in installed_points() if canonicalize_name(point.distribution) == name]


def refused(points: Sequence[Point]) -> dict[Point, str]:
    """The entry points that are not loaded because of their names, each with the reason.

    The names in the built-in registry are reserved for the distributions that it lists; of several distributions that
    offer one name, none gets it.
    """
    count = Counter(canonicalize_name(point.name) for point in points)
    reasons: dict[Point, str] = {}
    for point in points:
        name = canonicalize_name(point.name)
        owner = reserved_names().get(name, "")
        same = [one for one in points if canonicalize_name(one.name) == name and not _is_taken(one)]
        if point.problem:
            reasons[point] = point.problem
        elif not PLUGIN_NAME.fullmatch(point.name):
            reasons[point] = "its name must be at most 100 letters, digits, '_', '-' or '.'"
        elif _is_taken(point):
            reasons[point] = f"the name {point.name} is reserved for the plugin in {owner}"
        elif count[name] > 1 and len(same) > 1:
            sources = " and ".join(dict.fromkeys(f"{one.distribution} {one.version}" for one in same))
            several = "offers two plugins" if len({one.distribution for one in same}) == 1 else "offer a plugin"
            reasons[point] = f"{sources} {several} of this name; uninstall one of them"
    return reasons


def _is_taken(point: Point) -> bool:
    """Whether the name of a plugin is that of another distribution's, as the built-in registry says."""
    owner = reserved_names().get(canonicalize_name(point.name), "")
    return owner != "" and canonicalize_name(point.distribution) != owner


def installed_point(name: str) -> Point:
    """The entry point of the installed plugin of this name, whatever is remembered of it. Raises `Refused`."""
    points = installed_points()
    wrong = refused(points)
    found = [point for point in points if point.name == name and point not in wrong]
    if len(found) != 1:
        raise Refused(f"no plugin called {name} is installed now")
    return found[0]


def built_in_registry() -> Path:
    """The registry that comes with `zoo`: in a checkout at the top, in a wheel inside the package."""
    package = Path(__file__).parent.parent
    inside = package / "registry.toml"
    return inside if inside.exists() else package.parent / "registry.toml"


@functools.cache
def reserved_names() -> Mapping[str, str]:
    """The names of the plugins in the built-in registry, each with that of its distribution; all are normalized."""
    plugins = tomllib.loads(built_in_registry().read_text(encoding="utf-8"))["plugins"]
    own: dict[str, str] = {canonicalize_name(one["name"]): canonicalize_name(one["distribution"]) for one in plugins}
    return own | {"zoo": "tfzoo"}


def _point(point: metadata.EntryPoint, about: metadata.Distribution, name: str) -> Point:
    own = {point.value.partition(":")[0].partition(".")[0].strip()}
    own |= set((about.read_text("top_level.txt") or "").split())
    for file in about.files or ():
        if file.suffix in _CODE and ".." not in file.parts:
            own.add(file.parts[0].partition(".")[0])
    if origin := about.read_text("direct_url.json"):
        own |= _of_editable(json.loads(origin))
    packages = tuple(sorted(name for name in own if name.isidentifier()))
    return Point(point.name, point.value, name, about.version or "unknown", packages)


def _of_editable(origin: dict[str, Any]) -> set[str]:
    """The top-level packages in the folder of an editable install, of which nothing else says what is in it."""
    parts = urlsplit(origin["url"]) if origin.get("dir_info", {}).get("editable") else None
    if parts is None or parts.scheme != "file":
        return set()
    folder = Path(url2pathname(parts.path))
    found = [path for place in (folder, folder / "src") if place.is_dir() for path in place.iterdir()]
    packages = {path.name for path in found if (path / "__init__.py").is_file()}
    return packages | {path.name.partition(".")[0] for path in found if path.suffix in _CODE}
