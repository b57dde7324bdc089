"""`zoo embed`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from zoo import api
from zoo.cli.catalog import Json
from zoo.cli.output import print_json
from zoo.cli.train import complete_backbone, parse_options


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(embed)


def embed(
    backbone: Annotated[str, typer.Argument(help="By name; `zoo list`.", autocompletion=complete_backbone)],
    data: Annotated[
        list[Path], typer.Argument(metavar="DATA...", help="Pictures, .txt files, folders of them, or tables.")
    ],
    out: Annotated[Path, typer.Option(help="The Parquet file to write: input, text (of texts), vector.")],
    input_: Annotated[str, typer.Option("--input", help="In a table: the column of the input (image, or text).")] = "",
    weights: Annotated[
        str, typer.Option(help="default, none (random), a name from `zoo info`, or a file.")
    ] = "default",
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="An option of the head `embedding`.")
    ] = None,
    json: Json = False,
) -> None:
    """Turn pictures or texts into vectors, for search and clustering. Nothing is trained.

    The vectors have length 1, so that a dot product of two is their cosine.

    Examples:

        zoo embed minilm_l6 reviews.csv --input text --out vectors.parquet

        zoo embed efficientnet_lite0 photos/ --out photos.parquet
    """
    start = time.monotonic()
    vectors = api.embed(
        backbone, data, out=out, input_column=input_, weights=weights, options=parse_options(set_ or [])
    )
    for skipped in vectors.skipped:
        print(f"left out: {skipped.input} ({skipped.reason})", file=sys.stderr)
    count, dim = vectors.values.shape
    seconds = time.monotonic() - start
    if json:
        examples = {"embedded": count, "skipped": len(vectors.skipped)}
        return print_json(
            {"out": str(out), **vectors.about, "dim": dim, "examples": examples, "seconds": round(seconds, 3)}
        )
    print(f"{out}  {count} vectors of {dim} numbers ({len(vectors.skipped)} inputs left out, {seconds:.0f} s)")
