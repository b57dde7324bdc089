"""`zoo new` and `zoo check`: for those who write plugins."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zoo.cli.catalog import Json
from zoo.cli.output import print_json
from zoo.progress import progress

if TYPE_CHECKING:
    from zoo.testing.promises import Outcome


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(new)
    app.command()(check)


def new(
    name: Annotated[str, typer.Argument(help="The plugin's name, for example my-nets.")],
    backbone: Annotated[bool, typer.Option("--backbone", help="Only a backbone.")] = False,
    head: Annotated[bool, typer.Option("--head", help="Only a task head.")] = False,
    to: Annotated[Path | None, typer.Option(help="The folder to make (default: NAME).")] = None,
) -> None:
    """Start a plugin: a complete distribution with a backbone and a head that work, and a test.

    Example:

        zoo new my-nets

        cd my-nets && pip install -e '.[test]' && pytest && zoo list --plugin my_nets
    """
    from zoo.registry.scaffold import scaffold

    both = backbone == head
    folder = scaffold(name, to or Path(name), backbone=backbone or both, head=head or both)
    print(f"{folder} is a plugin. Next: cd {folder} && pip install -e '.[test]' && pytest")


def check(
    distribution: Annotated[str, typer.Argument(metavar="DIST", help="An installed distribution, or a plugin's name.")],
    backbones: Annotated[
        list[str] | None, typer.Option("--backbone", help="Only backbones that fit this pattern. Repeatable.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every backbone, not the smallest of each family.")] = False,
    weights: Annotated[
        str, typer.Option(metavar="PATH", help="Build the backbones with this file or folder (default: what is here).")
    ] = "",
    json: Json = False,
) -> None:
    """Hold a plugin against what it promises. Exit status 1 if a promise is broken.

    It loads and is light; facts match what is built; features have the promised shapes; preprocessing travels in the
    model; every way to ask gives the same answer; frozen means frozen; every stage unfreezes; gradients are finite;
    heads decode what they encode; licences and checksums are stated.

    Examples:

        zoo check zoo-tiny

        zoo check keras_applications --backbone 'resnet50*'

        zoo check kerashub --backbone bert_base_en --weights bert_base/
    """
    from zoo.testing.promises import outcomes, promises

    chosen = promises(distribution, backbones or [], every=every, weights=weights)
    rows: list[Outcome] = []
    with progress(f"Checking {distribution}", len(chosen), "promises") as advance:
        for outcome in outcomes(chosen):
            rows.append(outcome)
            advance(note=str(outcome.promise))
    if json:
        print_json(
            [
                {"subject": o.promise.subject, "promise": o.promise.name, "state": o.state, "detail": o.detail}
                for o in rows
            ]
        )
    else:
        _print(rows)
    if any(outcome.state == "broken" for outcome in rows):
        raise typer.Exit(1)


def _print(rows: list[Outcome]) -> None:
    for subject, group in itertools.groupby(rows, lambda outcome: outcome.promise.subject):
        print(f"\n{subject}")
        about = list(group)
        if len({(outcome.state, outcome.detail) for outcome in about}) == 1:  # as where its weights are not here
            print(f"  {about[0].state:<11}  {about[0].detail}")
            continue
        for outcome in about:
            print(f"  {outcome.state:<11}  {outcome.promise.name:<36}  {outcome.detail}")
    counts = {state: sum(o.state == state for o in rows) for state in ("kept", "broken", "not checked")}
    print("\n" + ", ".join(f"{count} {state}" for state, count in counts.items()))
