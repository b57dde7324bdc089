"""`zoo runs` and `zoo diff`, which only read the files of runs. Neither starts TensorFlow."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from zoo import api
from zoo.cli.catalog import Json
from zoo.cli.complete import runs as complete_runs
from zoo.cli.output import print_json, print_line, print_table, size


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(runs)
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
