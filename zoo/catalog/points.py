"""The entry points of the installed plugins, without loading any of them."""

from __future__ import annotations

import functools
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from packaging.utils import canonicalize_name

from zoo.catalog.hookspecs import GROUP
from zoo.catalog.plugin import Refused
from zoo.catalog.specs import PLUGIN_NAME


class Point(NamedTuple):
    """One entry point of the group `zoo.plugins`.

    module    what it names, in which the hooks are
    packages  the top-level packages of its distribution
    """

    name: str
    module: str
    distribution: str
    version: str
    packages: tuple[str, ...]


def installed_points(path: Sequence[str] = ()) -> list[Point]:
    """The entry points of all installed plugins, in the order of their names.

    path  folders to look in instead
    """
    found = _in(metadata.distributions(path=list(path))) if path else metadata.entry_points(group=GROUP)
    return sorted(_point(one) for one in found)


def points_of(distribution: str) -> list[Point]:
    """The entry points of one installed distribution, by its name."""
    name = canonicalize_name(distribution)
    return [point for point in installed_points() if canonicalize_name(point.distribution) == name]


def refused(points: Sequence[Point]) -> dict[Point, str]:
    """The entry points that are not loaded because of their names, each with the reason.

    The names in the built-in registry are reserved for the distributions that it lists; of several distributions that
    offer one name, none gets it.
    """
    count = Counter(point.name for point in points)
    reasons: dict[Point, str] = {}
    for point in points:
        owner = reserved_names().get(point.name, "")
        if not PLUGIN_NAME.fullmatch(point.name):
            reasons[point] = "its name must be letters, digits, '_', '-' or '.'"
        elif owner and canonicalize_name(point.distribution) != owner:
            reasons[point] = f"the name {point.name} is reserved for the plugin in {owner}"
        elif count[point.name] > 1 and not owner:
            others = [one for one in points if one.name == point.name]
            sources = " and ".join(f"{one.distribution} {one.version}" for one in others)
            reasons[point] = f"{sources} offer a plugin of this name; uninstall one of them"
        elif [one.name for one in points if one.distribution == point.distribution].count(point.name) > 1:
            reasons[point] = f"{point.distribution} offers two plugins of this name"
    return reasons


def installed_point(name: str) -> Point:
    """The entry point of the installed plugin of this name, whatever is remembered of it. Raises `Refused`."""
    points = installed_points()
    found = [point for point in points if point.name == name]
    if len(found) != 1 or found[0] in refused(points):
        raise Refused(f"no plugin called {name} is installed now")
    return found[0]


def built_in_registry() -> Path:
    """The registry that comes with `zoo`: in a checkout at the top, in a wheel inside the package."""
    package = Path(__file__).parent.parent
    inside = package / "registry.toml"
    return inside if inside.exists() else package.parent / "registry.toml"


@functools.cache
def reserved_names() -> dict[str, str]:
    """The names of the plugins in the built-in registry, each with the normalized name of its distribution."""
    plugins = tomllib.loads(built_in_registry().read_text(encoding="utf-8"))["plugins"]
    return {plugin["name"]: canonicalize_name(plugin["distribution"]) for plugin in plugins}


def _in(distributions: Iterable[metadata.Distribution]) -> Iterable[metadata.EntryPoint]:
    return [point for one in distributions for point in one.entry_points if point.group == GROUP]


def _point(point: metadata.EntryPoint) -> Point:
    about = point.dist
    own = {point.value.partition(":")[0].partition(".")[0].strip()}
    if about is None:
        return Point(point.name, point.value, "unknown", "unknown", tuple(own))
    for file in about.files or ():
        if file.suffix == ".py" and ".." not in file.parts:
            own.add(file.parts[0].removesuffix(".py"))
    return Point(point.name, point.value, about.metadata["Name"] or "unknown", about.version, tuple(sorted(own)))
