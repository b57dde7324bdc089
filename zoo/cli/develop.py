"""`zoo new` and `zoo check`: for those who write plugins."""

from __future__ import annotations

import itertools
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zoo import api
from zoo.cli import complete
from zoo.cli.catalog import Json
from zoo.cli.output import print_beside, print_json, print_line

if TYPE_CHECKING:
    from zoo.testing.promises import Outcome


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(new)
    app.command()(check)


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The plugin's name, for example my-nets.")],
    backbone: Annotated[bool, typer.Option("--backbone", help="Only a backbone.")] = False,
    head: Annotated[bool, typer.Option("--head", help="Only a task head.")] = False,
    to: Annotated[Path | None, typer.Option(metavar="FOLDER", help="The folder to create (default: NAME).")] = None,
) -> None:
    """Start a plugin of your own that works, with a test.

    It is a complete distribution, with a backbone, a head, or both.

    Example:

        zoo new my-nets

        cd my-nets && pip install -e '.[test]' && pytest

        zoo list --plugin my_nets
    """
    folder = api.new_plugin(name, to, backbone=backbone or not head, head=head or not backbone)
    print_line(f"{folder} is a plugin. Next: cd {shlex.quote(str(folder))} && pip install -e '.[test]' && pytest")


def check(
    distribution: Annotated[
        str,
        typer.Argument(
            metavar="DIST",
            help="An installed distribution, or a plugin's name.",
            autocompletion=complete.distributions,
        ),
    ],
    backbones: Annotated[
        list[str] | None,
        typer.Option(
            "--backbone",
            metavar="PATTERN",
            help="Only backbones that match. Repeatable.",
            autocompletion=complete.backbones,
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every backbone, not the smallest of each family.")] = False,
    weights: Annotated[
        str, typer.Option(metavar="PATH", help="A file or folder of weights (default: those on this machine).")
    ] = "",
    json: Json = False,
) -> None:
    """Check whether a plugin keeps its promises. Exit status 1 if it breaks one.

    It loads, and quickly; facts match what is built; features have the promised shapes; preprocessing is part of the
    saved model; every way to predict gives the same answer; frozen stages do not change; every stage unfreezes;
    gradients are finite; heads decode what they encode; licences and checksums are stated.

    Examples:

        zoo check zoo-tiny

        zoo check keras_applications --backbone 'resnet50*'

        zoo check kerashub --backbone bert_base_en --weights bert_base/
    """
    outcomes = api.check(distribution, backbones or [], every=every, weights=weights)
    if json:
        print_json(
            [
                {"subject": o.promise.subject, "promise": o.promise.name, "state": o.verdict, "detail": o.detail}
                for o in outcomes
            ]
        )
    else:
        _print(outcomes)
    if any(outcome.verdict == "broken" for outcome in outcomes):
        raise typer.Exit(1)


def _print(outcomes: list[Outcome]) -> None:
    for subject, group in itertools.groupby(outcomes, lambda outcome: outcome.promise.subject):
        print_line(f"\n{subject}")
        about = list(group)
        if len({(outcome.verdict, outcome.detail) for outcome in about}) == 1:  # as when its weights are not here
            print_beside(f"  {about[0].verdict:<11}  ", about[0].detail)
            continue
        for outcome in about:
            print_beside(f"  {outcome.verdict:<11}  {outcome.promise.name:<36}  ", outcome.detail, indent=15)
    counts = {verdict: sum(o.verdict == verdict for o in outcomes) for verdict in ("kept", "broken", "not checked")}
    print_line("\n" + ", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
