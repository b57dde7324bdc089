"""Loading one plugin into this process: its module is imported, and what its hooks say is checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from importlib import metadata
from typing import Any

import msgspec
import pluggy
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from zoo.catalog import hookspecs
from zoo.catalog.plugin import KINDS, Facts, Refused
from zoo.catalog.points import Point
from zoo.catalog.specs import Backbone, Head, Modality


class Loader:
    """The plugins that this process has loaded, each of whose hooks can be called apart from the others."""

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager("zoo")
        self._manager.add_hookspecs(hookspecs)

    def load(self, point: Point) -> tuple[str, tuple[str, ...]]:
        """Import the module of a plugin, unless that was done; returns its `ZOO_API` and the names of its hooks.

        Raises `Refused`, or whatever the module raises.
        """
        module = self._manager.get_plugin(point.name)
        if module is None:
            module = metadata.EntryPoint(point.name, point.module, hookspecs.GROUP).load()
            _check_api(getattr(module, "ZOO_API", None))
            self._manager.register(module, name=point.name)
            try:
                self._manager.check_pending()
            except BaseException:
                self.forget(point.name)
                raise
        hooks = tuple(sorted(caller.name for caller in self._manager.get_hookcallers(module) or ()))
        return str(module.ZOO_API), hooks

    def call(self, name: str, hook: str, **arguments: Any) -> list[Any]:
        """Call one hook of a plugin that was loaded; the result, or nothing if it does not have this hook."""
        others = [plugin for plugin_name, plugin in self._manager.list_name_plugin() if plugin_name != name]
        caller: Callable[..., list[Any]] = self._manager.subset_hook_caller(hook, others)
        return caller(**arguments)

    def forget(self, name: str) -> None:
        """Call no hook of this plugin any more."""
        if self._manager.has_plugin(name):
            self._manager.unregister(name=name)

    def offers(self, name: str) -> dict[str, list[Facts]]:
        """What a loaded plugin offers of each kind, as plain data."""
        return {kind: _facts(spec, self.call(name, f"zoo_{kind}")) for kind, spec in KINDS.items()}


def sentence(error: BaseException) -> str:
    """Why a plugin cannot be loaded."""
    if isinstance(error, Refused):
        return str(error)
    if isinstance(error, ModuleNotFoundError) and isinstance(error.name, str) and error.name:
        package = error.name.partition(".")[0]
        return f"it needs the module {package!r}, which is not installed; install the package that provides it"
    try:
        text = re.sub(r"\s+", " ", str(error)).strip()
    except Exception:  # of an error that cannot be shown
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _facts(kind: type[Backbone | Head | Modality], results: list[Iterable[Any]]) -> list[Facts]:
    facts: list[Facts] = []
    for spec in (spec for result in results for spec in result):
        if not isinstance(spec, kind):
            raise Refused(f"it offers {spec!r} where a zoo.{kind.__name__} was expected")
        facts.append(msgspec.to_builtins(spec))
    return facts


def _check_api(stated: object) -> None:
    if stated is None:
        raise Refused(
            "it does not state the plugin API it was written for; "
            f"its module needs a line such as ZOO_API = '>={hookspecs.API_VERSION},<2'"
        )
    try:
        wanted = SpecifierSet(str(stated))
    except InvalidSpecifier:
        raise Refused(f"its ZOO_API is {stated!r}, which is not a version range such as '>=1.0,<2'") from None
    if hookspecs.API_VERSION not in wanted:
        raise Refused(
            f"it was written for plugin API {stated}, and this zoo has {hookspecs.API_VERSION}; "
            "install a version of the plugin for this zoo"
        )
