"""`zoo predict`, `zoo evaluate` and `zoo embed`."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoo import api
from zoo.api import Settings
from zoo.cli.catalog import Json
from zoo.cli.complete import backbones, embedding_options, runs, weights, words
from zoo.cli.options import assignments, takes
from zoo.cli.output import print_facts, print_json
from zoo.places import place

if TYPE_CHECKING:
    from zoo.runs.run import Run

_COMPUTING = ("precision", "engine", "device")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (predict, evaluate, embed):
        app.command()(command)


RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.", autocompletion=runs)]


@takes(Settings, only=("input_column", *_COMPUTING))
def predict(
    run: RunFolder,
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="INPUT...", help="Pictures, texts, .txt files, folders of them, or tables."),
    ],
    top: Annotated[int, typer.Option(min=1, help="How many classes to show for each input.")] = 3,
    json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a CSV table.")] = False,
    **settings: Any,
) -> None:
    """Predict new pictures or texts with a run.

    Examples:

        zoo predict runs/photos new.jpg

        zoo predict runs/photos holiday/ --top 1 --csv > answers.csv

        zoo predict runs/reviews "It broke after two days." "Best I ever had!"

        zoo predict runs/reviews new-reviews.csv --json
    """
    if json and as_csv:
        raise typer.BadParameter("give either --json or --csv, not both.", param_hint="--csv")
    finished = api.load_run(run)
    answers = [finished.only_top(answer, top) for answer in finished.predict(inputs, **_given(settings))]
    if json:
        return print_json(answers)
    if as_csv:
        return _print_csv(finished, answers)
    for answer in answers:
        print(f"{answer['input']}  {finished.in_words(answer)}")


@takes(Settings, only=("input_column", "target_column", "folders", "separator", "quotes", *_COMPUTING))
def evaluate(
    run: RunFolder,
    data: Annotated[str, typer.Argument(help="A folder with a sub-folder for each class, or a table.")],
    split: Annotated[
        str,
        typer.Option(
            metavar="auto|train|validation|test|all",
            help="Which of DATA to judge: what the run was not trained on (auto), or one of its own splits.",
            autocompletion=words("auto|train|validation|test|all"),
        ),
    ] = "auto",
    json: Json = False,
    **settings: Any,
) -> None:
    """Evaluate a run on other data, or on the part of its own data that it was not trained on.

    Examples:

        zoo evaluate runs/photos more-photos/

        zoo evaluate runs/photos photos/ --split validation
    """
    finished = api.load_run(run)
    result = finished.evaluate(data, split=split, **_given(settings))
    if json:
        return print_json(
            {
                "run": str(finished.path),
                "backbone": finished.card.backbone,
                "head": finished.card.head,
                "metrics": result.metrics,
                "examples": {
                    "evaluated": result.examples,
                    "trained_on": result.trained,
                    "skipped": len(result.skipped),
                },
                "seconds": round(result.seconds, 3),
            }
        )
    print_facts({name: f"{value:.4f}" for name, value in result.metrics.items()})
    print(f"({result.examples} examples, {len(result.skipped)} left out, {result.seconds:.0f} s)")
    for skipped in result.skipped:
        print(f"left out: {skipped.input} ({skipped.reason})", file=sys.stderr)


@takes(
    Settings,
    only=("input_column", "weights", "device", "depth", "options"),
    complete={"weights": weights, "options": embedding_options},
)
def embed(
    backbone: Annotated[str, typer.Argument(help="By name; `zoo list` shows all.", autocompletion=backbones)],
    data: Annotated[
        list[str], typer.Argument(metavar="DATA...", help="Pictures, .txt files, folders of them, or tables.")
    ],
    out: Annotated[Path, typer.Option(help="The Parquet file to write: input, text (for texts), vector.")],
    json: Json = False,
    **settings: Any,
) -> None:
    """Turn pictures or texts into vectors, for search and clustering. Nothing is trained.

    The vectors have length 1, so the dot product of two is their cosine similarity.

    Examples:

        zoo embed minilm_l6 reviews.csv --input text --out vectors.parquet

        zoo embed efficientnet_lite0 photos/ --out photos.parquet
    """
    settings["options"] = assignments(settings["options"])
    vectors = api.embed(backbone, [place(one) for one in data], out=out, **_given(settings))
    for skipped in vectors.skipped:
        print(f"left out: {skipped.input} ({skipped.reason})", file=sys.stderr)
    count, dim = vectors.values.shape
    if json:
        examples = {"embedded": count, "skipped": len(vectors.skipped)}
        seconds = round(vectors.seconds, 3)
        return print_json({"out": str(out), **vectors.about, "dim": dim, "examples": examples, "seconds": seconds})
    left_out = f"{len(vectors.skipped)} inputs left out, {vectors.seconds:.0f} s"
    print(f"{out}  {count} vectors of {dim} numbers ({left_out})")


def _given(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value is not None}


def _print_csv(run: Run, answers: Sequence[dict[str, Any]]) -> None:
    """Print a line for each input, or several if the head's answer has several rows."""
    rows = [row for answer in answers for row in run.as_rows(answer)]
    columns = dict.fromkeys(column for row in rows for column in row if column != "error")
    writer = csv.DictWriter(sys.stdout, [*columns, "error"], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
