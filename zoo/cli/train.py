"""`zoo train` and `zoo resume`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoo import api
from zoo.api import Recipe, Settings
from zoo.cli.catalog import Json
from zoo.cli.complete import backbones, head_options, heads, runs, weights
from zoo.cli.options import assignments, takes
from zoo.cli.output import print_json, print_line

if TYPE_CHECKING:
    from zoo.runs.run import Run


Report = Annotated[
    bool | None,
    typer.Option("--report/--no-report", help="Write report.html at the end, too (default: yes, unless ZOO_REPORT=0)."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(train)
    app.command()(resume)


@takes(Recipe, Settings, complete={"head": heads, "weights": weights, "options": head_options})
def train(
    backbone: Annotated[
        str | None,
        typer.Argument(metavar="BACKBONE", help="By name; `zoo list` shows all.", autocompletion=backbones),
    ] = None,
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="DATA", help="A folder with a sub-folder for each class, or a table: image or text, and label."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The run folder to create (default: runs/ and the name of DATA).")
    ] = None,
    plan: Annotated[Path | None, typer.Option(help="Repeat a run from its plan.toml; other options change it.")] = None,
    report: Report = None,
    json: Json = False,
    **settings: Any,
) -> None:
    """Fine-tune a backbone on your own pictures or texts.

    Examples:

        zoo train efficientnet_lite0 photos/

        zoo train resnet50 photos/ --unfreeze 1 --epochs 20 --out runs/second

        zoo train inception_v3 table.csv --input file --target species --set label_smoothing=0.1

        zoo train minilm_l6 reviews.csv --head regression --target rating --unfreeze all

        zoo train minilm_l6 names.conll --head token_classification --unfreeze all

        zoo train --plan runs/photos/plan.toml --seed 1

    If it is interrupted, continue with: zoo resume RUN
    """
    if plan is not None:
        if backbone is not None:
            raise typer.BadParameter("give either BACKBONE and DATA or --plan, not both.", param_hint="--plan")
        run = api.train_plan(plan, out=out, report=report, **_given(settings))
    elif backbone is None or data is None:
        raise typer.BadParameter("give BACKBONE and DATA, for example: zoo train efficientnet_lite0 photos/")
    else:
        run = api.train(backbone, data, out=out, report=report, **_given(settings))
    print_run(run, json)


def resume(
    run: Annotated[Path, typer.Argument(help="The folder of an interrupted run.", autocompletion=runs)],
    finish: Annotated[
        bool, typer.Option("--finish", help="Stop training: finish the run with the best weights so far.")
    ] = False,
    report: Report = None,
    json: Json = False,
) -> None:
    """Continue a training that was killed, interrupted, or ran out of disk.

    The training continues from the last checkpoint and ends with the weights that it would have had without the
    interruption. Checkpoints are written at the end of an epoch and every three minutes (ZOO_CHECKPOINT_SECONDS).

    Examples:

        zoo resume runs/photos

        zoo resume runs/photos --finish
    """
    print_run(api.resume(run, finish=finish, report=report), json)


def print_run(run: Run, json: bool) -> None:
    """Print the metrics of a run that has just finished."""
    summary = run.summary
    if json:
        return print_json(summary)
    examples, baseline = summary["examples"], summary.get("baseline") or {}
    if baseline.get("kept"):
        print_line(f"The result is {baseline['name']} on the backbone's features, because no epoch was better.")
    print_line(f"{_figures(run.metrics)}  (on {examples['validation']} validation examples)")
    if tested := summary.get("test_metrics"):
        print_line(f"{_figures(tested)}  (on {examples['test']} test examples)")
    print_line(f"run {run.path}  ({examples['train']} examples for training, {summary['seconds']:.0f} s)")
    if sys.stdout.isatty():
        print_line(f"Try: {run.folder.command('predict')} INPUT")


def _given(settings: dict[str, Any]) -> dict[str, Any]:
    known = settings | {"options": assignments(settings["options"])}
    return {name: value for name, value in known.items() if value is not None}


def _figures(metrics: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:.4f}" for name, value in metrics.items())
