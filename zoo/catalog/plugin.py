"""A plugin as data: where it comes from, what became of it, and the facts of everything that it offers."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal

import msgspec

from zoo.catalog.specs import Backbone, Head, Modality

Facts = dict[str, Any]
Status = Literal["loaded", "disabled", "failed"]
KINDS: dict[str, type[Backbone | Head | Modality]] = {"backbones": Backbone, "heads": Head, "modalities": Modality}


class Refused(Exception):
    """A plugin cannot be used; the message is a sentence without its subject: "it offers ..."."""


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


NOTHING = Offered((), msgspec.Raw(b"[]"))


@dataclass(frozen=True)
class Plugin:
    """One entry point of the group `zoo.plugins`, and what became of it; `reason` is blank when it is loaded.

    api    the range of plugin API versions it was written for
    hooks  the names of the hooks that it implements
    notes  what it does when it is loaded that it should not, such as printing: "it prints ..."
    heavy  the slow packages that loading it imports
    """

    name: str
    distribution: str
    version: str
    module: str
    status: Status
    reason: str = ""
    api: str = ""
    hooks: tuple[str, ...] = ()
    backbones: Offered = NOTHING
    heads: Offered = NOTHING
    modalities: Offered = NOTHING
    notes: tuple[str, ...] = ()
    heavy: tuple[str, ...] = ()


def offered(kind: type[Backbone | Head | Modality], facts: Iterable[Facts], packages: Iterable[str]) -> Offered:
    """Specs of one kind from their facts. Raises `Refused` if one is not what its class says.

    packages  the plugin's own top-level packages, from which alone a spec may name a function or a class
    """
    known: dict[str, Facts] = {}
    own = set(packages)
    for one in facts:
        name = one.get("name") if isinstance(one, dict) else None
        try:
            one = _plain(msgspec.convert(one, kind))  # with every fact, whatever the plugin left out
        except (msgspec.ValidationError, ValueError) as error:
            raise Refused(f"its {kind.__name__.lower()} {name!r} is wrong: {error}") from None
        assert isinstance(name, str)
        if name in known:
            raise Refused(f"it offers {name!r} twice as a zoo.{kind.__name__}")
        for named in [one["build"], *(weights["fetch"] for weights in one.get("weights", ()) if weights["fetch"])]:
            if named.partition(":")[0].partition(".")[0] not in own:
                raise Refused(f"its {kind.__name__.lower()} {name!r} names {named}, which is not in {_either(own)}")
        known[name] = one
    return Offered(tuple(known), msgspec.Raw(msgspec.json.encode(list(known.values()))))


def _plain(value: Any) -> Any:
    """A spec as plain data, as JSON has it, and with the fields that have their defaults."""
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return [_plain(one) for one in value] if isinstance(value, (tuple, list)) else value


def _either(names: Iterable[str]) -> str:
    return " or ".join(sorted(names)) or "a package of its own"
