"""The plugin host: finds the entry points, loads each on its own, and lets none of them stop another."""

from __future__ import annotations

import functools
import os
import re
import traceback
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib import metadata
from typing import Any, Literal

import msgspec
import pluggy
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from zoo.catalog import hookspecs, memory
from zoo.catalog.settings import disabled_plugins
from zoo.catalog.specs import Backbone, Head, Modality

Facts = dict[str, Any]
Status = Literal["loaded", "disabled", "failed"]


@dataclass(frozen=True)
class Offered:
    """Specs of one kind from one plugin: their names, and as JSON their facts, read when one of them is asked for."""

    names: tuple[str, ...]
    json: msgspec.Raw

    @functools.cached_property
    def facts(self) -> list[Facts]:
        """The specs as plain data, in the order of their names."""
        facts: list[Facts] = msgspec.json.decode(self.json)
        return facts


_NOTHING = Offered((), msgspec.Raw(b"[]"))


@dataclass(frozen=True)
class Plugin:
    """One entry point of the group `zoo.plugins`, and what became of it; `reason` is blank when it is loaded.

    api    the range of plugin API versions it was written for
    hooks  the names of the hooks that it implements
    """

    name: str
    distribution: str
    version: str
    module: str
    status: Status
    reason: str = ""
    api: str = ""
    hooks: tuple[str, ...] = ()
    backbones: Offered = _NOTHING
    heads: Offered = _NOTHING
    modalities: Offered = _NOTHING


class _Refused(Exception):
    """A plugin cannot be used, for a reason that is already a sentence."""


@dataclass
class Host:
    """Loads plugins and calls their hooks, each plugin apart from the others."""

    plugins: list[Plugin] = field(default_factory=list)
    _manager: pluggy.PluginManager = field(default_factory=lambda: pluggy.PluginManager("zoo"))

    def __post_init__(self) -> None:
        self._manager.add_hookspecs(hookspecs)

    def find(self, *, afresh: bool = False) -> None:
        """Find out what every installed plugin offers: from memory where it holds, unless `afresh`, else by loading."""
        disabled = disabled_plugins()
        circumstances = sorted(disabled)
        afresh = afresh or os.environ.get("ZOO_DEBUG") == "1"
        if not afresh and (remembered := memory.recall(list[Plugin], *circumstances)) is not None:
            self.plugins = remembered
            return
        with memory.noting() as seen:
            self.load(disabled)
        memory.remember(msgspec.json.encode(self.plugins), seen, *circumstances)

    def load(self, disabled: Mapping[str, str], distributions: Collection[str] | None = None) -> None:
        """Load every installed plugin; the outcome of each is in `plugins`, in the order of their names.

        disabled       names of plugins to pass over, each with the reason
        distributions  only what these offer, by their normalized names
        """
        points = sorted(metadata.entry_points(group=hookspecs.GROUP), key=lambda point: (point.name, point.value))
        taken: dict[str, str] = {}
        for point in points:
            distribution = point.dist.metadata["Name"] if point.dist else "unknown"
            version = point.dist.version if point.dist else "unknown"
            if distributions is not None and canonicalize_name(distribution) not in distributions:
                continue
            plugin = Plugin(point.name, distribution, version, point.value, "loaded")
            if point.name in disabled:
                plugin = replace(plugin, status="disabled", reason=disabled[point.name])
            elif point.name in taken:
                reason = f"{taken[point.name]} already offers a plugin called {point.name!r}"
                plugin = replace(plugin, status="failed", reason=reason)
            else:
                taken[point.name] = distribution
                try:
                    plugin = self._load_one(plugin, point)
                except (Exception, SystemExit) as error:
                    plugin = replace(plugin, status="failed", reason=_sentence(error))
            self.plugins.append(plugin)

    def call(self, hook: str, **arguments: Any) -> list[Any]:
        """Call one hook on every loaded plugin that has it; one that raises is marked as failed and passed over."""
        results: list[Any] = []
        for plugin in [p for p in self.plugins if p.status == "loaded" and hook in p.hooks]:
            try:
                if not self._manager.has_plugin(plugin.name):
                    self._load_one(plugin, metadata.EntryPoint(plugin.name, plugin.module, hookspecs.GROUP))
                results += self._call_one(plugin.name, hook, **arguments)
            except (Exception, SystemExit) as error:
                self.fail(plugin.name, f"{hook} failed: {_sentence(error)}")
        return results

    def fail(self, name: str, reason: str) -> None:
        """Mark a loaded plugin as failed, and withdraw what it registered."""
        if self._manager.has_plugin(name):
            self._manager.unregister(name=name)
        nothing: dict[str, Any] = dict.fromkeys(_HOOKS, _NOTHING)
        self.plugins = [
            replace(p, status="failed", reason=reason, hooks=(), **nothing) if p.name == name else p
            for p in self.plugins
        ]

    def _load_one(self, plugin: Plugin, point: metadata.EntryPoint) -> Plugin:
        """What the plugin says of itself; its module is imported and its hooks are registered."""
        module = point.load()
        _check_api(getattr(module, "ZOO_API", None))
        self._manager.register(module, name=point.name)
        try:
            self._manager.check_pending()
            hooks = tuple(sorted(caller.name for caller in self._manager.get_hookcallers(module) or ()))
            offers: dict[str, Any] = {
                field: _offered(kind, self._call_one(point.name, f"zoo_{field}")) for field, kind in _HOOKS.items()
            }
            self._refuse_known_modalities(offers["modalities"])
        except BaseException:
            self._manager.unregister(name=point.name)
            raise
        return replace(plugin, api=str(module.ZOO_API), hooks=hooks, **offers)

    def _refuse_known_modalities(self, offered: Offered) -> None:
        """A modality has one owner, since backbones and heads of all plugins name it."""
        owner = dict.fromkeys(BUILT_IN_MODALITIES.names, "zoo itself")
        owner |= {name: f"the plugin {plugin.name}" for plugin in self.plugins for name in plugin.modalities.names}
        for name in offered.names:
            if name in owner:
                raise _Refused(f"it offers the modality {name!r}, which {owner[name]} already has")

    def _call_one(self, name: str, hook: str, **arguments: Any) -> list[Any]:
        others = [plugin for plugin_name, plugin in self._manager.list_name_plugin() if plugin_name != name]
        caller: Callable[..., list[Any]] = self._manager.subset_hook_caller(hook, others)
        return caller(**arguments)


def _offered(kind: type[Backbone | Head | Modality], results: list[Iterable[Any]]) -> Offered:
    """Specs as plain data, from which they can be made again; raises where one is not what its class says."""
    facts: dict[str, Facts] = {}
    for spec in (spec for result in results for spec in result):
        if not isinstance(spec, kind):
            raise _Refused(f"it offers {spec!r} where a zoo.{kind.__name__} was expected")
        if spec.name in facts:
            raise _Refused(f"it offers {spec.name!r} twice as a zoo.{kind.__name__}")
        facts[spec.name] = msgspec.to_builtins(spec)
        try:
            msgspec.convert(facts[spec.name], kind)
        except msgspec.ValidationError as error:
            raise _Refused(f"its {kind.__name__.lower()} {spec.name!r} is wrong: {error}") from None
    return Offered(tuple(facts), msgspec.Raw(msgspec.json.encode(list(facts.values()))))


_HOOKS: dict[str, Any] = {"backbones": Backbone, "heads": Head, "modalities": Modality}

BUILT_IN_MODALITIES = _offered(
    Modality,
    [
        [
            Modality(name="image", summary="pictures", build="zoo.data.pictures:Pictures"),
            Modality(name="text", summary="texts, pairs of them, and words", build="zoo.data.texts:Texts"),
        ]
    ],
)


def _check_api(stated: object) -> None:
    if stated is None:
        raise _Refused(
            "it does not state the plugin API it was written for; "
            f"its module needs a line such as ZOO_API = '>={hookspecs.API_VERSION},<2'"
        )
    try:
        wanted = SpecifierSet(str(stated))
    except InvalidSpecifier:
        raise _Refused(f"its ZOO_API is {stated!r}, which is not a version range such as '>=1.0,<2'") from None
    if hookspecs.API_VERSION not in wanted:
        raise _Refused(
            f"it was written for plugin API {stated}, and this zoo has {hookspecs.API_VERSION}; "
            "install a version of the plugin for this zoo"
        )


def _sentence(error: BaseException) -> str:
    if os.environ.get("ZOO_DEBUG") == "1":
        traceback.print_exception(error)
    if isinstance(error, _Refused):
        return str(error)
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        return f"it needs the module {package!r}, which is not installed; install the package that provides it"
    text = re.sub(r"\s+", " ", str(error)).strip()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
