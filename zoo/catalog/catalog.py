"""The catalog: every backbone and head of every loaded plugin, found by name."""

from __future__ import annotations

import difflib
import functools
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from zoo.catalog.host import Host, Plugin
from zoo.catalog.specs import Backbone, Head
from zoo.errors import AmbiguousName, UnknownName

Spec = TypeVar("Spec", Backbone, Head)


@dataclass(frozen=True)
class Offer(Generic[Spec]):
    """A spec, the plugin that offers it, and the name that reaches it (`plugin/name` where the bare one is shared)."""

    name: str
    plugin: str
    spec: Spec


class Catalog:
    """What is available. `catalog()` gives the one of this process."""

    def __init__(self, host: Host) -> None:
        self.host = host

    @property
    def plugins(self) -> list[Plugin]:
        """Every installed plugin, loaded or not, with the reason where it is not."""
        return self.host.plugins

    @property
    def backbones(self) -> list[Offer[Backbone]]:
        """Every backbone, in the order of the names that reach them."""
        return _offers((p.name, spec) for p in self.plugins for spec in p.backbones)

    @property
    def heads(self) -> list[Offer[Head]]:
        """Every head, in the order of the names that reach them."""
        return _offers((p.name, spec) for p in self.plugins for spec in p.heads)

    def backbone(self, name: str) -> Offer[Backbone]:
        """The backbone called `name`, or `plugin/name`.

        Raises `UnknownName` with the nearest names, or `AmbiguousName` where several plugins offer it.
        """
        return _find(name, self.backbones, "backbone", "zoo list", self._problems())

    def head(self, name: str) -> Offer[Head]:
        """The head called `name`, or `plugin/name`; raises as `backbone` does."""
        return _find(name, self.heads, "head", "zoo heads", self._problems())

    def _problems(self) -> str:
        failed = [plugin.name for plugin in self.plugins if plugin.status != "loaded"]
        return f" Not loaded: {', '.join(failed)}; `zoo plugins` says why." if failed else ""


@functools.cache
def catalog() -> Catalog:
    """The catalog of this process; plugins are loaded at the first call."""
    host = Host()
    host.load()
    return Catalog(host)


def nearest(name: str, names: Iterable[str], count: int = 3) -> list[str]:
    """The names most like `name`, best first; those that contain it count as alike."""
    names = list(names)
    key = name.lower().replace("-", "_")
    squeezed = {n: n.replace("_", "") for n in names}
    alike = [n for n in names if key.replace("_", "") in squeezed[n]]
    close = difflib.get_close_matches(key, names, n=count, cutoff=0.6)
    return list(dict.fromkeys(alike[:count] + close))[:count]


def _offers(pairs: Iterable[tuple[str, Spec]]) -> list[Offer[Spec]]:
    pairs = list(pairs)
    count = Counter(spec.name for _, spec in pairs)
    offers = [
        Offer(spec.name if count[spec.name] == 1 else f"{plugin}/{spec.name}", plugin, spec) for plugin, spec in pairs
    ]
    return sorted(offers, key=lambda offer: offer.name)


def _find(name: str, offers: list[Offer[Spec]], kind: str, command: str, problems: str) -> Offer[Spec]:
    matching = [o for o in offers if name in (o.name, f"{o.plugin}/{o.spec.name}")]
    if matching:
        return matching[0]
    shared = [o.name for o in offers if o.spec.name == name]
    if shared:
        raise AmbiguousName(f"Several plugins offer a {kind} called {name!r}: say {' or '.join(shared)}.")
    similar = nearest(name, [o.name for o in offers])
    hint = f" Did you mean {' or '.join(similar)}?" if similar else ""
    raise UnknownName(f"There is no {kind} called {name!r}.{hint} `{command}` shows all {len(offers)}.{problems}")
