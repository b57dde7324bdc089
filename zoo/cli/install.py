"""`zoo install`, `zoo upgrade`, `zoo uninstall`: a plan first, then all of it or nothing. No TensorFlow."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from zoo import api
from zoo.cli import complete
from zoo.cli.catalog import Json
from zoo.cli.output import print_json, print_line, print_table, size
from zoo.cli.registry import Registry
from zoo.errors import CannotInstall

if TYPE_CHECKING:
    from zoo.catalog import Plugin
    from zoo.registry.planning import InstallPlan

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show the plan.")]
FindLinks = Annotated[list[str] | None, typer.Option(metavar="DIR", help="A folder of wheels to look in. Repeatable.")]
NoIndex = Annotated[bool, typer.Option("--no-index", help="Look in --find-links only, in no package index.")]
Build = Annotated[bool, typer.Option("--allow-build", help="Take source code, too, which runs when it is built.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (install, uninstall, upgrade):
        app.command()(command)


def install(
    plugins: Annotated[
        list[str],
        typer.Argument(
            metavar="PLUGIN",
            help="Names from `zoo search`, requirements, wheels, or folders.",
            autocompletion=complete.listed_plugins,
        ),
    ],
    registry: Registry = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    find_links: FindLinks = None,
    no_index: NoIndex = False,
    unlisted: Annotated[
        bool, typer.Option("--unlisted", help="Take from the package index what no registry lists.")
    ] = False,
    allow_build: Build = False,
    json: Json = False,
) -> None:
    """Install plugins, or change nothing at all.

    TensorFlow, Keras, NumPy and zoo keep their versions, and whatever the installed plugins need stays in the range in
    which it is needed. A plugin that does not load, or whose file has another hash than its registry states, is not
    installed.

    Wheels and folders are taken. No code of a plugin runs before you agree, and none with --dry-run. After that, it
    runs with your rights.

    Examples:

        zoo install kerashub

        zoo install ./my-plugin zoo_other-2.0-py3-none-any.whl

        zoo install --unlisted 'zoo-tiny==1.0'

        zoo install kerashub --find-links /media/usb/wheels --no-index --yes
    """
    done = api.install(
        plugins,
        registries=registry or [],
        find_links=find_links or [],
        no_index=no_index,
        unlisted=unlisted,
        allow_build=allow_build,
        dry_run=dry_run,
        confirm=_confirming("Install", yes, json),
    )
    _print_installation(done, dry_run, json, f"{' and '.join(plugins)}: installed already.")


def upgrade(
    plugins: Annotated[
        list[str] | None,
        typer.Argument(metavar="PLUGIN", help="Installed plugins (default: all).", autocompletion=complete.plugins),
    ] = None,
    registry: Registry = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    find_links: FindLinks = None,
    no_index: NoIndex = False,
    allow_build: Build = False,
    json: Json = False,
) -> None:
    """Upgrade plugins to their newest versions.

    What they need changes only where it has to.

    Examples:

        zoo upgrade

        zoo upgrade kerashub --dry-run
    """
    done = api.upgrade(
        plugins or [],
        registries=registry or [],
        find_links=find_links or [],
        no_index=no_index,
        allow_build=allow_build,
        dry_run=dry_run,
        confirm=_confirming("Upgrade", yes, json),
    )
    _print_installation(done, dry_run, json, "Everything is up to date.")


def uninstall(
    plugins: Annotated[
        list[str],
        typer.Argument(metavar="PLUGIN", help="Names, as `zoo plugins` shows them.", autocompletion=complete.plugins),
    ],
    yes: Yes = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Remove plugins, and what was installed only for them.

    Their code is not run, so broken ones can be removed, too.

    Example:

        zoo uninstall kerashub
    """

    def confirm(versions: dict[str, str]) -> bool:
        if not json:
            _print_removal(versions)
        return yes or _agrees("Remove")

    found = api.uninstall(plugins, dry_run=dry_run, confirm=confirm)
    _refuse_unless(found.done or dry_run)
    if json:
        print_json({"removed": found.removed, "done": found.done})
    elif dry_run:
        _print_removal(found.removed)


def _confirming(verb: str, yes: bool, json: bool) -> Callable[[InstallPlan], bool]:
    """Shows a plan, and asks whether to carry it out unless the person has said yes already."""

    def confirm(plan: InstallPlan) -> bool:
        if not json:
            _print_plan(plan)
        return yes or _agrees(verb)

    return confirm


def _agrees(verb: str) -> bool:
    if not sys.stdin.isatty():
        raise CannotInstall(f"{verb}? There is no terminal to ask on. Add --yes, or --dry-run to only see the plan.")
    return typer.confirm(f"{verb}?", default=False, err=True)


def _refuse_unless(agreed: bool) -> None:
    if not agreed:
        raise CannotInstall("Nothing was changed.")


def _print_installation(found: api.Installation, dry_run: bool, json: bool, nothing: str) -> None:
    changes = found.plan.changes
    _refuse_unless(found.done or dry_run or not changes)
    if json:
        print_json(
            {
                "plan": changes,
                "warnings": found.warnings,
                "done": found.done,
                "plugins": [plugin.name for plugin in found.plugins],
            }
        )
    elif not changes:
        print_line(nothing)
    elif dry_run:
        _print_plan(found.plan)
    if found.done and not json:
        for plugin in found.plugins:
            _print_plugin(plugin)
        for warning in [said for said in found.warnings if said not in found.plan.warnings]:
            print_line(warning)


def _print_plugin(plugin: Plugin) -> None:
    offers = [*plugin.backbones.names, *plugin.heads.names]
    more = f" and {len(offers) - 5} more" if len(offers) > 5 else ""
    print_line(f"{plugin.distribution} {plugin.version} is installed, with {', '.join(offers[:5])}{more}")
    if plugin.backbones.names:
        print_line(f"Try: zoo info {plugin.backbones.names[0]}")


def _print_plan(plan: InstallPlan) -> None:
    rows = []
    changes = plan.changes
    for change in changes:
        address = urlsplit(change["from"])
        trust = "verified" if change["verified"] else f"UNVERIFIED{'' if change['registry'] else ', in no registry'}"
        version = f"{change['replaces']} -> {change['version']}" if change["replaces"] else change["version"]
        place = address.hostname or address.path
        why = trust if change["asked"] else "needed by it"
        rows.append([change["distribution"], version, place, size(change["bytes"]), why])
    print_table(["install", "version", "from", "size", ""], rows, right=["size"])
    for change in changes:
        if others := ", ".join(change["also_in"]):
            print_line(f"{change['distribution']} comes from {change['registry']}, which is asked before {others}.")
    for warning in plan.warnings:
        print_line(warning)


def _print_removal(versions: dict[str, str]) -> None:
    print_table(["remove", "version"], [[name, version] for name, version in versions.items()])
