"""What is typed after a command, as the inputs that `Run.predict` and `embed` take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoo.api.catalog import suggesting_plugins
from zoo.catalog import catalog

if TYPE_CHECKING:
    from zoo.data.given import Input
    from zoo.data.typed import Kind
    from zoo.runs.run import Run


def typed_for_run(run: Run, arguments: Sequence[str], kind: Kind) -> list[Input]:
    """The inputs of a run; `kind` says what the arguments are: "text", "file", or "auto"."""
    from zoo.data.layout import Layout
    from zoo.data.typed import typed_inputs

    return typed_inputs(arguments, Layout(run.card.modality, run.card.reads), kind)


def typed_for_backbone(backbone: str, arguments: Sequence[str], kind: Kind) -> list[Input]:
    """The inputs of a backbone."""
    from zoo.data.layout import Layout
    from zoo.data.typed import typed_inputs

    with suggesting_plugins():
        modality = catalog().backbone(backbone).spec.modality
    return typed_inputs(arguments, Layout(modality), kind)
