"""The plugin host: finds the entry points, looks at each plugin apart from all others, and calls their hooks."""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from packaging.utils import canonicalize_name

from zoo.catalog import memory
from zoo.catalog.loading import Loader, sentence
from zoo.catalog.plugin import KINDS, NOTHING, Plugin, Refused, offered
from zoo.catalog.points import Point, installed_point, installed_points, refused
from zoo.catalog.settings import disabled_plugins
from zoo.catalog.specs import Modality
from zoo.progress import say

if TYPE_CHECKING:
    from zoo.catalog.inspected import Answer

_HOURS = 0.25  # for which it is remembered that a plugin gave no answer
_LONG = ("zoo_run_finished",)  # hooks that may upload something; the others are short, so Ctrl-C is hardly meant there
_MOST_TEXT = 600  # letters of what a plugin says of itself
_MOST_FILES = 1_000  # that are looked at to notice that a plugin has changed which cannot be loaded

BUILT_IN_MODALITIES = offered(
    Modality,
    [
        {"name": "image", "summary": "pictures", "build": "zoo.data.pictures:Pictures"},
        {"name": "text", "summary": "texts, pairs of them, and words", "build": "zoo.data.texts:Texts"},
    ],
    ["zoo"],
)


@dataclass
class Host:
    """Knows what every plugin offers without loading it into this process, and loads those whose hooks are called."""

    plugins: list[Plugin] = field(default_factory=list)
    _loader: Loader = field(default_factory=Loader)
    _lock: Any = field(default_factory=threading.RLock)

    def find(self, *, afresh: bool = False) -> None:
        """Find out what every installed plugin offers: from memory where it holds, unless `afresh`, else by looking."""
        disabled = disabled_plugins()
        circumstances = sorted(disabled)
        afresh = afresh or os.environ.get("ZOO_DEBUG") == "1"
        if not afresh and (remembered := memory.recall(list[Plugin], *circumstances)) is not None:
            self.plugins = remembered
            return
        unclear: list[str] = []
        with memory.noting() as seen:
            self.plugins = examined(installed_points(), disabled, seen, unclear)
        hours = _HOURS if unclear else 0.0
        memory.remember(msgspec.json.encode(self.plugins), seen, *circumstances, hours=hours)

    def call(self, hook: str, **arguments: Any) -> list[Any]:
        """Call one hook on every loaded plugin that has it; one that fails is named, with the reason, and passed over.

        What it prints goes to standard error, since results alone are printed on standard output. Raises
        `KeyboardInterrupt` if a hook is broken off that may take long.
        """
        results: list[Any] = []
        with self._lock:  # which `redirect_stdout` needs, too
            for plugin in [p for p in self.plugins if p.status == "loaded" and hook in p.hooks]:
                try:
                    with redirect_stdout(sys.stderr):
                        self._loader.load(installed_point(plugin.name))
                        results += self._loader.call(plugin.name, hook, **arguments)
                except BaseException as error:
                    say(f"The plugin {plugin.name} is passed over, because {hook} failed: {_short(sentence(error))}")
                    if isinstance(error, KeyboardInterrupt) and hook in _LONG:
                        raise
        return results


def examined(
    points: Sequence[Point],
    disabled: Mapping[str, str],
    seen: dict[str, memory.Stamp] | None = None,
    unclear: list[str] | None = None,
    path: Sequence[str] = (),
) -> list[Plugin]:
    """What became of each plugin, in the order of `points`; those that may be loaded are looked at.

    disabled  normalized names of plugins or distributions to pass over, each with the reason
    seen      gets every file that was read for them, with its stamp
    unclear   gets the names of those that gave no answer, which may be the machine's fault
    path      folders in which their modules are looked for first
    """
    from zoo.catalog.inspector import look  # here, as what is remembered needs none of it

    reasons = refused(points)
    off = {point: disabled[key] for point in points for key in _keys(point) if key in disabled}
    asked = [point for point in points if point not in reasons and point not in off]
    answers = dict(zip(asked, look(asked, path), strict=True))
    plugins = []
    for point in points:
        plugin = Plugin(point.name, point.distribution, point.version, point.module, "loaded")
        if point in off:
            plugin = replace(plugin, status="disabled", reason=off[point])
        elif point in reasons:
            plugin = replace(plugin, status="failed", reason=reasons[point])
        else:
            plugin = _described(plugin, point, answers[point])
            found = answers[point].seen
            if seen is not None:
                seen |= found if found is not None else _stamps(point)
            if unclear is not None and found is None:
                unclear.append(point.name)
        plugins.append(plugin)
    return _with_own_modalities(plugins)


def _keys(point: Point) -> tuple[str, str]:
    return canonicalize_name(point.name), canonicalize_name(point.distribution)


def _described(plugin: Plugin, point: Point, answer: Answer) -> Plugin:
    """A plugin with what was seen of it, which may be anything, since it is the plugin that says it."""
    from zoo.catalog.inspected import HEAVY  # here, as what is remembered needs none of it

    if answer.trace and os.environ.get("ZOO_DEBUG") == "1":
        for line in answer.trace.splitlines():
            say(line)
    heavy = tuple(name for name in HEAVY if name in answer.heavy)
    plugin = replace(plugin, notes=tuple(_notes(answer)), heavy=heavy)
    if answer.reason:
        return _failed(plugin, answer.reason)
    try:
        offers: dict[str, Any] = {
            kind: offered(spec, answer.offers.get(kind, ()), point.packages) for kind, spec in KINDS.items()
        }
    except Refused as error:
        return _failed(plugin, str(error))
    except Exception as error:  # the answer is the plugin's, and may be anything
        return _failed(plugin, f"what it says of itself cannot be read ({type(error).__name__}: {error})")
    return replace(plugin, api=answer.api[:_MOST_TEXT], hooks=answer.hooks, **offers)


def _notes(answer: Answer) -> list[str]:
    notes = []
    if answer.printed:
        first = answer.printed.partition("\n")[0]
        notes.append(f"it prints when it is loaded: {first[:80]!r}")
    if answer.threads > 0:
        notes.append("it starts threads when it is loaded")
    if answer.heavy:
        notes.append(f"loading it imports {' and '.join(answer.heavy)}, which takes long; that belongs into `build`")
    if answer.changes:
        notes.append(f"loading it changes {', '.join(answer.changes)}"[:_MOST_TEXT])
    return notes


def _with_own_modalities(plugins: list[Plugin]) -> list[Plugin]:
    """A modality has one owner, since backbones and heads of all plugins name it; of two that offer it, none has it."""
    owners = Counter(name for plugin in plugins for name in plugin.modalities.names)
    settled = []
    for plugin in plugins:
        for name in plugin.modalities.names:
            others = [p.name for p in plugins if p is not plugin and name in p.modalities.names]
            if name in BUILT_IN_MODALITIES.names or owners[name] > 1:
                owner = "zoo itself" if name in BUILT_IN_MODALITIES.names else f"the plugin {others[0]}"
                plugin = _failed(plugin, f"it offers the modality {name!r}, which {owner} has, too")
                break
        settled.append(plugin)
    return settled


def _failed(plugin: Plugin, reason: str) -> Plugin:
    nothing: dict[str, Any] = dict.fromkeys(KINDS, NOTHING)
    return replace(plugin, status="failed", reason=_short(reason), hooks=(), **nothing)


def _short(reason: str) -> str:
    return reason if len(reason) <= _MOST_TEXT else f"{reason[:_MOST_TEXT]}…"


def _stamps(point: Point) -> dict[str, memory.Stamp]:
    """The files of a plugin that could not say which it has read."""
    files: list[Path] = []
    for package in point.packages:
        with suppress(Exception):
            spec = importlib.util.find_spec(package)
            for folder in spec.submodule_search_locations or () if spec else ():
                files += [Path(folder), *sorted(Path(folder).rglob("*.py"))[:_MOST_FILES]]
            if spec and spec.origin:
                files.append(Path(spec.origin))
    return {str(file): memory.stamp(str(file)) for file in files}
