"""`zoo runs`, `zoo diff` and `zoo report`, which only read the files of runs; none starts TensorFlow for that."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoo import api
from zoo.cli.catalog import Json
from zoo.cli.complete import runs as complete_runs
from zoo.cli.output import print_json, print_line, print_table, size
from zoo.cli.train import print_run

if TYPE_CHECKING:
    from zoo.reports.compare import Compared
    from zoo.reports.paired import Difference

_SHOWN = 20  # of each kind


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(runs)
    app.command()(report)
    app.command()(errors)
    app.command()(compare)
    app.command()(diff)


def runs(
    folder: Annotated[Path, typer.Argument(help="The folder to search, with all folders below it.")] = Path("runs"),
    json: Json = False,
) -> None:
    """List the runs in a folder: what was trained on what, how good it is, and whether it is finished.

    Examples:

        zoo runs

        zoo runs /data/experiments --json
    """
    found = api.list_runs(folder)
    if json:
        return print_json([asdict(run) | {"path": str(run.path)} for run in found])
    if not found:
        print_line(f"There are no runs in {folder}. To make one: zoo train")
        return
    rows = [
        [
            str(run.path),
            run.state,
            run.backbone,
            run.head,
            run.data,
            "  ".join(f"{name} {value:.3f}" for name, value in list((run.metrics or {}).items())[:2]) or "-",
            str(run.epochs),
            f"{run.seconds:.0f} s" if run.seconds is not None else "-",
            size(run.bytes),
        ]
        for run in found
    ]
    header = ["run", "state", "backbone", "head", "data", "metrics", "epochs", "time", "size"]
    print_table(header, rows, right=["epochs", "time", "size"])


def report(
    run: Annotated[Path, typer.Argument(help="A run folder.", autocompletion=complete_runs)],
    data: Annotated[str, typer.Argument(help="Other data with targets; without it: the validation examples.")] = "",
    out: Annotated[
        Path | None, typer.Option(help="The file to write (default: report.html in the run folder).")
    ] = None,
    json: Json = False,
) -> None:
    """Write the report of a run: one page with its mistakes, figures, data and plan, to look at and to share.

    Examples:

        zoo report runs/photos

        zoo report runs/photos more-photos/ --out more.html
    """
    file = api.report(run, data, out=out)
    if json:
        return print_json({"run": str(run), "report": str(file), "bytes": file.stat().st_size})
    print_line(f"{file}  ({size(file.stat().st_size)})")


def errors(
    run: Annotated[Path, typer.Argument(help="A run folder.", autocompletion=complete_runs)],
    csv: Annotated[Path | None, typer.Option(help="Write all of them to a table, for a spreadsheet.")] = None,
    apply: Annotated[
        Path | None, typer.Option(help="Train again with the targets that are filled in in such a table.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="With --apply: the run folder to create.")] = None,
    json: Json = False,
) -> None:
    """List what may be wrong with the data of a run: labels, copies on both sides of the split, outliers.

    Go through the table, write the right target (or: remove) into the column new_target, and train again with --apply.

    Examples:

        zoo errors runs/photos

        zoo errors runs/photos --csv look.csv

        zoo errors runs/photos --apply look.csv --out runs/photos-corrected
    """
    if apply is not None:
        if csv is not None:
            raise typer.BadParameter("give either --csv or --apply, not both.", param_hint="--csv")
        return print_run(api.train_corrected(run, apply, out=out), json)
    if out is not None:
        raise typer.BadParameter("it is for --apply. To write a table: --csv FILE", param_hint="--out")
    found = api.find_errors(run, csv=csv)
    if json:
        return print_json([asdict(one) for one in found])
    rows = [
        [one.problem, f"{one.score:.3f}", one.input, one.split, one.target, one.suggested or one.other]
        for kind in dict.fromkeys(one.problem for one in found)
        for one in [one for one in found if one.problem == kind][:_SHOWN]
    ]
    if not rows:
        print_line("Nothing looks wrong.")
        return
    print_table(["problem", "score", "input", "split", "target", "rather, or like"], rows, right=["score"])
    counts = Counter(one.problem for one in found)
    print_line(", ".join(f"{kind}: {count}" for kind, count in counts.items()))
    if csv is not None:
        print_line(str(csv))


def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders.", autocompletion=complete_runs)],
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("compare.html"),
    timed: Annotated[bool, typer.Option("--time/--no-time", help="Measure how long each takes for an example.")] = True,
    json: Json = False,
) -> None:
    """Compare runs: how good, how large and how fast each is, and whether the differences are more than chance.

    Writes a page, too, with the examples that only one of two gets right.

    Examples:

        zoo compare runs/photos runs/photos-2

        zoo compare runs/* --no-time --out runs.html
    """
    found = api.compare(*runs, out=out, timed=timed)
    if json:
        pairs = [
            {"runs": [str(found.runs[i].path), str(found.runs[j].path)]} | (asdict(pair) if pair else {"examples": 0})
            for (i, j), pair in found.pairs.items()
        ]
        listed = [asdict(run) | {"path": str(run.path)} for run in found.runs]
        return print_json({"page": str(out), "runs": listed, "pairs": pairs})
    metrics = [name for name in found.runs[0].metrics if all(name in run.metrics for run in found.runs)]
    rows = [
        [
            str(run.path),
            run.backbone,
            *(_interval(run, metric) for metric in metrics),
            f"{run.seconds:.0f} s",
            size(run.bytes),
            "-" if run.milliseconds is None else f"{run.milliseconds:.1f}",
        ]
        for run in found.runs
    ]
    header = ["run", "backbone", *metrics, "trained", "model", "ms"]
    print_table(header, rows, right=["trained", "model", "ms"])
    for (i, j), pair in found.pairs.items():
        print_line(f"{found.runs[i].path} and {found.runs[j].path}: {_verdict(pair)}")
    print_line(str(out))


def _interval(run: Compared, metric: str) -> str:
    ends = run.intervals.get(metric)
    return f"{run.metrics[metric]:.3f}" + (f" ({ends[0]:.3f} to {ends[1]:.3f})" if ends else "")


def _verdict(pair: Difference | None) -> str:
    if pair is None:
        return "not ten validation examples with the same targets in both, or heads that cannot be compared."
    unlike = [
        f"{name} {value:+.3f} ({ends[0]:+.3f} to {ends[1]:+.3f})"
        for name, (value, ends) in pair.differences.items()
        if ends is not None and (ends[0] > 0 or ends[1] < 0)
    ]
    more = ", ".join(unlike) if unlike else "no difference that is more than chance"
    known = f"; McNemar p = {pair.p:.3f}" if pair.p is not None else ""
    return f"on {pair.examples} shared examples: {more}{known}."


def diff(
    first: Annotated[Path, typer.Argument(help="A run folder.", autocompletion=complete_runs)],
    second: Annotated[Path, typer.Argument(help="Another run folder.", autocompletion=complete_runs)],
    json: Json = False,
) -> None:
    """Show what differs between two runs: plan, data, versions and figures.

    Example:

        zoo diff runs/photos runs/photos-2
    """
    found = api.diff(first, second)
    if json:
        return print_json([asdict(one) for one in found])
    if not found:
        print_line("The two runs are the same in plan, data, versions and figures.")
        return
    rows = [[one.section, one.name, _written(one.first), _written(one.second)] for one in found]
    print_table(["section", "name", str(first), str(second)], rows)


def _written(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) and not value.is_integer() and abs(value) >= 0.001 else str(value)
