"""`zoo predict`, `zoo evaluate` and `zoo embed`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from zoo import api
from zoo.api import Settings
from zoo.api.typed import typed_for_backbone, typed_for_run
from zoo.cli.catalog import Json
from zoo.cli.complete import backbones, embedding_options, runs, weights, words
from zoo.cli.options import assignments, takes
from zoo.cli.output import print_csv, print_facts, print_json, print_line
from zoo.harmless import harmless
from zoo.progress import counted

_READING = ("separator", "quotes")
_COMPUTING = ("precision", "engine", "device")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (predict, evaluate, embed):
        app.command()(command)


AsText = Annotated[bool, typer.Option("--text", help="Every argument is a text, even if a file has that name.")]
AsFile = Annotated[bool, typer.Option("--file", help="Every argument is a file, folder or table.")]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.", autocompletion=runs)]


@takes(Settings, only=("input_column", *_READING, *_COMPUTING))
def predict(
    run: RunFolder,
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="INPUT...", help="Pictures, texts, .txt files, folders of them, tables, or - (lines)."),
    ],
    text: AsText = False,
    file: AsFile = False,
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

        zoo predict runs/reviews new-reviews.csv --csv > answered.csv

        cat lines.txt | zoo predict runs/reviews -

    An argument that is an existing file or folder is read, and any other is a text if the run reads texts. `-` reads
    the standard input: a text, or the path of a picture, in each line.

    With --csv, the answers to a table stand beside its own columns, one row for each of its rows.
    """
    if json and as_csv:
        raise typer.BadParameter("give either --json or --csv, not both.", param_hint="--csv")
    finished = api.load_run(run)
    asked = typed_for_run(finished, inputs, kind(text, file))
    answers = [finished.only_top(answer, top) for answer in finished.predict(asked, **given(settings))]
    if json:
        return print_json(answers)
    if as_csv:
        reading = {name: value for name, value in given(settings).items() if name in ("input_column", *_READING)}
        return print_csv(*finished.as_sheet(asked, answers, **reading))
    for answer in answers:
        print_line(harmless(f"{answer['input']}  {finished.in_words(answer)}"))


@takes(Settings, only=("input_column", "target_column", "folders", *_READING, *_COMPUTING))
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
    result = finished.evaluate(data, split=split, **given(settings))
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
    print_line(f"({result.examples} examples, {len(result.skipped)} left out, {result.seconds:.0f} s)")
    for skipped in result.skipped:
        print_line(harmless(f"left out: {skipped.input} ({skipped.reason})"), sys.stderr)


@takes(
    Settings,
    only=("input_column", "weights", "device", "depth", "options"),
    complete={"weights": weights, "options": embedding_options},
)
def embed(
    backbone: Annotated[str, typer.Argument(help="By name; `zoo list` shows all.", autocompletion=backbones)],
    data: Annotated[
        list[str],
        typer.Argument(metavar="DATA...", help="Pictures, texts, .txt files, folders of them, tables, or - (lines)."),
    ],
    out: Annotated[Path, typer.Option(help="The Parquet file to write: input, text (for texts), vector.")],
    text: AsText = False,
    file: AsFile = False,
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
    asked = typed_for_backbone(backbone, data, kind(text, file))
    vectors = api.embed(backbone, asked, out=out, **given(settings))
    for skipped in vectors.skipped:
        print_line(harmless(f"left out: {skipped.input} ({skipped.reason})"), sys.stderr)
    count, dim = vectors.values.shape
    if json:
        examples = {"embedded": count, "skipped": len(vectors.skipped)}
        seconds = round(vectors.seconds, 3)
        return print_json({"out": str(out), **vectors.about, "dim": dim, "examples": examples, "seconds": seconds})
    left_out = f"{counted(len(vectors.skipped), 'inputs')} left out, {vectors.seconds:.0f} s"
    print_line(f"{out}  {counted(count, 'vectors')} of {dim} numbers ({left_out})")


def given(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings that were given."""
    return {name: value for name, value in settings.items() if value is not None}


def kind(text: bool, file: bool) -> Literal["auto", "text", "file"]:
    """What the arguments of a command are, by its two options; both are an error."""
    if text and file:
        raise typer.BadParameter("give either --text or --file, not both.", param_hint="--file")
    return "text" if text else "file" if file else "auto"
