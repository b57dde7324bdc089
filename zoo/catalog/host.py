"""The plugin host: finds the entry points, loads each on its own, and lets none of them stop another."""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any, Literal

import pluggy

from zoo.catalog import hookspecs
from zoo.catalog.settings import disabled_plugins
from zoo.catalog.specs import Backbone, Head

Status = Literal["loaded", "disabled", "failed"]


@dataclass(frozen=True)
class Plugin:
    """One entry point of the group `zoo.plugins`, and what became of it; `reason` is blank when it is loaded."""

    name: str
    distribution: str
    version: str
    module: str
    status: Status
    reason: str = ""
    backbones: tuple[Backbone, ...] = ()
    heads: tuple[Head, ...] = ()


class _Refused(Exception):
    """A plugin cannot be used, for a reason that is already a sentence."""


@dataclass
class Host:
    """Loads plugins and calls their hooks, each plugin apart from the others."""

    plugins: list[Plugin] = field(default_factory=list)
    _manager: pluggy.PluginManager = field(default_factory=lambda: pluggy.PluginManager("zoo"))

    def __post_init__(self) -> None:
        self._manager.add_hookspecs(hookspecs)

    def load(self) -> None:
        """Load every installed plugin; the outcome of each is in `plugins`, in the order of their names."""
        disabled = disabled_plugins()
        points = sorted(metadata.entry_points(group=hookspecs.GROUP), key=lambda point: (point.name, point.value))
        taken: dict[str, str] = {}
        for point in points:
            distribution = point.dist.metadata["Name"] if point.dist else "unknown"
            version = point.dist.version if point.dist else "unknown"
            status: Status = "loaded"
            reason = ""
            backbones: tuple[Backbone, ...] = ()
            heads: tuple[Head, ...] = ()
            if point.name in disabled:
                status, reason = "disabled", disabled[point.name]
            elif point.name in taken:
                status, reason = "failed", f"{taken[point.name]} already offers a plugin called {point.name!r}"
            else:
                taken[point.name] = distribution
                try:
                    backbones, heads = self._load_one(point)
                except (Exception, SystemExit) as error:
                    status, reason = "failed", _sentence(error)
            self.plugins.append(
                Plugin(point.name, distribution, version, point.value, status, reason, backbones, heads)
            )

    def call(self, hook: str, **arguments: Any) -> list[Any]:
        """Call one hook on every loaded plugin that has it; one that raises is marked as failed and passed over."""
        results: list[Any] = []
        for plugin in [p for p in self.plugins if p.status == "loaded"]:
            try:
                results += self._call_one(plugin.name, hook, **arguments)
            except Exception as error:
                self.fail(plugin.name, f"{hook} failed: {_sentence(error)}")
        return results

    def fail(self, name: str, reason: str) -> None:
        """Mark a loaded plugin as failed, and withdraw what it registered."""
        self._manager.unregister(name=name)
        self.plugins = [
            Plugin(p.name, p.distribution, p.version, p.module, "failed", reason) if p.name == name else p
            for p in self.plugins
        ]

    def _load_one(self, point: metadata.EntryPoint) -> tuple[tuple[Backbone, ...], tuple[Head, ...]]:
        module = point.load()
        _check_api(getattr(module, "ZOO_API", None))
        self._manager.register(module, name=point.name)
        try:
            self._manager.check_pending()
            backbones = _specs(Backbone, self._call_one(point.name, "zoo_backbones"))
            heads = _specs(Head, self._call_one(point.name, "zoo_heads"))
        except BaseException:
            self._manager.unregister(name=point.name)
            raise
        return backbones, heads

    def _call_one(self, name: str, hook: str, **arguments: Any) -> list[Any]:
        others = [plugin for plugin_name, plugin in self._manager.list_name_plugin() if plugin_name != name]
        caller: Callable[..., list[Any]] = self._manager.subset_hook_caller(hook, others)
        return caller(**arguments)


def _specs(kind: type[Backbone] | type[Head], results: list[Iterable[Any]]) -> tuple[Any, ...]:
    specs: tuple[Any, ...] = tuple(spec for result in results for spec in result)
    names: set[str] = set()
    for spec in specs:
        if not isinstance(spec, kind):
            raise _Refused(f"it offers {spec!r} where a zoo.{kind.__name__} was expected")
        if spec.name in names:
            raise _Refused(f"it offers two {kind.__name__.lower()}s called {spec.name!r}")
        names.add(spec.name)
    return specs


def _check_api(stated: object) -> None:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

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
