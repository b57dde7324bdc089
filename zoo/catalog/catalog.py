"""The catalog: every backbone and head of every loaded plugin, found by name."""

from __future__ import annotations

import difflib
import functools
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from zoo.catalog.host import BUILT_IN_MODALITIES, Host
from zoo.catalog.plugin import Facts, Offered, Plugin
from zoo.catalog.specs import Backbone, Head, Modality
from zoo.errors import AmbiguousName, UnknownName

Spec = TypeVar("Spec", Backbone, Head, Modality)


@dataclass
class Offer(Generic[Spec]):
    """What a plugin offers, and the name that reaches it (`plugin/name` where the bare one is shared).

    facts  the spec as plain data, for what only lists it; read when it is first asked for, and so is `spec`
    """

    name: str
    plugin: str
    kind: type[Spec]
    offered: Offered
    number: int

    @property
    def own_name(self) -> str:
        """The bare name, which may be shared."""
        return self.offered.names[self.number]

    @property
    def facts(self) -> Facts:
        return self.offered.facts[self.number]

    @functools.cached_property
    def spec(self) -> Spec:
        return msgspec.convert(self.facts, self.kind)


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
        return _offers(Backbone, [(p.name, p.backbones) for p in self.plugins])

    @property
    def heads(self) -> list[Offer[Head]]:
        """Every head, in the order of the names that reach them."""
        return _offers(Head, [(p.name, p.heads) for p in self.plugins])

    @property
    def modalities(self) -> list[Offer[Modality]]:
        """Every kind of input: zoo's own, and those of plugins."""
        pairs = [("zoo", BUILT_IN_MODALITIES)] + [(p.name, p.modalities) for p in self.plugins]
        return _offers(Modality, pairs)

    def modality(self, name: str) -> Offer[Modality]:
        """The modality called `name`; raises `UnknownName` where no plugin that is loaded offers it."""
        known = {offer.name: offer for offer in self.modalities}
        if name not in known:
            raise UnknownName(f"There is no modality {name!r}. Modalities: {', '.join(known)}.{self._problems()}")
        return known[name]

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
    """The catalog of this process; plugins are looked at when it is first called, unless they are remembered."""
    host = Host()
    host.find()
    return Catalog(host)


def catalog_afresh() -> Catalog:
    """The catalog with every plugin looked at now, whatever is remembered: for what looks into plugins' troubles."""
    host = Host()
    host.find(afresh=True)
    return Catalog(host)


def nearest(name: str, names: Iterable[str], count: int = 3) -> list[str]:
    """The names most like `name`, best first; those that contain it count as alike."""
    names = list(names)
    key = name.lower().replace("-", "_")
    squeezed = {n: n.replace("_", "") for n in names}
    alike = [n for n in names if key.replace("_", "") in squeezed[n]]
    close = difflib.get_close_matches(key, names, n=count, cutoff=0.6)
    return list(dict.fromkeys(alike[:count] + close))[:count]


def _offers(kind: type[Spec], pairs: list[tuple[str, Offered]]) -> list[Offer[Spec]]:
    count = Counter(name for _, offered in pairs for name in offered.names)
    offers = [
        Offer(name if count[name] == 1 else f"{plugin}/{name}", plugin, kind, offered, number)
        for plugin, offered in pairs
        for number, name in enumerate(offered.names)
    ]
    return sorted(offers, key=lambda offer: offer.name)


def _find(name: str, offers: list[Offer[Spec]], kind: str, command: str, problems: str) -> Offer[Spec]:
    matching = [o for o in offers if name in (o.name, f"{o.plugin}/{o.own_name}")]
    if matching:
        return matching[0]
    shared = [o.name for o in offers if o.own_name == name]
    if shared:
        raise AmbiguousName(f"Several plugins offer a {kind} called {name!r}: say {' or '.join(shared)}.")
    similar = nearest(name, [o.name for o in offers])
    hint = f" Did you mean {' or '.join(similar)}?" if similar else ""
    message = f"There is no {kind} called {name!r}.{hint} `{command}` shows all {len(offers)}.{problems}"
    raise UnknownName(message, kind, name)
