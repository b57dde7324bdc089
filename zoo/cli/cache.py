"""`zoo cache`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from zoo.cli.catalog import Json
from zoo.cli.output import print_json, print_table
from zoo.features.disk import features_folder, kept, limit, parse_size, prune


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(cache)


def cache(
    prune_: Annotated[
        bool, typer.Option("--prune", help="Delete features, the least recently used first, until --to are left.")
    ] = False,
    to: Annotated[str, typer.Option(metavar="SIZE", help="With --prune: keep so much, as in 2GB.")] = "0",
    json: Json = False,
) -> None:
    """Show the features of frozen backbones that are kept on disk, or delete them.

    A frozen backbone is run once for each example; all later runs on the same data take its features from here. What is
    deleted is computed again when it is needed. ZOO_CACHE_SIZE limits it (10GB where it is not set), ZOO_CACHE names
    another folder.

    Examples:

        zoo cache

        zoo cache --prune

        zoo cache --prune --to 2GB
    """
    gone = prune(parse_size(to)) if prune_ else 0
    all_kept = kept()
    total = sum(one.bytes for one in all_kept)
    if json:
        return print_json(
            {
                "folder": str(features_folder()),
                "limit": limit(),
                "bytes": total,
                "deleted": gone,
                "features": [
                    {
                        **{fact: one.about.get(fact) for fact in ("backbone", "features", "precision", "weights")},
                        "bytes": one.bytes,
                        "used": datetime.fromtimestamp(one.used, UTC).isoformat(timespec="seconds"),
                    }
                    for one in all_kept
                ],
            }
        )
    if prune_:
        print(f"Deleted {_megabytes(gone)}.")
    if all_kept:
        rows = [
            [
                str(one.about.get("backbone", "?")),
                ", ".join(one.about.get("features", [])),
                str(one.about.get("precision", "?")),
                _megabytes(one.bytes),
                f"{datetime.fromtimestamp(one.used):%Y-%m-%d %H:%M}",
            ]
            for one in all_kept
        ]
        print_table(("BACKBONE", "FEATURES", "PRECISION", "SIZE", "LAST USED"), rows, right=("SIZE",))
    print(f"{_megabytes(total)} of at most {_megabytes(limit())} in {features_folder()}")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
