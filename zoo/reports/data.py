"""What a report says of the data: how many of what, what was left out, and how large it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from statistics import median
from typing import TYPE_CHECKING, Any

from zoo.errors import ZooError
from zoo.reports.section import Section

if TYPE_CHECKING:
    from zoo.reports.shown import Shelf
    from zoo.runs.run import Run

SPLITS = ("train", "validation", "test")
_MOST_TARGETS = 200  # different ones that are counted
_DRAWN = 10_000  # targets that are drawn, if they are numbers
_MEASURED = 1_000  # examples
_SKIPPED = 200


@dataclass
class Census:
    """What one pass over split.csv gives, whatever its length.

    totals   the number of examples in each split
    counts   how often each target is in each split; empty if there are too many different ones
    targets  some targets of each split, evenly chosen
    sampled  the names of some examples, evenly chosen
    """

    totals: Counter[str] = field(default_factory=Counter)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    targets: dict[str, list[str]] = field(default_factory=dict)
    sampled: list[str] = field(default_factory=list)

    @property
    def splits(self) -> list[str]:
        return [split for split in SPLITS if self.totals[split]]


def census(run: Run) -> Census:
    """Count the examples of a run."""
    found, kept = Census(), set[str]()
    if not run.folder.exists("split.csv"):
        return found
    examples = sum(run.summary["examples"].get(split, 0) for split in SPLITS)
    each, few = (max(1, examples // most) for most in (_MEASURED, _DRAWN))
    for number, row in enumerate(run.folder.rows("split.csv")):
        split = row["split"]
        found.totals[split] += 1
        if number % each == 0:
            found.sampled.append(row["input"])
        parts = _parts(run, row["target"])
        if number % few == 0:
            found.targets.setdefault(split, []).extend(parts)
        if len(kept) <= _MOST_TARGETS:
            kept.update(parts)
            found.counts.update((part, split) for part in parts)
    if len(kept) > min(_MOST_TARGETS, sum(found.counts.values()) / 2):
        found.counts.clear()
    return found


def about_data(run: Run, found: Census, shelf: Shelf) -> Section:
    """Examples of each target and split, what was left out and why, and sizes."""
    figures: list[Mapping[str, Any]] = [*_counts(found), *_sizes(found.sampled, shelf)]
    skipped = run.folder.rows("skipped.csv") if run.folder.exists("skipped.csv") else iter(())
    shown = [[row["input"], row["reason"]] for row in islice(skipped, _SKIPPED)]
    if shown:
        more = sum(1 for _ in skipped)
        note = f"{len(shown) + more} in all, see skipped.csv." if more else ""
        figures.append(
            {"kind": "table", "title": "Left out", "columns": ["input", "reason"], "rows": shown, "note": note}
        )
    return Section("The data", figures)


def _counts(found: Census) -> list[Mapping[str, Any]]:
    """How often each target is in each split; of numbers, how they are spread."""
    splits, totals = found.splits, found.totals
    if not found.counts:
        facts = {"kind": "facts", "facts": {f"{split} examples": totals[split] for split in splits}}
        numbers = {split: _numbers(some) for split, some in found.targets.items()}
        spread = {"kind": "histogram", "title": "Targets", "values": numbers, "names": ["target", "examples"]}
        return [facts, spread] if numbers and all(numbers.values()) else [facts]
    every = Counter[str]()
    for (part, _), count in found.counts.items():
        every[part] += count
    table = [[part, *(found.counts[part, split] for split in splits), total] for part, total in every.most_common()]
    table.append(["examples", *(totals[split] for split in splits), totals.total()])
    columns = ["target", *splits, "all"]
    return [{"kind": "table", "title": "How often each target occurs", "columns": columns, "rows": table}]


def _parts(run: Run, written: str) -> list[str]:
    """The labels of a target that has several, such as the tags of words; of several columns, with their names."""
    try:
        target = run.task.parse_target(written)
    except ZooError:
        return [written]
    if not isinstance(target, (list, tuple)):
        return [str(target)]
    columns = run.layout.targets
    if len(columns) == len(target) > 1:
        return [f"{column}: {part}" for column, part in zip(columns, target, strict=True)]
    return [str(part) for part in target]


def _numbers(parts: list[str]) -> list[float]:
    """The parts as numbers; [] if one is none."""
    try:
        return [float(part) for part in parts]
    except ValueError:
        return []


def _sizes(names: list[str], shelf: Shelf) -> list[Mapping[str, Any]]:
    """Sizes of some examples, evenly chosen, as the reader measures them."""
    if shelf.problem:
        return [{"kind": "text", "text": f"The data cannot be read any more, so no example is shown: {shelf.problem}"}]
    values: dict[str, list[float]] = {}
    for name in names:
        for raw in shelf.named(name)[:1]:
            try:
                for what, value in shelf.reader.sizes(raw).items():
                    values.setdefault(what, []).append(value)
            except ZooError:  # it has changed since
                continue
    return [
        {
            "kind": "histogram",
            "title": f"{name.capitalize()} of {len(some)} {shelf.reader.unit}",
            "values": {name: some},
            "names": [name, shelf.reader.unit],
            "note": f"From {min(some):,.0f} to {max(some):,.0f}; the median is {median(some):,.0f}.",
        }
        for name, some in values.items()
    ]
