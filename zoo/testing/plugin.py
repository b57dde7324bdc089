"""Promises of a plugin as a whole: it loads, quickly, and states what its weights are."""

from __future__ import annotations

import json
import resource
import subprocess
import sys

from packaging.utils import canonicalize_name

from zoo.catalog import catalog
from zoo.catalog.host import Plugin
from zoo.registry.probe import look
from zoo.testing.promises import BrokenPromise

_TIMES_A_BARE_START = 4.0
_TRIES = 5
_LOAD = """
import json, resource, sys
from importlib import metadata
import zoo
from zoo.catalog.host import Host
zoo.Backbone, zoo.Head, zoo.hookimpl
seconds = lambda: sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
before = seconds()
Host().load({}, sys.argv[1:])
print(json.dumps(seconds() - before))
"""


def loads(distribution: str) -> str:
    """A fresh process loads it, its specs are right, and no other plugin has its names."""
    seen = look([distribution])
    for plugin in seen.plugins:
        if plugin.status != "loaded":
            raise BrokenPromise(f"{plugin.name}: {plugin.reason}")
    shared = [name for plugin in seen.plugins for name in _shared(plugin, seen.all)]
    if shared:
        raise BrokenPromise(f"another plugin offers {', '.join(shared)} too, so neither is reached by the bare name")
    backbones = sum(len(plugin.backbones.names) for plugin in seen.plugins)
    heads = sum(len(plugin.heads.names) for plugin in seen.plugins)
    return f"{backbones} backbones and {heads} heads"


def is_light(distribution: str) -> str:
    """Loading it imports no TensorFlow, and takes little beside the start of a bare interpreter.

    Seconds of the processor, not of the clock, and the least of several tries, so that a busy machine is no offence.
    """
    if heavy := look([distribution]).heavy:
        raise BrokenPromise(f"loading it imports {', '.join(heavy)}; import that inside `build`")
    bare = min(_bare_start() for _ in range(_TRIES))
    command = [sys.executable, "-P", "-c", _LOAD, distribution]
    own = min(float(json.loads(subprocess.check_output(command))) for _ in range(_TRIES))
    if own > _TIMES_A_BARE_START * bare:
        raise BrokenPromise(
            f"loading it takes {own:.3f} s, which is {own / bare:.1f} times the start of a bare interpreter "
            f"(at most {_TIMES_A_BARE_START})"
        )
    return f"{own / bare:.2f} times the start of a bare interpreter"


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


def _bare_start() -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-I", "-c", "pass"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
