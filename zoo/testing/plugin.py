"""Promises of a plugin as a whole: it loads, quickly, and states what its weights are."""

from __future__ import annotations

import subprocess
import sys

from packaging.utils import canonicalize_name

from zoo.catalog import catalog, catalog_afresh
from zoo.catalog.inspector import look
from zoo.catalog.plugin import KINDS, Plugin
from zoo.catalog.points import points_of
from zoo.testing.promises import BrokenPromise

_TIMES_A_BARE_START = 4
_BARE = "import sys; print(len(sys.modules))"


def loads(distribution: str) -> str:
    """Another process loads it, its specs are right, it does nothing else, and no other plugin has its names."""
    everything = catalog_afresh().plugins
    own = [plugin for plugin in everything if canonicalize_name(plugin.distribution) == distribution]
    for plugin in own:
        if plugin.status != "loaded":
            raise BrokenPromise(f"{plugin.name}: {plugin.reason}")
        if plugin.notes and not plugin.heavy:
            raise BrokenPromise(f"{plugin.name}: {plugin.notes[0]}")
    shared = [name for plugin in own for name in _shared(plugin, everything)]
    if shared:
        raise BrokenPromise(f"another plugin offers {', '.join(shared)} too, so neither is reached by the bare name")
    backbones = sum(len(plugin.backbones.names) for plugin in own)
    heads = sum(len(plugin.heads.names) for plugin in own)
    hooks = sorted({hook for plugin in own for hook in plugin.hooks} - {f"zoo_{kind}" for kind in KINDS})
    return ", ".join([f"{backbones} backbones and {heads} heads", *hooks])


def is_light(distribution: str) -> str:
    """Loading it imports no TensorFlow, and at most four times as many modules as a bare interpreter starts with.

    Modules are counted, not seconds, so that a busy machine is no offence.
    """
    answers = look(points_of(distribution))
    if heavy := sorted({name for answer in answers for name in answer.heavy}):
        raise BrokenPromise(f"loading it imports {', '.join(heavy)}; import that inside `build`")
    bare = int(subprocess.check_output([sys.executable, "-I", "-c", _BARE]))
    own = sum(answer.modules for answer in answers)
    if own > _TIMES_A_BARE_START * bare:
        raise BrokenPromise(
            f"loading it imports {own} modules, and a bare interpreter has {bare}: at most {_TIMES_A_BARE_START} "
            "times as many are allowed"
        )
    return f"{own} modules; a bare interpreter has {bare}"


def states_weights(distribution: str) -> str:
    """Every backbone has a licence, and so have all weights; each file has a checksum, or else its exact size."""
    plugins = [p for p in catalog().plugins if canonicalize_name(p.distribution) == distribution]
    kinds: dict[str, int] = {}
    for facts in (facts for plugin in plugins for facts in plugin.backbones.facts):
        for weights in facts["weights"]:
            source, checksum = weights["source"], weights["checksum"]
            own_way = "fetched by a library of its own" if weights["fetch"] else ""
            own_way = own_way or ("SavedModels of a hub" if source.startswith("hub:") else "")
            if not checksum and not own_way and not weights["bytes"]:
                raise BrokenPromise(f"{facts['name']}: weights {weights['name']} have neither checksum nor size")
            kind = "without checksum, as published" if not checksum else checksum.partition(":")[0]
            kind = own_way or kind
            kinds[kind] = kinds.get(kind, 0) + 1
    return ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) or "no weights"


def _shared(plugin: Plugin, everything: list[Plugin]) -> list[str]:
    others = [other for other in everything if other.name != plugin.name]
    names = {name for other in others for name in (*other.backbones.names, *other.heads.names)}
    return sorted(names & {*plugin.backbones.names, *plugin.heads.names})
