"""Registries: the files that list plugins. Which are in use, whether one is right, and writing an entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.catalog.settings import registries as in_use
from zoo.catalog.settings import set_registry
from zoo.errors import BadRegistry, UnknownName
from zoo.places import possible
from zoo.progress import say
from zoo.web import without_password

if TYPE_CHECKING:
    from zoo.registry.format import Entry
    from zoo.registry.sources import Registries


Several = str | Path | Sequence[str | Path]


@dataclass(frozen=True)
class CheckedRegistry:
    """What `check_registry` found.

    plugins    the names of the plugins whose entries are right
    backbones  how many backbones these list
    problems   a sentence for each entry that is wrong
    """

    plugins: list[str]
    backbones: int
    problems: list[str]


def list_registries(registries: Several = ()) -> list[dict[str, Any]]:
    """The registries in the order in which they are asked, each as a dict: registry, and plugins, how many it has.

    registries  one or several files or addresses to ask before all others

    A plugin counts for the first registry that lists it. Raises `zoo.BadRegistry` when one of `registries` cannot be
    read; for the others that is a message on standard error.

    >>> import zoo
    >>> zoo.list_registries()[-1]["registry"]
    'built-in'
    """
    found = load_registries(registries)
    counts = dict.fromkeys(found.read, 0)
    for listing in found.listings.values():
        counts[listing.registry] += 1
    return [{"registry": name, "plugins": number} for name, number in counts.items()]


def use_registry(source: str | Path) -> str:
    """Ask a registry, a file or an https address, before all others from now on. Returns what it is listed as.

    What is wrong with its entries is said on standard error. Raises `zoo.BadRegistry` when it cannot be read, and
    `zoo.ZooError` when the settings cannot be written.

    >>> import zoo
    >>> zoo.use_registry("registry.toml")  # doctest: +SKIP
    '/home/me/registry.toml'
    """
    name = _name(source)
    found = load_registries(name)
    if not any(name in (one.registry, *one.hides) for one in found.listings.values()):
        say(f"Note: {without_password(name)} lists no plugin yet.")
    set_registry(name, use=True)
    return name


def forget_registry(source: str | Path) -> str:
    """Stop asking a registry that `use_registry` added. Returns what it was listed as.

    Raises `zoo.UnknownName` when it is not in use.

    >>> import zoo
    >>> zoo.forget_registry("registry.toml")  # doctest: +SKIP
    '/home/me/registry.toml'
    """
    name = str(source) if str(source) in in_use() else _name(source)
    if name not in in_use():
        raise UnknownName(f"The registry {source} is not in use. Registries in use: {', '.join(in_use()) or 'none'}.")
    set_registry(name, use=False)
    return name


def check_registry(file: str | Path) -> CheckedRegistry:
    """Check every entry of a registry.

    Raises `zoo.BadRegistry` when the file cannot be read, or is no registry at all.

    >>> import zoo
    >>> zoo.check_registry("registry.toml").problems
    []
    """
    from zoo.registry.format import parse
    from zoo.registry.sources import read_file

    entries, problems = parse(read_file(Path(file)), str(file))
    backbones = sum(len(entry.backbones) for entry in entries)
    return CheckedRegistry([entry.name for entry in entries], backbones, problems)


def registry_schema() -> dict[str, Any]:
    """The JSON schema of a registry, for editors and other tools.

    >>> import zoo
    >>> zoo.registry_schema()["title"]
    'registry.toml of zoo, format 1'
    """
    from zoo.registry.format import schema

    return schema()


def add_to_registry(plugin: str, registry: str | Path = "registry.toml", *, verified: bool = False) -> list[Entry]:
    """Write the entries of a distribution's plugins into a registry, with hashes; they replace those of the same names.

    plugin    an installed plugin or distribution by name, or the path of a wheel
    registry  the file to write to; it is created when it does not exist
    verified  whether you have seen the plugin pass `zoo check`

    Returns the entries: name, summary, distribution, requirement, api, licence, homepage, artefacts, backbones, heads.
    Raises `zoo.UnknownName` when it is not installed, `zoo.BadRegistry` when the file is no registry or something that
    an entry needs is missing, and `zoo.CannotInstall` when the plugin does not load.

    >>> import zoo
    >>> [entry.name for entry in zoo.add_to_registry("wheels/zoo_tiny-1.0-py3-none-any.whl")]  # doctest: +SKIP
    ['tiny']
    """
    from zoo.registry.describe import describe, write

    file = possible(Path(registry), BadRegistry)
    entries = describe(plugin, file, verified=verified)
    write(entries, file)
    return entries


def texts(given: Several) -> list[str]:
    """One or several names or paths, as a list of texts."""
    return [str(one) for one in ([given] if isinstance(given, (str, Path)) else given)]


def load_registries(given: Several) -> Registries:
    """All registries, the `given` ones first; what is wrong with the others is said on standard error."""
    from zoo.registry.sources import load

    registries = load(texts(given))
    for note in registries.notes:
        say(note)
    return registries


def _name(source: str | Path) -> str:
    """What a registry is listed as in the settings: its address, or its absolute path."""
    return str(source) if "://" in str(source) else str(Path(source).expanduser().resolve())
