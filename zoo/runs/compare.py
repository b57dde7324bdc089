"""Compares two runs, or a run with the machine on which it is repeated. Light to import."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from zoo.errors import BadRun
from zoo.plan import Plan
from zoo.runs.folder import RunFolder
from zoo.runs.provenance import read_provenance
from zoo.runs.summary import read_summary

Key = tuple[str, str]  # input, and the fingerprint of its content, as --val may have inputs of the same names
Row = tuple[str, str]  # target, split
_SHOWN = 3
_OF_PROVENANCE = ("data", "versions", "plugins", "weights", "machine", "computing")


@dataclass(frozen=True)
class Difference:
    """One difference: its `section` (plan, data, versions, figures, ...), its name, and both values.

    A value that one run does not have is None.
    """

    section: str
    name: str
    first: Any
    second: Any


def diff(first: Path, second: Path) -> list[Difference]:
    """The differences between two runs, finished or not, in plan, data, versions and figures.

    Raises `BadRun` if one of them is not a run folder, or one of its files is damaged.
    """
    sides = [_sections(RunFolder(path)) for path in (first, second)]
    found = [
        Difference(section, name, a, b)
        for section in dict.fromkeys([*sides[0], *sides[1]])
        for name, a, b in _unlike(*(side.get(section, {}) for side in sides))
    ]
    rows = [read_split(RunFolder(path)) for path in (first, second)]
    if not all(content for some in rows for _, content in some):  # version 0.1 kept no contents
        rows = [{(name, ""): row for (name, _), row in some.items()} for some in rows]
    for name, number in _counted(*rows).items():
        found.append(Difference("examples", name, *number))
    return found


def changes_since(
    then: Mapping[str, Any], now: Mapping[str, Any], rows: Mapping[Key, Row], inputs: set[str], only_split: bool = False
) -> list[str]:
    """The differences between a run's provenance and `now`, in words; the data first.

    rows    the content of the run's split.csv
    inputs  the names of the current examples
    only_split  whether contents and targets are as they were
    """
    said = []
    if then.get("data") != now["data"]:
        names = {name for name, _ in rows}
        gone, new = sorted(names - inputs), sorted(inputs - names)
        parts = [
            f"{len(some)} {what} ({', '.join(some[:_SHOWN])}{', ...' if len(some) > _SHOWN else ''})"
            for what, some in (("missing", gone), ("new", new))
            if some
        ]
        if parts or not only_split:
            what = " and ".join(parts) or "the content or the target of some inputs is different"
            said.append(f"the data has changed: {what}")
        else:
            said.append("the data is the same, but its split is another one")
    for section in ("versions", "plugins", "weights"):
        for name, before, after in _unlike(then.get(section, {}), now[section]):
            said.append(f"{section}: {name} was {before} and is now {after}")
    return said


def read_split(folder: RunFolder) -> dict[Key, Row]:
    """The run's split.csv. Raises `BadRun` if it cannot be read."""
    try:
        return {
            (row["input"], row.get("content", "")): (row["target"], row["split"])
            for row in folder.read_csv("split.csv")
        }
    except KeyError as error:
        raise BadRun(f"{folder.path / 'split.csv'} has no column {error}.") from None


def _sections(folder: RunFolder) -> dict[str, dict[str, Any]]:
    if not folder.exists("plan.toml"):
        raise BadRun(f"{folder.path} is not a run: it has no plan.toml. To start a run: zoo train")
    plan = msgspec.to_builtins(Plan.from_toml(folder.path / "plan.toml"))
    provenance = read_provenance(folder)
    summary = msgspec.to_builtins(read_summary(folder)) if folder.finished else {}
    sections = {"plan": dict(_flat(plan))}
    sections |= {name: dict(_flat(provenance.get(name, {}))) for name in _OF_PROVENANCE}
    figures = {"validation": summary.get("metrics", {}), "test": summary.get("test_metrics", {})}
    return sections | {"figures": dict(_flat(figures))}


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted name, plain value) for everything in nested objects and lists."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, (list, tuple)):
        for number, inner in enumerate(value, start=1):
            yield from _flat(inner, f"{name}.{number}")
    else:
        yield name, value


def _unlike(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for name in dict.fromkeys([*first, *second]):
        a, b = first.get(name), second.get(name)
        if a != b and not (a != a and b != b):  # NaN is what it was
            yield name, a, b


def _counted(first: Mapping[Key, Row], second: Mapping[Key, Row]) -> dict[str, tuple[int, int]]:
    """The numbers of inputs that only one run has, or that have another target or split in the other."""
    both = set(first) & set(second)
    other = [sum(first[name][part] != second[name][part] for name in both) for part in (0, 1)]
    counts = {
        "only in one": (len(set(first) - both), len(set(second) - both)),
        "with another target": (other[0], other[0]),
        "in another split": (other[1], other[1]),
    }
    return {name: numbers for name, numbers in counts.items() if any(numbers)}
