"""The registries and what they list: those that are given, then those in the settings, last the built-in one."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urljoin

from zoo.atomic import write_atomic
from zoo.catalog.caches import own_cache
from zoo.catalog.points import built_in_registry
from zoo.catalog.settings import registries
from zoo.errors import BadRegistry
from zoo.registry.format import MOST_BYTES, Entry, parse
from zoo.trust import make_private
from zoo.web import InsecureRedirection, is_secure, offline, refuse_insecure_redirection, without_password

BUILT_IN = "built-in"
CHECKOUT = "zoo registry use CHECKOUT/registry.toml"  # how to name the checkout that has the plugins of this project
_TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Listing:
    """An entry of a registry.

    registry  the registry: a path, an address, or "built-in"
    base      the folder or address to which its paths are relative
    hides     the registries asked later that list a plugin of the same name
    given     whether that registry is asked only because a person named it with --registry
    """

    entry: Entry
    registry: str
    base: str
    hides: tuple[str, ...] = ()
    given: bool = False

    @property
    def source(self) -> str:
        """What pip gets: a requirement, the path of a wheel or folder, or an address."""
        entry = self.entry
        remote = "://" in self.base
        if folder := self._folder:
            return str(folder)
        if entry.kind in ("index", "git") or "://" in entry.requirement:
            return entry.requirement
        if remote and entry.kind == "folder":
            raise BadRegistry(f"{entry.name} is a folder, which a registry at an address cannot offer: {self.registry}")
        return urljoin(self.base, entry.requirement) if remote else str(Path(self.base, entry.requirement))

    @property
    def needs_checkout(self) -> bool:
        """Whether only the folder of a checkout has it, which is not beside the registry.

        Nothing says that the package of its name on an index is the same; hashes, or the full hash of a commit, do.
        """
        entry = self.entry
        return entry.folder is not None and self._folder is None and entry.kind == "index" and not entry.artefacts

    @property
    def install(self) -> str:
        """The command that installs it, after the one that names a checkout if it needs one."""
        command = f"zoo install {self.entry.name}"
        if self.needs_checkout:
            return f"{CHECKOUT} && {command}"
        return f"{command} --registry {shlex.quote(self.registry)}" if self.given else command

    @property
    def _folder(self) -> Path | None:
        """The plugin's folder in the checkout that the registry is in, if it is there."""
        if self.entry.folder is None or "://" in self.base:
            return None
        folder = Path(self.base, self.entry.folder)
        return folder if folder.is_dir() else None


@dataclass
class Registries:
    """What all registries list, by the plugins' names; the first registry that lists a name has it.

    read   those that could be read, in the order in which they are asked
    notes  what is wrong with the others, and with entries
    """

    listings: dict[str, Listing] = field(default_factory=dict)
    read: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, entries: Iterable[Entry], registry: str, base: str, *, given: bool = False) -> None:
        self.read.append(registry)
        for entry in entries:
            if first := self.listings.get(entry.name):
                self.listings[entry.name] = replace(first, hides=(*first.hides, registry))
            else:
                self.listings[entry.name] = Listing(entry, registry, base, given=given)


def load(given: Sequence[str] = (), *, network: bool = True) -> Registries:
    """All registries: the `given` ones, those in `ZOO_REGISTRY` and in the settings, and the built-in one.

    Raises `BadRegistry` if a given one cannot be read; for the others that is a note. Without `network`, the copy from
    the last time stands for an address.
    """
    found = Registries()
    named = [name.strip() for name in os.environ.get("ZOO_REGISTRY", "").split(",") if name.strip()]
    in_use = [*named, *registries()]
    for source in dict.fromkeys([*given, *in_use]):
        try:
            content, base = _read(source, network, found.notes)
            entries, problems = parse(content, source)
        except BadRegistry as error:
            if source in given:
                raise
            found.notes.append(str(error))
            continue
        found.notes += [f"Ignored in {source}: {problem}." for problem in problems[:5]]
        if len(problems) > 5:
            found.notes.append(f"Ignored in {source}: {len(problems) - 5} more. `zoo registry check FILE` shows all.")
        found.add(entries, source, base, given=not {source, _absolute(source)} & set(in_use))
    path = built_in_registry()
    entries, _ = parse(path.read_bytes(), BUILT_IN)
    found.add(entries, BUILT_IN, str(path.parent))
    return found


def read_file(path: Path) -> bytes:
    """The content of a registry's file; raises `BadRegistry` if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise BadRegistry(f"The registry {path} cannot be read: {error.strerror}.") from None


def _absolute(source: str) -> str:
    """A registry as the settings name it: its address, or its absolute path."""
    return source if "://" in source else str(Path(source).expanduser().resolve())


def _read(source: str, network: bool, notes: list[str]) -> tuple[bytes, str]:
    if "://" not in source:
        path = Path(source).expanduser()
        return read_file(path), str(path.resolve().parent)
    shown = without_password(source)
    if not is_secure(source):
        raise BadRegistry(f"The registry {shown} is not at an https:// address.")
    copy = _copy(source)
    reason = "ZOO_OFFLINE=1 forbids the network"
    if network and not offline():
        try:
            content = _fetch(source)
            parse(content, "what arrives")
        except BadRegistry as error:
            reason = str(error).rstrip(".")
        else:
            with contextlib.suppress(OSError):
                if copy is not None:
                    make_private(copy.parent)
                    write_atomic(copy, content)
            return content, source
    if copy is None or not copy.exists():
        raise BadRegistry(f"The registry {shown} cannot be fetched ({reason}). Give a copy of it with --registry FILE.")
    if network:
        notes.append(f"The registry {shown} cannot be fetched ({reason}), so a copy from the last time is used.")
    return read_file(copy), source


def _copy(address: str) -> Path | None:
    """Where a registry from an address is kept; None if others could change it there."""
    folder = own_cache("registries")
    return folder and folder / f"{hashlib.sha256(address.encode()).hexdigest()[:16]}.toml"


def _fetch(address: str) -> bytes:
    import requests

    try:
        hooks = {"response": refuse_insecure_redirection}
        with requests.get(address, stream=True, timeout=_TIMEOUT_SECONDS, hooks=hooks) as response:
            response.raise_for_status()
            content = b""
            for chunk in response.iter_content(1 << 16):
                content += chunk
                if len(content) > MOST_BYTES:
                    raise BadRegistry(f"it is larger than {MOST_BYTES / 1e6:.0f} MB")
            return content
    except requests.HTTPError as error:
        raise BadRegistry(f"HTTP {error.response.status_code}") from None
    except InsecureRedirection as error:
        raise BadRegistry(str(error)) from None
    except requests.RequestException as error:
        raise BadRegistry(type(error).__name__) from None
