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
    figures += _counts(rows)
    figures += _sizes(rows, shelf)
    skipped = run.folder.read_csv("skipped.csv") if run.folder.exists("skipped.csv") else []
    if skipped:
        shown = [[row["input"], row["reason"]] for row in skipped[:_SKIPPED]]
        note = f"{len(skipped)} in all, see skipped.csv." if len(skipped) > _SKIPPED else ""
        figures.append(
            {"kind": "table", "title": "Left out", "columns": ["input", "reason"], "rows": shown, "note": note}
        )
    return Section("The data", figures)


def _counts(rows: list[dict[str, str]]) -> list[Mapping[str, Any]]:
    """How many examples of each target are in each split, if targets repeat; else only how many are in each split."""
    splits = [split for split in SPLITS if any(row["split"] == split for row in rows)]
    every = Counter(row["target"] for row in rows)
    totals = Counter(row["split"] for row in rows)
    if len(every) > min(_MOST_TARGETS, len(rows) / 2):
        return [{"kind": "facts", "facts": {f"{split} examples": totals[split] for split in splits}}]
    counts = Counter((row["target"], row["split"]) for row in rows)
    table = [[target, *(counts[target, split] for split in splits), total] for target, total in every.most_common()]
    table.append(["all", *(totals[split] for split in splits), len(rows)])
    title = "Examples of each target"
    return [{"kind": "table", "title": title, "columns": ["target", *splits, "all"], "rows": table}]


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
