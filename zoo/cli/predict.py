"""`zoo predict` and `zoo evaluate`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from zoo import api
from zoo.cli.answers import in_words, print_csv
from zoo.cli.catalog import Json
from zoo.cli.output import print_facts, print_json
from zoo.cli.train import ENGINES, PRECISIONS, Engine, Precision, one_of


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(predict)
    app.command()(evaluate)


def predict(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="INPUT...", help="Pictures, folders of them; or texts, .txt files, tables of texts."),
    ],
    top: Annotated[int, typer.Option(min=1, help="So many classes for each input.")] = 3,
    input_: Annotated[
        str,
        typer.Option(
            "--input", help="In a table: the column of the input, or two of a pair (default: as in training)."
        ),
    ] = "",
    precision: Precision = "auto",
    engine: Engine = "auto",
    json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a table of comma-separated values.")] = False,
) -> None:
    """Ask a run about new pictures or texts.

    Examples:

        zoo predict runs/photos new.jpg

        zoo predict runs/photos holiday/ --top 1 --csv > answers.csv

        zoo predict runs/reviews "It broke after two days." "Best I ever had!"

        zoo predict runs/reviews new-reviews.csv --json
    """
    if json and as_csv:
        raise typer.BadParameter("give either --json or --csv.", param_hint="--csv")
    how = {"precision": one_of(PRECISIONS, precision, "--precision"), "engine": one_of(ENGINES, engine, "--engine")}
    answers = api.load_run(run).predict(inputs, input_, **how)
    for answer in answers:
        if "probabilities" in answer:
            answer["probabilities"] = dict(list(answer["probabilities"].items())[:top])
    if json:
        return print_json(answers)
    if as_csv:
        return print_csv(answers, top)
    for answer in answers:
        print(f"{answer['input']}  {in_words(answer)}")


def evaluate(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    data: Annotated[Path, typer.Argument(help="A folder with a sub-folder for each class, or a table.")],
    input_: Annotated[
        str, typer.Option("--input", help="In a table: the column of the input (default: as in training).")
    ] = "",
    target: Annotated[str, typer.Option(help="In a table: the column with the target (default: as in training).")] = "",
    precision: Precision = "auto",
    engine: Engine = "auto",
    json: Json = False,
) -> None:
    """Judge a run by other data.

    Example:

        zoo evaluate runs/photos more-photos/
    """
    finished = api.load_run(run)
    how = {"precision": one_of(PRECISIONS, precision, "--precision"), "engine": one_of(ENGINES, engine, "--engine")}
    result = finished.evaluate(data, input_, target, **how)
    if json:
        return print_json(
            {
                "run": str(finished.path),
                "backbone": finished.card.backbone,
                "head": finished.card.head,
                "metrics": result.metrics,
                "examples": {"evaluated": result.examples, "skipped": len(result.skipped)},
                "seconds": round(result.seconds, 3),
            }
        )
    print_facts({name: f"{value:.4f}" for name, value in result.metrics.items()})
    print(f"({result.examples} examples, {len(result.skipped)} left out, {result.seconds:.0f} s)")
    for skipped in result.skipped:
        print(f"left out: {skipped.input} ({skipped.reason})", file=sys.stderr)
