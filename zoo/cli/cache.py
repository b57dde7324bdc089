"""`zoo cache`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from zoo import api
from zoo.cli.catalog import Json
from zoo.cli.output import print_json, print_table


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(cache)


def cache(
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete the least recently used features until --to is left.")
    ] = False,
    to: Annotated[str, typer.Option(metavar="SIZE", help="With --prune: how much to keep, such as 2GB.")] = "0",
    json: Json = False,
) -> None:
    """Show the cached features of frozen backbones, or delete them.

    A frozen backbone is run once for each example; later runs on the same data take its features from here. Features
    that are deleted are computed again when they are needed. ZOO_CACHE_SIZE is the limit (by default 10GB), ZOO_CACHE
    names another folder.

    Examples:

        zoo cache

        zoo cache --prune

        zoo cache --prune --to 2GB
    """
    found = api.cache(prune_to=to if prune else None)
    if json:
        return print_json(found)
    if prune:
        print(f"Deleted {_megabytes(found['deleted'])}.")
    if found["features"]:
        rows = [
            [
                str(one["backbone"] or "?"),
                ", ".join(one["features"] or []),
                str(one["precision"] or "?"),
                _megabytes(one["bytes"]),
                f"{datetime.fromisoformat(one['used']).astimezone():%Y-%m-%d %H:%M}",
            ]
            for one in found["features"]
        ]
        print_table(("BACKBONE", "FEATURES", "PRECISION", "SIZE", "LAST USED"), rows, right=("SIZE", "LAST USED"))
    print(f"{_megabytes(found['bytes'])} of at most {_megabytes(found['limit'])} in {found['folder']}")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
