"""Carrying out a plan: what is source code is built, then everything comes or goes, or nothing, and is tried."""

from __future__ import annotations

import csv
import importlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

from packaging.utils import canonicalize_name

from zoo.catalog import catalog
from zoo.catalog.host import examined
from zoo.catalog.plugin import Plugin
from zoo.catalog.points import installed_points
from zoo.catalog.settings import disabled_plugins
from zoo.errors import CannotInstall
from zoo.progress import progress, say
from zoo.registry.candidates import Candidate
from zoo.registry.environment import (
    CAME_FOR_A_PLUGIN,
    files_of,
    installed,
)
from zoo.registry.installer import Options, build_wheel, lay_out, resolve
from zoo.registry.planning import InstallPlan, checked
from zoo.registry.source_code import as_from_folder
from zoo.registry.transaction import transaction


@contextmanager
def built(plan: InstallPlan, options: Options) -> Iterator[InstallPlan]:
    """The plan when what it builds is built, which runs code: all its versions are known, and what it needs.

    The wheels are there until the block ends. Raises `CannotInstall`.
    """
    with tempfile.TemporaryDirectory() as place:
        wheels = {}
        for number, source in enumerate(source for source in plan.builds if source.is_folder):
            with progress(f"Building {source.name}", None, ""):
                wheels[source.given] = str(build_wheel(source.given, Path(place, str(number)), options))
        given = [wheels.get(request.source, request.source) for request in plan.requests]
        with progress("Finding out what is needed", None, ""):
            found = resolve(given, plan.limits, options, upgrade=plan.upgrade, build=options.allow_build)
        folders = {Path(wheel).name: folder for folder, wheel in wheels.items()}
        candidates = [replace(one, folder=folders.get(unquote(one.origin.rpartition("/")[2]), "")) for one in found]
        candidates = [replace(one, origin=Path(one.folder).as_uri()) if one.folder else one for one in candidates]
        yield checked(replace(plan, candidates=candidates))


def carry_out(plan: InstallPlan, options: Options) -> list[Plugin]:
    """Carry out a plan of which everything is built; returns the plugins that came.

    If anything fails, the environment is as it was.

    Raises `CannotInstall` with the reason: a file with another hash, or a plugin that breaks the contract when a fresh
    process loads it.
    """
    asked = [one for one in plan.candidates if one.asked]
    names = " and ".join(one.name for one in asked)
    before = {plugin.name for plugin in catalog().plugins if plugin.status == "loaded"}
    with transaction(f"The installation of {names}") as change:
        present = _all_present([one.name for one in plan.candidates if one.replaces])
        lay_out(plan.candidates, change.staging, options)
        _refuse_surprises(change.staging, plan)
        for one in plan.candidates:
            if not one.asked:
                _mark_as_needed(change.staging, one)
            if one.folder:
                as_from_folder(change.staging, one.name, Path(one.folder))
        replaced = [present[one.name] for one in plan.candidates if one.replaces]
        change.move(path for distribution in replaced for path in files_of(distribution))
        with progress("Trying it in a fresh process", None, ""):
            plugins = _working_plugins([one.name for one in asked], before)
    _forget()
    return plugins


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


def _refuse_surprises(staging: Path, plan: InstallPlan) -> None:
    """Raise `CannotInstall` if what was laid out is more than the plan says, or would run whenever Python starts.

    What a plugin needs may have path files, as setuptools has, which is said.
    """
    coming = {one.name: one for one in plan.candidates}
    needed: dict[Path, str] = {}
    for about in [*staging.rglob("*.dist-info"), *staging.rglob("*.egg-info")]:
        name = canonicalize_name(about.name.removesuffix(".dist-info").removesuffix(".egg-info").rpartition("-")[0])
        if name not in coming:
            raise CannotInstall(f"It brings {about.name}, a distribution that the plan does not name.")
        record = about / "RECORD"
        lines = record.read_text(encoding="utf-8", errors="replace").splitlines() if record.is_file() else []
        for row in csv.reader(lines):
            path = Path(os.path.abspath(about.parent / row[0])) if row and row[0] else about
            if not os.path.lexists(path):
                raise CannotInstall(f"The RECORD of {name} names {row[0]}, which is not in it.")
            needed |= {} if coming[name].asked else {path: name}
    for path in staging.rglob("*"):
        if path.name.partition(".")[0] in ("sitecustomize", "usercustomize") or path.suffix == ".pth":
            owner = needed.get(Path(os.path.abspath(path)))
            if path.suffix != ".pth" or owner is None:
                raise CannotInstall(f"It brings {path.name}, which would run whenever Python starts.")
            say(f"Note: {owner}, which it needs, brings {path.name}, which runs whenever Python starts.")


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
