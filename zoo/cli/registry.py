"""`zoo search` and `zoo registry`: what plugins there are, and the registries that list them. No TensorFlow."""

from __future__ import annotations

import json as json_library
from pathlib import Path
from typing import Annotated, Any

import typer

from zoo import api
from zoo.cli import complete
from zoo.cli.catalog import Json
from zoo.cli.output import print_beside, print_json, print_line, print_table, size
from zoo.errors import UnknownName
from zoo.progress import counted

Registry = Annotated[
    list[str] | None,
    typer.Option("--registry", metavar="FILE|URL", help="Another registry, asked before all others. Repeatable."),
]

group = typer.Typer(no_args_is_help=True, help="List registries, use or check one, write an entry.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(search)
    app.add_typer(group, name="registry")


def search(
    query: Annotated[
        list[str] | None, typer.Argument(metavar="WORD", help="Words, all of which have to occur.")
    ] = None,
    registry: Registry = None,
    json: Json = False,
) -> None:
    """Find plugins by name, summary, backbone or head.

    Examples:

        zoo search

        zoo search roberta

        zoo search vit --registry https://example.org/registry.toml
    """
    words = " ".join(query or [])
    found = api.search(words, registries=registry or [])
    if json:
        return print_json(found)
    if not found:
        raise UnknownName(f"Nothing matches {words!r}. `zoo search` lists all plugins.")
    print_table(
        ["plugin", "installed", "size", "licence", "offers", "summary"],
        [_row(plugin) for plugin in found],
        right=["size"],
    )
    if words:
        _print_matches(found)
    if absent := [plugin for plugin in found if plugin["installed"] is None]:
        print_line(f"\nTry: {absent[0]['install']}")


def _row(plugin: dict[str, Any]) -> list[str]:
    state = plugin["installed"] or ("" if plugin["verified"] else "unverified")
    offers = [counted(len(plugin[kind]), kind) for kind in ("backbones", "heads") if plugin[kind]]
    return [plugin["name"], state, size(plugin["bytes"]), plugin["licence"], ", ".join(offers), plugin["summary"]]


def _print_matches(found: list[dict[str, Any]]) -> None:
    for plugin in found:
        for kind, names in plugin["matches"].items():
            if names:
                more = f" and {len(names) - 12} more" if len(names) > 12 else ""
                print_line()
                print_beside(f"{plugin['name']}: {kind} ", f"{', '.join(names[:12])}{more}", indent=2)


@group.command("list")
def list_(registry: Registry = None, json: Json = False) -> None:
    """List the registries in use, in the order in which they are asked.

    Example:

        zoo registry list
    """
    rows = api.list_registries(registry or [])
    if json:
        return print_json(rows)
    print_table(["registry", "plugins"], [[row["registry"], str(row["plugins"])] for row in rows], right=["plugins"])


@group.command()
def use(source: Annotated[str, typer.Argument(metavar="FILE|URL", help="A registry.")]) -> None:
    """Use a registry from now on, before all others.

    Example:

        zoo registry use https://zoo.example.org/registry.toml
    """
    print_line(f"{api.use_registry(source)} is asked before all others.")


@group.command()
def forget(
    source: Annotated[
        str,
        typer.Argument(metavar="FILE|URL", help="As `zoo registry list` shows it.", autocompletion=complete.registries),
    ],
) -> None:
    """Stop using a registry.

    Example:

        zoo registry forget https://zoo.example.org/registry.toml
    """
    print_line(f"{api.forget_registry(source)} is no longer used.")


@group.command()
def check(file: Annotated[Path, typer.Argument(help="A registry.toml.")], json: Json = False) -> None:
    """Check a registry, for those who maintain one. Exit status 1 if anything is wrong.

    Example:

        zoo registry check registry.toml
    """
    checked = api.check_registry(file)
    if json:
        print_json({"plugins": checked.plugins, "problems": checked.problems})
    else:
        for problem in checked.problems:
            print_line(f"{file}: {problem}")
        right = f"{counted(len(checked.plugins), 'plugins')} right, with {counted(checked.backbones, 'backbones')}"
        print_line(f"{file}: {right}; {len(checked.problems)} wrong")
    if checked.problems:
        raise typer.Exit(1)


@group.command()
def schema() -> None:
    """Print the JSON schema of registries, for editors and other tools.

    Example:

        zoo registry schema > registry.schema.json
    """
    print_line(json_library.dumps(api.registry_schema(), indent=2))


@group.command()
def add(
    plugin: Annotated[
        str,
        typer.Argument(
            metavar="DIST", help="An installed plugin by name, or a wheel.", autocompletion=complete.distributions
        ),
    ],
    to: Annotated[
        Path, typer.Option(metavar="FILE", help="The registry to write to; it is created if it does not exist.")
    ] = Path("registry.toml"),
    verified: Annotated[bool, typer.Option("--verified", help="You have seen it pass `zoo check`.")] = False,
) -> None:
    """Write the entry of a plugin into a registry, hashes included. It replaces an entry of the same name.

    Examples:

        zoo registry add zoo-tiny

        zoo registry add wheels/zoo_tiny-1.0-py3-none-any.whl --to registry.toml
    """
    for entry in api.add_to_registry(plugin, to, verified=verified):
        hashes = (
            f"{len(entry.artefacts)} hashed" if entry.artefacts else "not hashed, because it is a folder or a commit"
        )
        print_line(f"{to}: {entry.name}, {entry.requirement} ({hashes})")
