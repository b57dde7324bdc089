"""The hooks that a plugin may implement. All are optional; each is called on one plugin at a time.

A plugin is an ordinary distribution with an entry point in the group `zoo.plugins` that names a module. The module says
which versions of this interface it was written for (`ZOO_API = ">=1.0,<2"`) and marks its hooks with `zoo.hookimpl`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import keras
    import typer

    from zoo.catalog.specs import Backbone, Head, Modality
    from zoo.reports.section import Section
    from zoo.runs.folder import RunFolder
    from zoo.runs.run import Run

API_VERSION = "1.2"
GROUP = "zoo.plugins"

hookspec = pluggy.HookspecMarker("zoo")
hookimpl = pluggy.HookimplMarker("zoo")


@hookspec
def zoo_backbones() -> Iterable[Backbone]:  # type: ignore[empty-body]
    """Called when the catalog is first needed; return the backbones that this plugin offers."""


@hookspec
def zoo_heads() -> Iterable[Head]:  # type: ignore[empty-body]
    """Called when the catalog is first needed; return the task heads that this plugin offers."""


@hookspec
def zoo_modalities() -> Iterable[Modality]:  # type: ignore[empty-body]
    """Called when the catalog is first needed; return the kinds of input that this plugin adds."""


@hookspec
def zoo_callbacks(run: RunFolder) -> Iterable[keras.callbacks.Callback]:  # type: ignore[empty-body]
    """Called once for each phase of a training, before its first epoch; return callbacks for that phase."""


@hookspec
def zoo_report_sections(run: Run) -> Iterable[Section]:  # type: ignore[empty-body]
    """Called when the report of a finished run is made; return sections of your own, which stand before the plan."""


@hookspec
def zoo_run_finished(run: Run) -> None:
    """Called once, when a run is finished and all of its files are written; look at it, copy it, report it."""


@hookspec
def zoo_commands(app: typer.Typer) -> None:
    """Called when the command line starts; add commands to `app`. Import nothing heavy here."""
