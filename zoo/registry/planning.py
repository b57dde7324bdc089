"""Planning what an installation, an upgrade or a removal changes, before anything is changed or run."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from zoo.catalog import catalog
from zoo.catalog.catalog import nearest
from zoo.errors import CannotInstall, UnknownName
from zoo.progress import progress, say
from zoo.registry.candidates import Candidate
from zoo.registry.environment import (
    constraints,
    distribution_of,
    installed,
    is_editable,
    is_of,
    library,
    only_needed_by,
    plugin_names,
    refuse_unmanageable,
)
from zoo.registry.installer import HOW_TO_BUILD, Options, resolve
from zoo.registry.request import Request, called, name_in, on_no_index, refuse_unlisted, request_of
from zoo.registry.source_code import UNKNOWN, Source, read_source, unresolved
from zoo.registry.sources import CHECKOUT, Listing, Registries
from zoo.web import without_password


@dataclass(frozen=True)
class InstallPlan:
    """What an installation would change; nothing has happened yet.

    builds  the packages of source code whose code runs when it is carried out, and not before
    limits  the constraints on versions, as lines for pip
    """

    requests: list[Request]
    candidates: list[Candidate]
    builds: list[Source] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)
    upgrade: bool = False

    @property
    def warnings(self) -> list[str]:
        """Sentences on what should be known before it is carried out."""
        said = [source.runs for source in self.builds]
        if unclear := [source.name for source in self.builds if source.needs is None]:
            said.append(f"What {' and '.join(unclear)} needs is known when it is built; you are asked again then.")
        for entry in (request.listing.entry for request in self.requests if request.listing):
            said += shared_names(entry.name, [one.name for one in entry.backbones], [one.name for one in entry.heads])
        return said

    def brings_more_than(self, other: InstallPlan) -> bool:
        """Whether it changes more than another plan said."""
        known = {(one.name, one.version, one.origin) for one in other.candidates}
        unclear = {one.name for one in other.candidates if one.version == UNKNOWN}
        return any(
            one.name not in unclear and (one.name, one.version, one.origin) not in known for one in self.candidates
        )

    def with_only(self, candidates: list[Candidate]) -> InstallPlan:
        """The plan that brings these and nothing else."""
        coming = {one.name for one in candidates}
        return replace(self, candidates=candidates, builds=[one for one in self.builds if one.name in coming])

    def listing(self, candidate: Candidate) -> Listing | None:
        """The registry's entry for a candidate."""
        listings = [request.listing for request in self.requests if request.listing]
        return next((one for one in listings if canonicalize_name(one.entry.distribution) == candidate.name), None)

    @property
    def changes(self) -> list[dict[str, Any]]:
        """A dict for each distribution that comes.

        distribution, version, and replaces, the version that goes (or None); from, the file or address it comes from;
        bytes, if known; registry, the one that lists it (or None), and also_in, others that do; verified, whether that
        registry vouches for it; hashed, whether it states a hash; asked, whether it was asked for or is only needed;
        runs, what builds it (code that runs when it is installed), or None
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
            "runs": next((one.backend for one in self.builds if one.name == candidate.name), None),
        }


def plan_installation(names: Sequence[str], registries: Registries, options: Options) -> InstallPlan:
    """Plan to install plugins by registry name, requirement, wheel or folder.

    Raises `CannotInstall`, naming the conflict, if they do not fit what is installed, and `UnknownName`.
    """
    _refuse_unmanageable()
    requests = [request_of(name, registries) for name in names]
    for request in requests:
        if not options.asks_no_index and (listing := on_no_index(request, registries)):
            raise CannotInstall(
                f"{request.asked} lies in {listing.entry.folder} of a checkout, which is not beside its registry "
                f"({listing.registry}), and as far as that says, no package index has it: what is there under its name "
                f"may be somebody else's. A checkout has it; name one first: {CHECKOUT}. "
                "Or give a folder with its wheel: --no-index --find-links FOLDER"
            )
    for request in requests:
        refuse_unlisted(request, registries, options)
        if request.is_code and not options.allow_build:
            raise CannotInstall(f"{request.asked} is source code, and installing that runs it. {HOW_TO_BUILD}")
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
        if not options.asks_no_index and on_no_index(request, registries):
            say(f"{name} is left as it is: it comes from a checkout. To name one: {CHECKOUT}")
            continue
        requests.append(request)
    if not requests:
        return InstallPlan([], [])
    changing = [request.asked for request in requests]
    plan = _plan(requests, constraints(changing), options, upgrade=True)
    left = [one for one in plan.candidates if not one.asked or one.replaces != one.version or _on_this_disk(one.given)]
    return plan.with_only(left)


def _on_this_disk(given: str) -> bool:
    """Whether it is a path or a file: address, whose content may be another although its version is the same."""
    return given.startswith("file:") or (bool(given) and "://" not in given)


def plan_removal(names: Sequence[str]) -> list[str]:
    """The distributions to remove: those of the plugins, and what only they needed."""
    _refuse_unmanageable()
    return only_needed_by([_installed_plugin(name).metadata["Name"] for name in names])


def _refuse_unmanageable() -> None:
    refuse_unmanageable(sys.prefix, sys.base_prefix, Path(sysconfig.get_path("stdlib")), library())


def _plan(requests: list[Request], limits: list[str], options: Options, *, upgrade: bool) -> InstallPlan:
    """The plan as far as it is known without running any code of what is to be installed."""
    present = installed()
    sources, wheels = [], []
    for request in requests:
        if request.is_folder or request.is_code:
            listing = request.listing
            sources.append(read_source(request.source, listing.entry.distribution if listing else ""))
        else:
            wheels.append(request)
    needs = [text for source in sources for text in source.needs or ()]
    given = [*(request.source for request in wheels), *needs]
    found: list[Candidate] = []
    with progress("Finding out what is needed", None, ""):
        try:
            found = resolve(given, limits, options, upgrade=upgrade) if given else []
        except CannotInstall:
            if not options.allow_build:
                raise
            sources += [unresolved(called(request.source)) for request in wheels]
    only_needed = {canonicalize_name(Requirement(text).name) for text in needs}
    only_needed -= {canonicalize_name(name) for request in wheels if (name := name_in(request.source))}
    found = [replace(one, asked=one.asked and one.name not in only_needed) for one in found]
    candidates = [
        Candidate(
            one.name,
            one.version,
            one.given,
            asked=True,
            origin=Path(one.given).as_uri() if one.is_folder else without_password(one.given),
            replaces=present[one.name].version if one.name in present else None,
        )
        for one in sources
    ]
    return checked(InstallPlan(requests, candidates + found, sources, limits, upgrade))


def checked(plan: InstallPlan) -> InstallPlan:
    """The plan with the hashes that registries state, and without what is there already as editable."""
    present = installed()
    candidates = []
    for one in plan.candidates:
        if one.replaces and is_editable(present[one.name]):
            if not one.given or not is_of(present[one.name], one.folder or one.given):
                raise _editable(one.name)
            continue  # it is that folder already
        listing = plan.listing(one)
        if listing and listing.entry.artefacts and not Path(listing.source).is_dir():
            one = replace(one, sha256=tuple(artefact.sha256 for artefact in listing.entry.artefacts))
        candidates.append(one)
    return plan.with_only(candidates)


def shared_names(plugin: str, backbones: Sequence[str], heads: Sequence[str]) -> list[str]:
    """Sentences on what a plugin offers under a name that another installed one has, too."""
    known = catalog()
    pairs = [(offer, backbones) for offer in known.backbones] + [(offer, heads) for offer in known.heads]
    others = [(o.own_name, o.plugin) for o, names in pairs if o.own_name in names and o.plugin != plugin]
    return [f"{name} is offered by the plugin {o}, too: say {plugin}/{name} or {o}/{name}." for name, o in others]


def _editable(name: str) -> CannotInstall:
    return CannotInstall(f"{name} is installed as editable, so it is already whatever its folder contains.")


def _installed_plugin(name: str) -> metadata.Distribution:
    if distribution := distribution_of(name):
        return distribution
    known = sorted({plugin for d in installed().values() for plugin in plugin_names(d)})
    similar = nearest(name, known)
    hint = f" Did you mean {' or '.join(similar)}?" if similar else ""
    raise UnknownName(f"No plugin called {name!r} is installed.{hint} `zoo plugins` lists all {len(known)}.")
