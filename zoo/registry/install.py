"""Installing, upgrading and removing plugins: planned first, then all or nothing, then seen to work."""

from __future__ import annotations

import importlib
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from zoo.catalog import catalog
from zoo.catalog.catalog import nearest
from zoo.catalog.host import Plugin
from zoo.errors import CannotInstall, UnknownName
from zoo.progress import progress
from zoo.registry.environment import (
    CAME_FOR_A_PLUGIN,
    constraints,
    distribution_of,
    files_of,
    installed,
    is_editable,
    library,
    only_needed_by,
    plugin_names,
    refuse_unmanageable,
)
from zoo.registry.installer import Options, Step, lay_out, resolve
from zoo.registry.probe import look
from zoo.registry.sources import Listing, Registries
from zoo.registry.transaction import transaction


@dataclass(frozen=True)
class Request:
    """What a person asked for, what pip is asked for, and the registry's entry where it is from one."""

    asked: str
    source: str
    listing: Listing | None = None


@dataclass(frozen=True)
class Plan:
    """What an installation would do; nothing has happened yet."""

    requests: list[Request]
    steps: list[Step]

    def listing(self, step: Step) -> Listing | None:
        """The registry's entry for what a step brings."""
        listings = [request.listing for request in self.requests if request.listing]
        return next((one for one in listings if canonicalize_name(one.entry.distribution) == step.name), None)


def plan_installation(names: Sequence[str], registries: Registries, options: Options) -> Plan:
    """Plan to install plugins by registry name, requirement, wheel or folder.

    Raises `CannotInstall` naming the conflict where they cannot live with what is here, and `UnknownName`.
    """
    refuse_unmanageable(sys.prefix, sys.base_prefix, Path(sysconfig.get_path("stdlib")), library())
    requests = [_request(name, registries) for name in names]
    try:
        return _plan(requests, constraints(), options, upgrade=False)
    except CannotInstall as error:
        unknown = [r.asked for r in requests if r.listing is None and r.asked in str(error)]
        similar = nearest(unknown[0], registries.listings) if unknown else []
        hint = f" The registry has {' and '.join(similar)}." if similar else ""
        raise CannotInstall(f"{', '.join(names)} cannot be installed: {error}{hint}") from None


def plan_upgrade(names: Sequence[str], registries: Registries, options: Options) -> Plan:
    """Plan to bring plugins (all that are not editable, where no names are given) to their newest versions."""
    refuse_unmanageable(sys.prefix, sys.base_prefix, Path(sysconfig.get_path("stdlib")), library())
    everything = installed().values()
    chosen = [_installed_plugin(name) for name in names] or [d for d in everything if plugin_names(d)]
    requests = []
    for distribution in chosen:
        name = canonicalize_name(distribution.metadata["Name"])
        if is_editable(distribution):
            if names:
                raise CannotInstall(f"{name} is installed as editable: what is in its folder is what runs.")
            continue
        listed = [registries.listings[p] for p in plugin_names(distribution) if p in registries.listings]
        listing = next((one for one in listed if canonicalize_name(one.entry.distribution) == name), None)
        requests.append(Request(name, listing.source if listing else name, listing))
    if not requests:
        return Plan([], [])
    changing = [request.asked for request in requests]
    plan = _plan(requests, constraints(changing), options, upgrade=True)
    same = [s for s in plan.steps if s.asked and s.replaces == s.version and not s.given.startswith("file:")]
    return Plan(requests, [step for step in plan.steps if step not in same])


def carry_out(plan: Plan, options: Options) -> list[Plugin]:
    """Do what was planned; gives the plugins that came. Whatever fails, the environment is as it was.

    Raises `CannotInstall` with the reason: a file with another hash, or a plugin that breaks the contract when a fresh
    process loads it.
    """
    asked = [one for one in plan.steps if one.asked]
    names = " and ".join(one.name for one in asked)
    present = installed()
    before = {plugin.name for plugin in catalog().plugins if plugin.status == "loaded"}
    with transaction(f"The installation of {names}") as change:
        lay_out(plan.steps, change.stage, options)
        for one in plan.steps:
            if not one.asked:
                _mark_as_needed(change.stage, one)
        replaced = [present[one.name] for one in plan.steps if one.replaces]
        change.move(path for distribution in replaced for path in files_of(distribution))
        with progress("Trying it in a fresh process", None, ""):
            plugins = _working_plugins([one.name for one in asked], before)
    _forget()
    return plugins


def plan_removal(names: Sequence[str]) -> list[str]:
    """The distributions to remove: those of the plugins, and what only they needed."""
    refuse_unmanageable(sys.prefix, sys.base_prefix, Path(sysconfig.get_path("stdlib")), library())
    return only_needed_by([_installed_plugin(name).metadata["Name"] for name in names])


def remove(distributions: Sequence[str]) -> None:
    """Remove distributions, all or none; their code is not run."""
    present = installed()
    with transaction(f"The removal of {' and '.join(distributions)}") as change:
        change.move(path for name in distributions for path in files_of(present[name]))
    _forget()


def _request(asked: str, registries: Registries) -> Request:
    if listing := registries.listings.get(asked):
        return Request(asked, listing.source, listing)
    if asked.startswith(("git+https://", "https://")):
        return Request(asked, asked)
    path = Path(asked).expanduser()
    if "/" in asked or asked.endswith(".whl"):
        if not path.exists():
            raise CannotInstall(f"{asked} does not exist; give a folder, a wheel, a requirement, or a registry name.")
        return Request(asked, str(path.resolve()))
    try:
        Requirement(asked)
    except InvalidRequirement:
        similar = nearest(asked, registries.listings)
        hint = f" Did you mean {' or '.join(similar)}?" if similar else " `zoo search` shows what there is."
        raise UnknownName(f"{asked!r} is neither a plugin of a registry nor a requirement.{hint}") from None
    return Request(asked, asked)


def _plan(requests: list[Request], limits: list[str], options: Options, *, upgrade: bool) -> Plan:
    with progress("Finding out what is needed", None, ""):
        steps = resolve([request.source for request in requests], limits, options, upgrade=upgrade)
    plan = Plan(requests, steps)
    present = installed()
    for number, one in enumerate(steps):
        if one.replaces and is_editable(present[one.name]):
            raise CannotInstall(f"{one.name} is installed as editable: what is in its folder is what runs.")
        listing = plan.listing(one)
        if listing and listing.entry.artefacts and not Path(listing.source).is_dir():
            steps[number] = replace(one, sha256=tuple(artefact.sha256 for artefact in listing.entry.artefacts))
    return plan


def _installed_plugin(name: str) -> importlib.metadata.Distribution:
    if distribution := distribution_of(name):
        return distribution
    known = sorted({plugin for d in installed().values() for plugin in plugin_names(d)})
    similar = nearest(name, known)
    hint = f" Did you mean {' or '.join(similar)}?" if similar else ""
    raise UnknownName(f"No plugin called {name!r} is installed.{hint} `zoo plugins` shows all {len(known)}.")


def _mark_as_needed(stage: Path, needed: Step) -> None:
    """In place of pip's mark of what a person asked for put ours: it goes when the plugin that it came for goes."""
    for folder in stage.rglob("*.dist-info"):
        name, _, _ = folder.name.removesuffix(".dist-info").rpartition("-")
        if canonicalize_name(name) == needed.name:
            record = folder / "RECORD"
            lines = record.read_text(encoding="utf-8").splitlines()
            kept = [line for line in lines if not line.startswith(f"{folder.name}/REQUESTED,")]
            record.write_text("\n".join([*kept, f"{folder.name}/{CAME_FOR_A_PLUGIN},,"]) + "\n", encoding="utf-8")
            (folder / "REQUESTED").unlink(missing_ok=True)
            (folder / CAME_FOR_A_PLUGIN).touch()


def _working_plugins(distributions: list[str], before: set[str]) -> list[Plugin]:
    """The plugins of the distributions, as a fresh process sees them; raises where one breaks the contract."""
    seen = look(distributions)
    if not seen.plugins:
        raise CannotInstall("It is no plugin of zoo: it has no entry point in the group zoo.plugins.")
    for plugin in seen.plugins:
        if plugin.status == "failed":
            raise CannotInstall(f"The plugin {plugin.name} does not load: {plugin.reason}.")
    if seen.heavy:
        heavy = " and ".join(seen.heavy)
        raise CannotInstall(f"Loading it imports {heavy}, so every command would be slow; that belongs into `build`.")
    for plugin in seen.all:
        mine = canonicalize_name(plugin.distribution) in distributions
        if plugin.status == "failed" and (mine or plugin.name in before):
            raise CannotInstall(f"With it, the plugin {plugin.name} no longer loads: {plugin.reason}.")
    return seen.plugins


def _forget() -> None:
    importlib.invalidate_caches()
    catalog.cache_clear()
