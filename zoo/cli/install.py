"""`zoo install`, `zoo uninstall`, `zoo upgrade`: a plan first, then all of it or nothing. No TensorFlow."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import metadata
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from zoo.catalog import catalog
from zoo.cli.catalog import Json
from zoo.cli.output import print_json, print_table, size
from zoo.cli.registry import Registry, load_registries
from zoo.errors import CannotInstall

if TYPE_CHECKING:
    from zoo.registry.install import Plan
    from zoo.registry.installer import Options, Step

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show the plan.")]
FindLinks = Annotated[
    list[str] | None, typer.Option(metavar="DIR", help="A folder with wheels to look in. Repeatable.")
]
NoIndex = Annotated[bool, typer.Option("--no-index", help="Ask no package index: only --find-links.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (install, uninstall, upgrade):
        app.command()(command)


def complete_listed(incomplete: str) -> list[str]:
    """The plugins of all registries whose names begin so; no network is asked."""
    from zoo.registry.sources import load

    return [name for name in load(network=False).listings if name.startswith(incomplete)]


def complete_installed(incomplete: str) -> list[str]:
    """The installed plugins whose names begin so."""
    return [plugin.name for plugin in catalog().plugins if plugin.name.startswith(incomplete)]


def install(
    plugins: Annotated[
        list[str],
        typer.Argument(
            help="Names from `zoo search`, requirements, wheels, or folders.", autocompletion=complete_listed
        ),
    ],
    registry: Registry = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    find_links: FindLinks = None,
    no_index: NoIndex = False,
    json: Json = False,
) -> None:
    """Install plugins into this environment, or change nothing at all.

    TensorFlow, Keras, NumPy and zoo keep their versions, and so does all that the installed plugins need. A plugin that
    does not load, or whose file has another hash than its registry states, is taken out again.

    Examples:

        zoo install kerashub

        zoo install ./my-plugin 'zoo-tiny==1.0' wheels/zoo_other-2.0-py3-none-any.whl

        zoo install kerashub --find-links /media/usb/wheels --no-index --yes
    """
    from zoo.registry.install import plan_installation
    from zoo.registry.transaction import repair

    repair()
    options = _options(find_links, no_index)
    plan = plan_installation(plugins, load_registries(registry), options)
    _show_and_do(plan, options, "Install", yes, dry_run, json, f"{' and '.join(plugins)}: installed already.")


def upgrade(
    plugins: Annotated[
        list[str] | None,
        typer.Argument(help="Installed plugins (default: all).", autocompletion=complete_installed),
    ] = None,
    registry: Registry = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    find_links: FindLinks = None,
    no_index: NoIndex = False,
    json: Json = False,
) -> None:
    """Bring plugins to their newest versions; what they need changes only where it has to.

    Examples:

        zoo upgrade

        zoo upgrade kerashub --dry-run
    """
    from zoo.registry.install import plan_upgrade
    from zoo.registry.transaction import repair

    repair()
    options = _options(find_links, no_index)
    plan = plan_upgrade(plugins or [], load_registries(registry), options)
    _show_and_do(plan, options, "Upgrade", yes, dry_run, json, "Everything is up to date.")


def uninstall(
    plugins: Annotated[
        list[str], typer.Argument(help="Plugins, as `zoo plugins` shows them.", autocompletion=complete_installed)
    ],
    yes: Yes = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Remove plugins, and what was installed only for them. Their code is not run, so broken ones go too.

    Example:

        zoo uninstall kerashub
    """
    from zoo.registry.install import plan_removal, remove
    from zoo.registry.transaction import repair

    repair()
    distributions = plan_removal(plugins)
    versions = {name: metadata.version(name) for name in distributions}
    if not json:
        print_table(["remove", "version"], [[name, version] for name, version in versions.items()])
    if not dry_run:
        _ask("Remove", yes)
        remove(distributions)
    if json:
        print_json({"removed": versions, "done": not dry_run})


def _options(find_links: Sequence[str] | None, no_index: bool) -> Options:
    from zoo.registry.installer import Options

    return Options(tuple(find_links or ()), no_index)


def _show_and_do(plan: Plan, options: Options, verb: str, yes: bool, dry_run: bool, json: bool, nothing: str) -> None:
    from zoo.registry.install import carry_out

    rows = [_facts(plan, step) for step in plan.steps]
    document: dict[str, Any] = {"plan": rows, "done": False, "plugins": []}
    if not json:
        _print_plan(rows) if rows else print(nothing)
    if rows and not dry_run:
        _ask(verb, yes)
        plugins = carry_out(plan, options)
        document |= {"done": True, "plugins": [plugin.name for plugin in plugins]}
        for plugin in [] if json else plugins:
            offers = [*plugin.backbones.names, *plugin.heads.names]
            more = f" and {len(offers) - 5} more" if len(offers) > 5 else ""
            print(f"{plugin.distribution} {plugin.version} is installed, with {', '.join(offers[:5])}{more}")
            if plugin.backbones.names:
                print(f"Try: zoo info {plugin.backbones.names[0]}")
    if json:
        print_json(document)


def _facts(plan: Plan, step: Step) -> dict[str, Any]:
    listing = plan.listing(step)
    known = step.bytes or (listing.entry.bytes if listing else None) or None
    return {
        "distribution": step.name,
        "version": step.version,
        "replaces": step.replaces,
        "from": step.origin or "the index",
        "bytes": known,
        "registry": listing.registry if listing else None,
        "also_in": list(listing.hides) if listing else [],
        "verified": bool(listing and listing.entry.verified),
        "hashed": bool(listing and listing.entry.artefacts),
        "asked": step.asked,
    }


def _print_plan(rows: list[dict[str, Any]]) -> None:
    shown = []
    for row in rows:
        address = urlsplit(row["from"])
        trust = "verified" if row["verified"] else f"UNVERIFIED{'' if row['registry'] else ', in no registry'}"
        version = f"{row['replaces']} -> {row['version']}" if row["replaces"] else row["version"]
        place = address.hostname or address.path
        shown.append(
            [row["distribution"], version, place, size(row["bytes"]), trust if row["asked"] else "needed by it"]
        )
    print_table(["install", "version", "from", "size", ""], shown, right=["size"])
    for row in rows:
        if others := ", ".join(row["also_in"]):
            print(f"{row['distribution']} is taken from {row['registry']}, which is asked before {others}.")


def _ask(verb: str, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise CannotInstall(f"{verb}? There is no terminal to ask on; say --yes, or --dry-run to see the plan only.")
    if not typer.confirm(f"{verb}?", default=False, err=True):
        raise CannotInstall("Nothing was changed.")
