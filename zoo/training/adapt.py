"""How a training phase adapts the backbone: which of its variables are trained, and which are added."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from zoo.compose.encoder import Encoder
from zoo.plan import Phase


@dataclass(frozen=True)
class Adaptation:
    """One way to adapt a backbone.

    prepare  called for each phase before the first one starts, and before variables are numbered for checkpoints: adds
             the variables that the phase needs; raises `BadPlan` if the backbone cannot be adapted in this way
    apply    called when the phase starts: sets which variables are trained
    """

    prepare: Callable[[Encoder, Phase], None]
    apply: Callable[[Encoder, Phase], None]


def _unfreeze(encoder: Encoder, phase: Phase) -> None:
    encoder.unfreeze(phase.unfreeze)


_ADAPTATIONS = {"unfreeze": Adaptation(_unfreeze, _unfreeze)}


def adaptation(phase: Phase) -> Adaptation:
    """The way in which a phase adapts the backbone."""
    return _ADAPTATIONS[phase.adapt]
