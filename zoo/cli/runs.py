"""`zoo resume` and `zoo diff`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from zoo import api
from zoo.cli.catalog import Json
from zoo.cli.output import print_json, print_table
from zoo.cli.train import print_run


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(resume)
    app.command()(diff)


def resume(
    run: Annotated[Path, typer.Argument(help="The folder of a run whose training was broken off.")],
    finish: Annotated[
        bool, typer.Option("--finish", help="Train no more: make the run of the best weights so far.")
    ] = False,
    json: Json = False,
) -> None:
    """Go on with a training that was killed, interrupted, or ran out of disk.

    It goes on at the step of the last checkpoint, and ends with the weights that it would have had without the
    interruption. Checkpoints are written at the end of an epoch and every three minutes (ZOO_CHECKPOINT_SECONDS).

    Examples:

        zoo resume runs/photos

        zoo resume runs/photos --finish
    """
    print_run(api.resume(run, finish=finish), json)


def diff(
    first: Annotated[Path, typer.Argument(help="A run folder.")],
    second: Annotated[Path, typer.Argument(help="Another one.")],
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
        print("The two runs are the same in plan, data, versions and figures.")
        return
    rows = [[one.section, one.name, _written(one.first), _written(one.second)] for one in found]
    print_table(["section", "name", str(first), str(second)], rows)


def _written(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) and not value.is_integer() and abs(value) >= 0.001 else str(value)
