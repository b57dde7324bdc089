"""`zoo explain`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from zoo import api
from zoo.api import Settings
from zoo.api.typed import typed_for_run
from zoo.cli.catalog import Json
from zoo.cli.complete import targets
from zoo.cli.options import takes
from zoo.cli.output import print_json, print_line
from zoo.cli.predict import AsFile, AsText, RunFolder, given, kind
from zoo.harmless import harmless


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(explain)


@takes(Settings, only=("input_column", "separator", "quotes", "device"))
def explain(
    run: RunFolder,
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="INPUT...", help="Pictures, texts, .txt files, folders of them, tables, or - (lines)."),
    ],
    target: Annotated[
        str | None,
        typer.Option(
            metavar="LABEL",
            help="What to explain instead of the answer: a label, a column of numbers, or a type of entity.",
            autocompletion=targets,
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Also write a web page that shows it.")] = None,
    text: AsText = False,
    file: AsFile = False,
    json: Json = False,
    **settings: Any,
) -> None:
    """Say why a run answers as it does: which words, or which part of a picture, speak for the answer.

    Examples:

        zoo explain runs/reviews "It broke after two days."

        zoo explain runs/reviews "It broke, but I love it." --target good

        zoo explain runs/photos holiday/ --out why.html

    The shares of all words add up to 1, without their signs: + speaks for the answer, - against it. Arguments are read
    as those of zoo predict.
    """
    finished = api.load_run(run)
    asked = typed_for_run(finished, inputs, kind(text, file))
    explained = finished.explain(asked, target, out=out, **given(settings))
    if json:
        return print_json([one.as_json() for one in explained])
    for one in explained:
        print_line(harmless(f"{one.input}  {one.answer}".rstrip()))
        why = f"why {one.about}: {one.in_words()} ({one.method})" if not one.error else one.in_words()
        print_line(harmless(f"    {why}{f'. {one.note}' if one.note else ''}"))
    if out is not None:
        print_line(harmless(f"page {out}"))
