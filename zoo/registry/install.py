"""Installing, upgrading and removing plugins: planned first, then carried out as a whole or not at all, then tried."""

from __future__ import annotations

import importlib
import os
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from zoo.catalog import catalog
from zoo.catalog.catalog import nearest
from zoo.catalog.host import examined
from zoo.catalog.plugin import Plugin
from zoo.catalog.points import installed_points
from zoo.catalog.settings import disabled_plugins
from zoo.errors import CannotInstall, UnknownName
from zoo.progress import progress, say
from zoo.registry.environment import (
    CAME_FOR_A_PLUGIN,
    constraints,
    distribution_of,
    files_of,
    installed,
    is_editable,
    is_of,
    library,
    only_needed_by,
    plugin_names,
    refuse_unmanageable,
)
from zoo.registry.installer import Candidate, Options, lay_out, resolve
from zoo.registry.sources import CHECKOUT, Listing, Registries
from zoo.registry.transaction import transaction


@dataclass(frozen=True)
class Request:
    """What a person asked for, what pip is asked for, and the registry's entry when it comes from one."""

    asked: str
    source: str
    listing: Listing | None = None


@dataclass(frozen=True)
class InstallPlan:
    """What an installation would change; nothing has happened yet."""

    requests: list[Request]
    candidates: list[Candidate]

    def listing(self, candidate: Candidate) -> Listing | None:
        """The registry's entry for a candidate."""
        listings = [request.listing for request in self.requests if request.listing]
        return next((one for one in listings if canonicalize_name(one.entry.distribution) == candidate.name), None)

    @property
    def changes(self) -> list[dict[str, Any]]:
        """A dict for each distribution that comes.

        distribution, version, and replaces, the version that goes (or None); from, the file or address it comes from;
        bytes, if known; registry, the one that lists it (or None), and also_in, others that do; verified, whether that
        registry vouches for it; hashed, whether it states a hash; asked, whether it was asked for or is only needed
        """
        return [self._change(candidate) for candidate in self.candidates]

    def _change(self, candidate: Candidate) -> dict[str, Any]:
        listing = self.listing(candidate)
        return {
            "distribution": candidate.name,
            "version": candidate.version,
            "replaces": candidate.replaces,
            "from": candidate.origin or "the index",
            "bytes": candidate.bytes or (listing.entry.bytes if listing else None) or None,
            "registry": listing.registry if listing else None,
            "also_in": list(listing.hides) if listing else [],
            "verified": bool(listing and listing.entry.verified),
            "hashed": bool(listing and listing.entry.artefacts),
            "asked": candidate.asked,
        }


def plan_installation(names: Sequence[str], registries: Registries, options: Options) -> InstallPlan:
    """Plan to install plugins by registry name, requirement, wheel or folder.

    Raises `CannotInstall`, naming the conflict, if they do not fit what is installed, and `UnknownName`.
    """
    _refuse_unmanageable()
    requests = [_request(name, registries) for name in names]
    for request in requests:
        if not options.asks_no_index and (listing := _on_no_index(request, registries)):
            raise CannotInstall(
                f"{request.asked} lies in {listing.entry.folder} of a checkout, which is not beside its registry "
                f"({listing.registry}), and as far as that says, no package index has it: what is there under its name "
                f"may be somebody else's. A checkout has it; name one first: {CHECKOUT}. "
                "Or give a folder with its wheel: --no-index --find-links FOLDER"
            )
    try:
        return _plan(requests, constraints(), options, upgrade=False)
    except CannotInstall as error:
        unknown = [r.asked for r in requests if r.listing is None and r.asked in str(error)]
        similar = nearest(unknown[0], registries.listings) if unknown else []
        hint = f" The registry has {' and '.join(similar)}." if similar else ""
        if any(request.listing and request.listing.needs_checkout for request in requests):
            hint = f" A checkout has it; name one first: {CHECKOUT}"
        raise CannotInstall(f"Cannot install {', '.join(names)}: {error}{hint}") from None


def plan_upgrade(names: Sequence[str], registries: Registries, options: Options) -> InstallPlan:
    """Plan to upgrade plugins (without names, all that are not editable) to their newest versions."""
    _refuse_unmanageable()
    everything = installed().values()
    chosen = [_installed_plugin(name) for name in names] or [d for d in everything if plugin_names(d)]
    requests = []
    for distribution in chosen:
        name = canonicalize_name(distribution.metadata["Name"])
        if is_editable(distribution):
            if names:
                raise _editable(name)
            continue
        listed = [registries.listings[p] for p in plugin_names(distribution) if p in registries.listings]
        listing = next((one for one in listed if canonicalize_name(one.entry.distribution) == name), None)
        request = Request(name, listing.source if listing else name, listing)
        if not options.asks_no_index and _on_no_index(request, registries):
            say(f"{name} is left as it is: it comes from a checkout. To name one: {CHECKOUT}")
            continue
        requests.append(request)
    if not requests:
        return InstallPlan([], [])
    changing = [request.asked for request in requests]
    plan = _plan(requests, constraints(changing), options, upgrade=True)
    same = [c for c in plan.candidates if c.asked and c.replaces == c.version and not c.given.startswith("file:")]
    return InstallPlan(requests, [candidate for candidate in plan.candidates if candidate not in same])


def carry_out(plan: InstallPlan, options: Options) -> list[Plugin]:
    """Carry out a plan; returns the plugins that came. If anything fails, the environment is as it was.

    Raises `CannotInstall` with the reason: a file with another hash, or a plugin that breaks the contract when a fresh
    process loads it.
    """
    asked = [one for one in plan.candidates if one.asked]
    names = " and ".join(one.name for one in asked)
    before = {plugin.name for plugin in catalog().plugins if plugin.status == "loaded"}
    with transaction(f"The installation of {names}") as change:
        present = _all_present([one.name for one in plan.candidates if one.replaces])
        lay_out(plan.candidates, change.staging, options)
        for one in plan.candidates:
            if not one.asked:
                _mark_as_needed(change.staging, one)
        replaced = [present[one.name] for one in plan.candidates if one.replaces]
        change.move(path for distribution in replaced for path in files_of(distribution))
        with progress("Trying it in a fresh process", None, ""):
            plugins = _working_plugins([one.name for one in asked], before)
    _forget()
    return plugins


def plan_removal(names: Sequence[str]) -> list[str]:
    """The distributions to remove: those of the plugins, and what only they needed."""
    _refuse_unmanageable()
    return only_needed_by([_installed_plugin(name).metadata["Name"] for name in names])


def remove(distributions: Sequence[str]) -> None:
    """Remove distributions, all or none of them; their code is not run."""
    with transaction(f"The removal of {' and '.join(distributions)}") as change:
        present = _all_present([canonicalize_name(name) for name in distributions])
        change.move(path for name in distributions for path in files_of(present[canonicalize_name(name)]))
    _forget()


def _all_present(names: Sequence[str]) -> dict[str, importlib.metadata.Distribution]:
    """What is installed, now that no other zoo can change it; raises `CannotInstall` if one of these is gone."""
    importlib.invalidate_caches()
    present = installed()
    if gone := [name for name in names if name not in present]:
        verb = "is" if len(gone) == 1 else "are"
        raise CannotInstall(f"{' and '.join(gone)} {verb} gone: something else removed it meanwhile. Run it again.")
    return present


def _refuse_unmanageable() -> None:
    refuse_unmanageable(sys.prefix, sys.base_prefix, Path(sysconfig.get_path("stdlib")), library())


def _request(asked: str, registries: Registries) -> Request:
    if listing := registries.listings.get(asked):
        return Request(asked, listing.source, listing)
    path = Path(asked).expanduser()
    is_path = asked.endswith(".whl") or any(sign in asked for sign in ("/", os.sep, os.altsep or os.sep))
    if is_path and path.exists():
        return Request(asked, str(path.resolve()))
    try:
        requirement = Requirement(asked)
    except InvalidRequirement:
        requirement = None
    address = requirement.url if requirement else asked if "://" in asked else None
    if address:
        if not address.removeprefix("git+").startswith(("https://", "file://")):
            raise CannotInstall(f"{asked} is not at an https:// address. Give one, or a file on this disk.")
        return Request(asked, asked)
    if is_path:
        raise CannotInstall(f"{asked} does not exist. Give a folder, a wheel, a requirement, or a registry's name.")
    if requirement is None:
        similar = nearest(asked, registries.listings)
        hint = f"Did you mean {' or '.join(similar)}?" if similar else "`zoo search` lists all plugins."
        raise UnknownName(f"{asked!r} is neither a plugin in a registry nor a requirement. {hint}")
    return Request(asked, asked)


def _on_no_index(request: Request, registries: Registries) -> Listing | None:
    """The entry for which pip would look on a package index, although only a checkout has its plugin."""
    try:
        requirement = Requirement(request.source)
    except InvalidRequirement:  # a path or an address
        return None
    if requirement.url:
        return None
    name, listings = canonicalize_name(requirement.name), registries.listings.values()
    same = (one for one in listings if canonicalize_name(one.entry.distribution) == name)
    return next((one for one in same if one.needs_checkout), None)


def _plan(requests: list[Request], limits: list[str], options: Options, *, upgrade: bool) -> InstallPlan:
    with progress("Finding out what is needed", None, ""):
        candidates = resolve([request.source for request in requests], limits, options, upgrade=upgrade)
    plan = InstallPlan(requests, candidates)
    present = installed()
    for one in list(candidates):
        if one.replaces and is_editable(present[one.name]):
            if not one.given or not is_of(present[one.name], one.given):
                raise _editable(one.name)
            candidates.remove(one)  # it is that folder already
    for number, one in enumerate(candidates):
        listing = plan.listing(one)
        if listing and listing.entry.artefacts and not Path(listing.source).is_dir():
            candidates[number] = replace(one, sha256=tuple(artefact.sha256 for artefact in listing.entry.artefacts))
    return plan


def _editable(name: str) -> CannotInstall:
    return CannotInstall(f"{name} is installed as editable, so it is already whatever its folder contains.")


def _installed_plugin(name: str) -> importlib.metadata.Distribution:
    if distribution := distribution_of(name):
        return distribution
    known = sorted({plugin for d in installed().values() for plugin in plugin_names(d)})
    similar = nearest(name, known)
    hint = f" Did you mean {' or '.join(similar)}?" if similar else ""
    raise UnknownName(f"No plugin called {name!r} is installed.{hint} `zoo plugins` lists all {len(known)}.")


def _mark_as_needed(staging: Path, needed: Candidate) -> None:
    """Replace pip's mark that a person asked for it by ours: it is removed with the plugin that it came for."""
    for folder in staging.rglob("*.dist-info"):
        name, _, _ = folder.name.removesuffix(".dist-info").rpartition("-")
        if canonicalize_name(name) == needed.name:
            record = folder / "RECORD"
            lines = record.read_text(encoding="utf-8").splitlines()
            others = [line for line in lines if not line.startswith(f"{folder.name}/REQUESTED,")]
            record.write_text("\n".join([*others, f"{folder.name}/{CAME_FOR_A_PLUGIN},,"]) + "\n", encoding="utf-8")
            (folder / "REQUESTED").unlink(missing_ok=True)
            (folder / CAME_FOR_A_PLUGIN).touch()


def _working_plugins(distributions: list[str], before: set[str]) -> list[Plugin]:
    """The plugins of the distributions, as another process sees them; raises if one of them breaks the contract."""
    importlib.invalidate_caches()
    everything = examined(installed_points(), disabled_plugins())
    own = [plugin for plugin in everything if canonicalize_name(plugin.distribution) in distributions]
    if not own:
        raise CannotInstall("It is not a plugin of zoo: it has no entry point in the group zoo.plugins.")
    for plugin in own:
        if plugin.status == "failed":
            raise CannotInstall(f"The plugin {plugin.name} does not load: {plugin.reason}.")
        if plugin.heavy:
            heavy = " and ".join(plugin.heavy)
            raise CannotInstall(f"Loading it imports {heavy}, which slows down every command; it has to be in `build`.")
    for plugin in everything:
        if plugin.status == "failed" and plugin.name in before:
            raise CannotInstall(f"With it, the plugin {plugin.name} no longer loads: {plugin.reason}.")
    return own


def _forget() -> None:
    importlib.invalidate_caches()
    catalog.cache_clear()
