"""`zoo predict` and `zoo evaluate`."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from zoo import api
from zoo.cli.catalog import Json
from zoo.cli.output import print_facts, print_json


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
        str, typer.Option("--input", help="In a table: the column with the text, or two of a pair.")
    ] = "",
    json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a table of comma-separated values.")] = False,
) -> None:
    """Ask a run about new pictures or texts.

    Examples:

        zoo predict runs/photos new.jpg

        zoo predict runs/photos holiday/ --top 1 --csv > answers.csv

        zoo predict runs/reviews "It broke after two days." "Best I ever had!"
    """
    if json and as_csv:
        raise typer.BadParameter("give either --json or --csv.", param_hint="--csv")
    answers = api.load_run(run).predict(inputs, input_)
    for answer in answers:
        if "probabilities" in answer:
            answer["probabilities"] = dict(list(answer["probabilities"].items())[:top])
    if json:
        return print_json(answers)
    if as_csv:
        return _print_csv(answers, top)
    for answer in answers:
        print(f"{answer['input']}  {_words(answer)}")


def _words(answer: dict[str, Any]) -> str:
    if "error" in answer:
        return f"left out: {answer['error']}"
    if "value" in answer:
        return f"{answer['value']:.4g}"
    return "  ".join(f"{label} {share:.3f}" for label, share in answer["probabilities"].items())


def _print_csv(answers: list[dict[str, Any]], top: int) -> None:
    """A row for each input: the answer's label, then the likeliest classes with their probabilities."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    if any("value" in answer for answer in answers):
        writer.writerow(["input", "value", "error"])
        writer.writerows([a["input"], a.get("value", ""), a.get("error", "")] for a in answers)
        return
    most = min(top, max(len(answer.get("probabilities", ())) for answer in answers))
    pairs = [name for i in range(1, most + 1) for name in (f"label_{i}", f"probability_{i}")]
    writer.writerow(["input", "label", *pairs, "error"])
    for answer in answers:
        shares = [cell for label, share in answer.get("probabilities", {}).items() for cell in (label, f"{share:.6f}")]
        shares += [""] * (2 * most - len(shares))
        writer.writerow([answer["input"], answer.get("label", ""), *shares, answer.get("error", "")])


def evaluate(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    data: Annotated[Path, typer.Argument(help="A folder with a sub-folder for each class, or a table.")],
    input_: Annotated[str, typer.Option("--input", help="In a table: the column of the input (image, or text).")] = "",
    target: Annotated[str, typer.Option(help="In a table: the column with the target (label).")] = "",
    json: Json = False,
) -> None:
    """Judge a run by other data.

    Example:

        zoo evaluate runs/photos more-photos/
    """
    finished = api.load_run(run)
    result = finished.evaluate(data, input_, target)
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
