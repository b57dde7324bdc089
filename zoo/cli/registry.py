"""`zoo search` and `zoo registry`: what plugins there are, and the registries that list them. No TensorFlow."""

from __future__ import annotations

import json as json_library
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoo.catalog.settings import registries as configured
from zoo.catalog.settings import set_registry
from zoo.cli.catalog import Json
from zoo.cli.output import count, print_json, print_table, size
from zoo.errors import BadRegistry, UnknownName
from zoo.progress import say

if TYPE_CHECKING:
    from zoo.registry.sources import Registries

Registry = Annotated[
    list[str] | None,
    typer.Option("--registry", metavar="FILE|URL", help="One more registry, asked before all others. Repeatable."),
]

group = typer.Typer(no_args_is_help=True, help="Registries: which are used, are they right, write an entry.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(search)
    app.add_typer(group, name="registry")


def load_registries(given: list[str] | None) -> Registries:
    """All registries, after saying what is wrong with some."""
    from zoo.registry.sources import load

    registries = load(given or [])
    for note in registries.notes:
        say(note)
    return registries


def search(
    query: Annotated[list[str] | None, typer.Argument(help="Words, all of which have to be found.")] = None,
    registry: Registry = None,
    json: Json = False,
) -> None:
    """Find plugins by name, summary, backbone or head, installed or not.

    Examples:

        zoo search

        zoo search roberta

        zoo search vit --registry https://example.org/registry.toml
    """
    from zoo.registry.search import search as find

    words = " ".join(query or [])
    found = find(words, load_registries(registry))
    if json:
        return print_json([one.facts | {"matches": {"backbones": one.backbones, "heads": one.heads}} for one in found])
    if not found:
        raise UnknownName(f"Nothing is found for {words!r}; `zoo search` shows all plugins.")
    rows = []
    for one in found:
        facts = one.facts
        state = facts["installed"] or ("" if facts["verified"] else "unverified")
        offers = f"{len(facts['backbones'])} backbones" if facts["backbones"] else ""
        offers += (", " if offers and facts["heads"] else "") + (
            f"{len(facts['heads'])} heads" if facts["heads"] else ""
        )
        rows.append([facts["name"], state, size(facts["bytes"]), facts["licence"], offers, facts["summary"]])
    print_table(["plugin", "installed", "size", "licence", "offers", "summary"], rows, right=["size"])
    for one in found:
        for kind, names in (("backbones", one.backbones), ("heads", one.heads)):
            if words and names:
                more = f" and {len(names) - 12} more" if len(names) > 12 else ""
                print(f"\n{one.facts['name']}: {kind} {', '.join(names[:12])}{more}")
    if absent := [one.facts["name"] for one in found if one.facts["installed"] is None]:
        print(f"\nTry: zoo install {absent[0]}")


@group.command("list")
def list_(registry: Registry = None, json: Json = False) -> None:
    """List the registries that are used, in the order in which they are asked.

    Example:

        zoo registry list
    """
    registries = load_registries(registry)
    counts: dict[str, int] = {}
    for listing in registries.listings.values():
        counts[listing.registry] = counts.get(listing.registry, 0) + 1
    if json:
        return print_json([{"registry": name, "plugins": number} for name, number in counts.items()])
    print_table(["registry", "plugins"], [[name, str(number)] for name, number in counts.items()], right=["plugins"])


@group.command()
def use(source: Annotated[str, typer.Argument(metavar="FILE|URL", help="A registry.")]) -> None:
    """Use a registry from now on, before all others.

    Example:

        zoo registry use https://zoo.example.org/registry.toml
    """
    from zoo.registry.sources import load

    kept = source if "://" in source else str(Path(source).expanduser().resolve())
    load([kept])
    set_registry(kept, use=True)
    print(f"{kept} is asked before all others.")


@group.command()
def forget(source: Annotated[str, typer.Argument(metavar="FILE|URL", help="As `zoo registry list` shows it.")]) -> None:
    """Use a registry no more.

    Example:

        zoo registry forget https://zoo.example.org/registry.toml
    """
    kept = source if source in configured() else str(Path(source).expanduser().resolve())
    if kept not in configured():
        raise UnknownName(f"{source} is not among the registries in use: {', '.join(configured()) or 'none'}.")
    set_registry(kept, use=False)
    print(f"{kept} is used no more.")


@group.command()
def check(file: Annotated[Path, typer.Argument(help="A registry.toml.")], json: Json = False) -> None:
    """Check a registry, for those who maintain one. Exit status 1 if anything is wrong.

    Example:

        zoo registry check registry.toml
    """
    from zoo.registry.format import parse
    from zoo.registry.sources import read_file

    entries, problems = parse(read_file(file), str(file))
    if json:
        print_json({"plugins": [entry.name for entry in entries], "problems": problems})
    else:
        for problem in problems:
            print(f"{file}: {problem}")
        backbones = sum(len(entry.backbones) for entry in entries)
        print(f"{file}: {len(entries)} plugins are right, with {count(backbones)} backbones; {len(problems)} are wrong")
    if problems:
        raise typer.Exit(1)


@group.command()
def schema() -> None:
    """Print the JSON schema of registries, for editors and other tools.

    Example:

        zoo registry schema > registry.schema.json
    """
    from zoo.registry.format import schema as json_schema

    content: dict[str, Any] = json_schema()
    print(json_library.dumps(content, indent=2))


@group.command()
def add(
    plugin: Annotated[str, typer.Argument(metavar="DIST", help="An installed plugin by name, or a wheel.")],
    to: Annotated[Path, typer.Option(help="The registry to write to; made where it does not exist.")] = Path(
        "registry.toml"
    ),
    verified: Annotated[bool, typer.Option(help="You have seen it pass `zoo check`.")] = False,
) -> None:
    """Write the entry of a plugin into a registry, hashes included; one of the same name is replaced.

    Examples:

        zoo registry add zoo-tiny

        zoo registry add wheels/zoo_tiny-1.0-py3-none-any.whl --to registry.toml
    """
    from zoo.registry.describe import describe, write

    if to.is_dir():
        raise BadRegistry(f"{to} is a folder; name the file: {to / 'registry.toml'}")
    entries = describe(plugin, to, verified=verified)
    write(entries, to)
    for entry in entries:
        hashes = f"{len(entry.artefacts)} hashed" if entry.artefacts else "not hashed, being a folder or a commit"
        print(f"{to}: {entry.name}, {entry.requirement} ({hashes})")
