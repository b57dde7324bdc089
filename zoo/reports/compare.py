"""Compares several runs on one page: how good, how large and how fast each is, and where they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from zoo.errors import BadRun
from zoo.progress import progress
from zoo.reports.blocks import rounded
from zoo.reports.page import Part, page, write_page
from zoo.reports.paired import Answered, Difference, difference, milliseconds
from zoo.reports.section import Section
from zoo.reports.shown import Shelf, card, cards

if TYPE_CHECKING:
    from zoo.runs.intervals import Interval
    from zoo.runs.run import Run

_ONLY = 12  # examples that are shown of each run
_PAIRS = 10  # of runs whose examples are shown
_UNLIKE = "not ten validation examples with the same targets in both, or heads that cannot be compared"


@dataclass(frozen=True)
class Compared:
    """A run beside others.

    bytes         the size of its model file
    milliseconds  for one example on this machine; None: not measured
    """

    path: Path
    backbone: str
    head: str
    metrics: dict[str, float]
    intervals: dict[str, Interval]
    examples: int
    seconds: float
    bytes: int
    milliseconds: float | None


@dataclass(frozen=True)
class Comparison:
    """The runs in the order in which they were given, and what is known of each two of them.

    pairs  by their positions; None: they were not judged on the same examples, or their head does not say enough
    """

    runs: list[Compared]
    pairs: dict[tuple[int, int], Difference | None]


def compare(runs: Sequence[Run], timed: bool = True) -> Comparison:
    """Compare finished runs. Raises `BadRun` for fewer than two."""
    if len(runs) < 2:
        raise BadRun("Give at least two runs to compare: zoo compare RUN RUN")
    compared, answered = [], []
    with progress("Comparing", len(runs), "runs") as advance:
        for run in runs:
            own = type(run)(run.path)  # its model is let go of
            compared.append(_compared(run, milliseconds(own) if timed else None))
            answered.append(Answered.of(run))
            advance()
    pairs = {}
    for i, j in combinations(range(len(runs)), 2):
        one, two = answered[i], answered[j]
        same = one is not None and two is not None and runs[i].card.head == runs[j].card.head
        pairs[i, j] = difference(one, two) if same and one is not None and two is not None else None
    return Comparison(compared, pairs)


def _compared(run: Run, each: float | None) -> Compared:
    summary = run.summary
    intervals = {name: tuple(ends) for name, ends in summary.get("intervals", {}).items()}
    size = run.folder.model.stat().st_size
    about = summary["backbone"], summary["head"], run.metrics, intervals
    return Compared(run.path, *about, summary["examples"]["validation"], summary["seconds"], size, each)


def write_comparison(runs: Sequence[Run], compared: Comparison, path: Path) -> Path:
    """Write the page. Raises `BadRun` if the file cannot be written."""
    names = _names(compared.runs)
    lead = Part.of(Section("", [table_of(compared.runs, names)])).content
    parts = [
        Part.of(Section("Is the difference more than chance?", _differences(compared, names))),
        *_only_one(runs, compared, names),
        Part.of(Section("How they learnt", _curves(runs, names))),
    ]
    content = page(f"{len(runs)} runs compared", lead, parts)
    write_page(path, content)
    return path


def table_of(runs: Sequence[Compared], names: Sequence[str]) -> Mapping[str, Any]:
    """A table of the runs, with the metrics that all of them have."""
    shared = [name for name in runs[0].metrics if all(name in run.metrics for run in runs)]
    columns = ["run", *shared, "backbone", "head", "examples", "seconds", "model MB", "ms per example"]
    rows = [
        [
            name,
            *(_with_interval(run.metrics[metric], run.intervals.get(metric)) for metric in shared),
            run.backbone,
            run.head,
            run.examples,
            round(run.seconds, 1),
            round(run.bytes / 1e6, 1),
            None if run.milliseconds is None else round(run.milliseconds, 2),
        ]
        for name, run in zip(names, runs, strict=True)
    ]
    note = "Metrics are on each run's own validation examples, with their 95 % intervals."
    return {"kind": "table", "title": "All runs", "columns": columns, "rows": rows, "note": note}


def _with_interval(value: float, interval: Interval | None) -> str:
    ends = f" ({rounded(interval[0])} to {rounded(interval[1])})" if interval is not None else ""
    return f"{rounded(value)}{ends}"


def _names(runs: Sequence[Compared]) -> list[str]:
    """The names of the folders, or their paths if two have one name."""
    names = [run.path.name for run in runs]
    return names if len(set(names)) == len(names) else [str(run.path) for run in runs]


def _differences(compared: Comparison, names: Sequence[str]) -> list[Mapping[str, Any]]:
    rows = []
    for (i, j), found in compared.pairs.items():
        if found is None:
            rows.append([f"{names[i]} and {names[j]}", _UNLIKE, "", "", ""])
            continue
        for metric, (value, ends) in found.differences.items():
            verdict = "not known" if ends is None else "yes" if ends[0] > 0 or ends[1] < 0 else "no"
            both, written = f"{names[i]} minus {names[j]}", f"{ends[0]:+.3f} to {ends[1]:+.3f}" if ends else ""
            rows.append([both, metric, f"{value:+.3f}", written, "no" if value == 0 else verdict])
        if found.p is not None:
            verdict = "yes" if found.p < 0.05 else "no"
            rows.append([f"{names[i]} and {names[j]}", "right answers (McNemar)", f"p = {found.p:.3f}", "", verdict])
    columns = ["runs", "metric", "difference", "95 % interval", "more than chance?"]
    note = "From the validation examples that both were judged on, by resampling them together."
    return [{"kind": "table", "title": "Differences", "columns": columns, "rows": rows, "note": note}]


def _only_one(runs: Sequence[Run], compared: Comparison, names: Sequence[str]) -> list[Part]:
    """Of two runs, the examples that only one answers rightly; of many runs, those of the first pairs."""
    content = Markup("")
    for (i, j), found in list(compared.pairs.items())[:_PAIRS]:
        if found is None or found.only_first is None or found.only_second is None:
            continue
        shown = {name for name, _, _ in (*found.only_first[:_ONLY], *found.only_second[:_ONLY])}
        with closing(Shelf(runs[i], shown)) as shelf:
            for right, wrong, some in ((i, j, found.only_first), (j, i, found.only_second)):
                title = f"Only {names[right]} is right, {names[wrong]} is not: {len(some)} of {found.examples}"
                content += cards(title, [_card(shelf, *one) for one in some[:_ONLY]], wide=shelf.reader.in_memory)
    return [Part("What only one of two gets right", content)]


def _card(shelf: Shelf, name: str, content: str, target: str) -> Markup:
    return card(shelf.show((name, content if content != name else "")), {"true": target}, name)


def _curves(runs: Sequence[Run], names: Sequence[str]) -> list[Mapping[str, Any]]:
    shared = set.intersection(*({name for name in (run.history or [{}])[0] if name.startswith("val_")} for run in runs))
    return [
        {
            "kind": "curve",
            "title": column.removeprefix("val_"),
            "lines": {
                name: {"x": list(range(1, len(run.history) + 1)), "y": [row[column] for row in run.history]}
                for name, run in zip(names, runs, strict=True)
            },
            "names": ["epoch", f"{column.removeprefix('val_')} on the validation examples"],
        }
        for column in sorted(shared, key="val_loss".__ne__)
    ]
