"""What a report says of the data: how many of what, what was left out, and how large it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from statistics import median
from typing import TYPE_CHECKING, Any

from zoo.errors import ZooError
from zoo.reports.section import Section

if TYPE_CHECKING:
    from zoo.reports.shown import Shelf
    from zoo.runs.run import Run

SPLITS = ("train", "validation", "test")
_MOST_TARGETS = 200
_MEASURED = 1_000
_SKIPPED = 200


def about_data(run: Run, shelf: Shelf) -> Section:
    """Examples of each target and split, what was left out and why, and sizes."""
    figures: list[Mapping[str, Any]] = []
    rows = run.folder.read_csv("split.csv") if run.folder.exists("split.csv") else []
    figures += _counts(run, rows)
    figures += _sizes(rows, shelf)
    skipped = run.folder.read_csv("skipped.csv") if run.folder.exists("skipped.csv") else []
    if skipped:
        shown = [[row["input"], row["reason"]] for row in skipped[:_SKIPPED]]
        note = f"{len(skipped)} in all, see skipped.csv." if len(skipped) > _SKIPPED else ""
        figures.append(
            {"kind": "table", "title": "Left out", "columns": ["input", "reason"], "rows": shown, "note": note}
        )
    return Section("The data", figures)


def _counts(run: Run, rows: list[dict[str, str]]) -> list[Mapping[str, Any]]:
    """How many examples of each target are in each split; of numbers, how they are spread."""
    splits = [split for split in SPLITS if any(row["split"] == split for row in rows)]
    totals = Counter(row["split"] for row in rows)
    parts = [(part, row["split"]) for row in rows for part in _parts(run.task.parse_target(row["target"]))]
    every = Counter(part for part, _ in parts)
    if len(every) > min(_MOST_TARGETS, len(parts) / 2):
        facts = {"kind": "facts", "facts": {f"{split} examples": totals[split] for split in splits}}
        numbers = {split: _numbers([part for part, its in parts if its == split]) for split in splits}
        spread = {"kind": "histogram", "title": "Targets", "values": numbers, "names": ["target", "examples"]}
        return [facts, spread] if all(numbers.values()) else [facts]
    counts = Counter(parts)
    table = [[part, *(counts[part, split] for split in splits), total] for part, total in every.most_common()]
    table.append(["examples", *(totals[split] for split in splits), len(rows)])
    return [
        {"kind": "table", "title": "How often each target occurs", "columns": ["target", *splits, "all"], "rows": table}
    ]


def _parts(target: Any) -> list[str]:
    """The labels of a target that has several, such as the tags of words."""
    return [str(part) for part in target] if isinstance(target, (list, tuple)) else [str(target)]


def _numbers(parts: list[str]) -> list[float]:
    """The parts as numbers; [] if one is none."""
    try:
        return [float(part) for part in parts]
    except ValueError:
        return []


def _sizes(rows: list[dict[str, str]], shelf: Shelf) -> list[Mapping[str, Any]]:
    """Sizes of some examples, evenly chosen, as the reader measures them."""
    if shelf.problem:
        return [{"kind": "text", "text": f"The data cannot be read any more, so no example is shown: {shelf.problem}"}]
    values: dict[str, list[float]] = {}
    for row in rows[:: max(1, len(rows) // _MEASURED)]:
        for raw in shelf.named(row["input"])[:1]:
            try:
                for name, value in shelf.reader.sizes(raw).items():
                    values.setdefault(name, []).append(value)
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
