"""Choosing from a list of facts: wildcard patterns, exclusions, and conditions such as `params<10M`.

A row has the facts of one backbone: under each name a text, a number, yes or no, or None if it is not known.
"""

from __future__ import annotations

import fnmatch
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from zoo.catalog.catalog import nearest
from zoo.errors import UnknownName, ZooError

Row = dict[str, Any]

_CONDITION = re.compile(r"\s*([a-z_][a-z0-9_]*)\s*(<=|>=|!=|==|=|<|>)\s*(.+?)\s*")
_NUMBER = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*(k|m|g|b|t)?b?", re.IGNORECASE)
_FACTOR = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "b": 1e9, "t": 1e12}
_YES_OR_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_ORDER: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Condition:
    """One `--where`: a fact, a comparison, a value. An unknown fact meets no condition except `!=`."""

    text: str
    fact: str
    comparison: str
    value: str

    def holds(self, row: Row) -> bool:
        known = row[self.fact]
        if self.comparison in ("=", "==", "!="):
            return self._equals(known) == (self.comparison != "!=")
        return known is not None and _ORDER[self.comparison](known, _number(self.value, self.text))

    def _equals(self, known: Any) -> bool:
        if isinstance(known, bool):
            return known == _YES_OR_NO[self.value.lower()]
        if isinstance(known, (int, float)) and _NUMBER.fullmatch(self.value):
            return float(known) == _number(self.value, self.text)
        if isinstance(known, (list, tuple)):
            return self.value in known
        return known is not None and fnmatch.fnmatchcase(str(known).lower(), self.value.lower())


def parse_condition(text: str, known: Row) -> Condition:
    """Read `params<10M`, `top1>75`, `licence=Apache-2.0`, `family=resnet*`, and `offline`, short for `offline=yes`.

    Raises `ZooError` for a text that is not a condition, and `UnknownName` for a fact that is not in `known`.
    """
    alone = known.get(text.strip()) if isinstance(known.get(text.strip()), bool) else None
    match = _CONDITION.fullmatch(text if alone is None else f"{text}=yes")
    if not match:
        plain = re.sub(r"^(not\b|!)", "", text.strip(), flags=re.IGNORECASE).strip()
        similar = nearest(plain, [fact for fact, value in known.items() if isinstance(value, bool)]) if plain else []
        hint = " Write for example --where 'params<10M', with the quotes, and --where again for another condition."
        if similar and "," not in plain:
            hint = f" Did you mean {similar[0]}{'=no' if plain != text.strip() else ''}?"
        raise ZooError(f"--where {text!r} is not a condition.{hint}")
    condition = Condition(text, *match.groups())
    if condition.fact not in known:
        similar = nearest(condition.fact, known)
        hint = f" Did you mean {similar[0]}?" if similar else ""
        raise UnknownName(f"--where {text!r}: there is no fact {condition.fact!r}.{hint} Facts: {', '.join(known)}.")
    if isinstance(known[condition.fact], bool):
        if condition.comparison in _ORDER or condition.value.lower() not in _YES_OR_NO:
            raise ZooError(f"--where {text!r}: {condition.fact} is yes or no. Write {condition.fact}=no, for example.")
    elif condition.comparison in _ORDER:
        _number(condition.value, text)
        if isinstance(known[condition.fact], (str, list, tuple)):
            raise ZooError(f"--where {text!r}: {condition.fact} is not a number. Use = or !=.")
    return condition


def matches(name: str, pattern: str) -> bool:
    """Whether a name matches a pattern: a wildcard (`*`, `?`, `[`) for the whole name, or a part of it.

    Upper and lower case are the same, and so are "-" and "_".
    """
    name, pattern = name.lower().replace("-", "_"), pattern.lower()
    if any(sign in pattern for sign in "*?["):
        return fnmatch.fnmatchcase(name, re.sub(r"\[[^]]*]|-", _underscored, pattern))
    return pattern.replace("-", "_") in name


def _underscored(part: re.Match[str]) -> str:
    """A hyphen as an underscore; in brackets, only a hyphen that stands for itself: [-_], but not [a-c]."""
    return re.sub(r"(?<=[\[!])-|-(?=])|^-$", "_", part[0])


def select(
    rows: Sequence[Row], patterns: Sequence[str], exclude: Sequence[str], where: Sequence[str]
) -> tuple[list[Row], list[str]]:
    """The rows that match one of `patterns`, none of `exclude`, and every condition; and a note on each idle pattern.

    Raises `UnknownName` if nothing is left, and says why, so that no list is empty without a reason.
    """
    if not rows:
        raise UnknownName("No backbone is installed. `zoo plugins` shows the plugins and what is wrong with them.")
    names = [row["name"] for row in rows]
    idle = [p for p in patterns if not any(matches(name, p) for name in names)]
    notes = [_idle(pattern, names) for pattern in idle]
    if patterns and len(idle) == len(patterns):
        raise UnknownName(" ".join(notes) + " `zoo list` lists all backbones.")
    left = [row for row in rows if not patterns or any(matches(row["name"], p) for p in patterns)]
    filters: list[tuple[str, Callable[[Row], bool]]] = [(f"--exclude {p!r}", _does_not_match(p)) for p in exclude]
    conditions = [parse_condition(text, _kinds(rows)) for text in where]
    filters += [(f"--where {c.text!r}", c.holds) for c in conditions]
    for said, accepts in filters:
        accepted = [row for row in left if accepts(row)]
        if not accepted:
            raise UnknownName(f"{said} leaves none of the {len(left)} backbones that match otherwise.")
        left = accepted
    return left, notes


def _does_not_match(pattern: str) -> Callable[[Row], bool]:
    return lambda row: not matches(row["name"], pattern)


def _idle(pattern: str, names: list[str]) -> str:
    similar = nearest(re.sub(r"[*?\[\]]", "", pattern), names)
    return f"Nothing matches {pattern!r}." + (f" Did you mean {' or '.join(similar)}?" if similar else "")


def _kinds(rows: Sequence[Row]) -> Row:
    """For each fact a value that is known somewhere, to tell numbers from texts."""
    return {fact: next((row[fact] for row in rows if row[fact] is not None), None) for fact in rows[0]}


def _number(text: str, condition: str) -> float:
    match = _NUMBER.fullmatch(text)
    if not match:
        raise ZooError(f"--where {condition!r}: {text!r} is not a number. Write it like 75, 10M or 1.5G.")
    return float(match[1]) * _FACTOR[(match[2] or "").lower()]
