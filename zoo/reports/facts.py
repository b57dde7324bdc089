"""What a report says of a run from its record alone: how good it is, how it learnt, and what it was made with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from zoo.reports.blocks import number, rounded, text
from zoo.reports.page import Part
from zoo.reports.section import Section
from zoo.runs.provenance import read_provenance

if TYPE_CHECKING:
    from zoo.runs.intervals import Interval
    from zoo.runs.judging import Evaluation
    from zoo.runs.run import Run


def headline(run: Run, judged: Evaluation | None, data: str) -> Markup:
    """What was trained on what, and how good it is beside what it has to beat."""
    summary, plan = run.summary, run.plan
    counts = summary["examples"]
    metrics: Mapping[str, float] = judged.metrics if judged is not None else run.metrics
    intervals = judged.intervals if judged is not None else summary.get("intervals", {})
    on = (
        f"{judged.examples} examples of {data}" if judged is not None else f"{counts['validation']} validation examples"
    )
    trained = Markup("<p><b>{}</b> with the head <b>{}</b>, fine-tuned on {} examples of <bdi>{}</bdi>.{}</p>").format(
        text(summary["backbone"]), text(summary["head"]), f"{counts['train']:,}", text(plan.data), _kept(summary)
    )
    name, value = next(iter(metrics.items()))
    big = Markup(
        "<div class=headline><div class=big><small>{} on {}</small>{}</div><div class=range>{}</div></div>"
    ).format(text(name), text(on), number(value), _range(intervals.get(name)))
    return trained + big + _beside(summary, metrics, intervals, judged is not None)


def _kept(summary: Mapping[str, Any]) -> str:
    baseline = summary.get("baseline") or {}
    return f" The result is {baseline['name']}, because no epoch was better." if baseline.get("kept") else ""


def _range(interval: Interval | None) -> Markup:
    if interval is None:
        return Markup("")
    return Markup("95 % interval<br>{} to {}").format(number(interval[0]), number(interval[1]))


def _beside(
    summary: Mapping[str, Any], metrics: Mapping[str, float], intervals: Mapping[str, Interval], elsewhere: bool
) -> Markup:
    """A table of all metrics: of this model, of the linear one, and of a constant answer."""
    rivals = {} if elsewhere else {kind: summary[kind] for kind in ("baseline", "constant") if summary.get(kind)}
    test = {} if elsewhere else summary.get("test_metrics") or {}
    columns = ["metric", "this model", "95 % interval"]
    columns += [f"on {summary['examples']['test']} test examples", "95 % interval "] if test else []
    columns += [rival["name"] for rival in rivals.values()]
    rows = []
    for name, value in metrics.items():
        row = [name, value, _written(intervals.get(name))]
        row += [test.get(name), _written(summary.get("test_intervals", {}).get(name))] if test else []
        rows.append([*row, *(rival["metrics"].get(name) for rival in rivals.values())])
    return Part.of(Section("", [{"kind": "table", "title": "All metrics", "columns": columns, "rows": rows}])).content


def _written(interval: Interval | None) -> str:
    return "" if interval is None else f"{rounded(interval[0])} to {rounded(interval[1])}"


def learning(run: Run) -> Section:
    """Curves of all that was measured in each epoch, phases after one another."""
    rows = run.history
    names = [name for name in (rows[0] if rows else {}) if f"val_{name}" in rows[0]]
    marks = [place + 0.5 for place in range(1, len(rows)) if rows[place]["phase"] != rows[place - 1]["phase"]]
    figures = []
    for name in sorted(names, key="loss".__ne__):
        lines = {
            said: {"x": list(range(1, len(rows) + 1)), "y": [row.get(column) for row in rows]}
            for said, column in (("training", name), ("validation", f"val_{name}"))
        }
        phases = list(dict.fromkeys(str(row["phase"]) for row in rows))
        note = f"{', then '.join(phases)}, from the dotted line on." if len(phases) > 1 else ""
        figures.append(
            {
                "kind": "curve",
                "title": name,
                "lines": lines,
                "marks": marks,
                "names": ["epoch", name],
                "note": note,
            }
        )
    return Section("How it learnt", figures)


def made_with(run: Run) -> Part:
    """The plan, versions and seconds, and the line that repeats the run."""
    import msgspec

    about = read_provenance(run.folder) if run.folder.exists("provenance.json") else {}
    plan = {name: _short(value) for name, value in msgspec.to_builtins(run.plan).items() if name != "phases"}
    phases = [msgspec.to_builtins(phase) | {"name": phase.name} for phase in run.plan.phases]
    columns = ["name", *(name for name in phases[0] if name != "name")]
    figures: list[Mapping[str, Any]] = [
        {
            "kind": "table",
            "title": "Phases",
            "columns": columns,
            "rows": [[_short(p[c]) for c in columns] for p in phases],
        },
        {
            "kind": "facts",
            "facts": {name: value for name, value in plan.items() if value not in ("", "none", "auto", "{}")},
        },
    ]
    if seconds := about.get("seconds"):
        bars = {"labels": list(seconds), "values": {"seconds": list(seconds.values())}}
        figures.append({"kind": "bars", "title": f"Seconds by step, {run.summary['seconds']:.0f} in all", **bars})
    for part in ("versions", "plugins", "weights", "computing", "machine"):
        if about.get(part):
            facts = {name: _short(value) for name, value in about[part].items()}
            figures.append({"kind": "facts", "title": part.capitalize(), "facts": facts})
    again = Markup("<p>To repeat this training:</p><pre>{}</pre>").format(
        text(run.folder.command("train --plan", "plan.toml"))
    )
    return Part("How it was made", again + Part.of(Section("", figures)).content)


def _short(value: Any) -> Any:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)
