"""The plan of a training: everything that decides its result, as data that can be written and read back."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import tomli_w

from zoo.compose.encoder import Unfreeze
from zoo.errors import BadPlan

HEAD_EPOCHS = 50
HEAD_LEARNING_RATE = 1e-3
HEAD_PATIENCE = 5
FINE_TUNING_EPOCHS = 10
FINE_TUNING_SLOWER = 10
FINE_TUNING_PATIENCE = 3
BATCH_SIZE = 32


@dataclass(frozen=True, kw_only=True)
class Phase:
    """One stretch of training with one set of trainable layers.

    unfreeze       how many stages of the backbone are trained, counted from the output; 0: the head alone
    epochs         at most so many
    learning_rate  of Adam
    patience       epochs without a better validation loss after which the phase ends
    """

    unfreeze: Unfreeze
    epochs: int
    learning_rate: float
    patience: int

    @property
    def name(self) -> str:
        return "fine-tuning" if self.unfreeze else "head"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything needed to repeat a run. Raises `BadPlan` for a value out of its range.

    `weights`, `val`, `input_column`, `target_column` and `options` are as on the command line.
    """

    backbone: str
    data: str
    head: str = "classification"
    weights: str = "default"
    val: str = ""
    input_column: str = ""
    target_column: str = ""
    seed: int = 0
    batch_size: int = BATCH_SIZE
    options: dict[str, Any] = field(default_factory=dict)
    phases: tuple[Phase, ...] = ()

    def __post_init__(self) -> None:
        _at_least(1, "--batch-size", self.batch_size)
        _at_least(0, "--seed", self.seed)
        if not self.phases:
            raise BadPlan("The plan has no [[phases]]; it needs at least one.")
        for phase in self.phases:
            _at_least(1, "--epochs", phase.epochs)
            if not phase.learning_rate > 0:
                raise BadPlan(f"--lr {phase.learning_rate}: the learning rate must be above 0, for example 0.001.")
            if phase.unfreeze != "all":
                _at_least(0, "--unfreeze", phase.unfreeze)

    def to_toml(self) -> str:
        """The text of plan.toml."""
        return tomli_w.dumps(asdict(self))

    @classmethod
    def from_toml(cls, path: Path) -> Plan:
        """Read a plan.toml; raises `BadPlan` for an unknown setting or a value of the wrong kind."""
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise BadPlan(f"There is no plan {path}.") from None
        except (OSError, ValueError) as error:
            raise BadPlan(f"{path} is not a TOML file: {error}.") from None
        phases = content.pop("phases", [])
        _check_settings(path, content, cls)
        if not isinstance(phases, list) or not all(isinstance(phase, dict) for phase in phases):
            raise BadPlan(f"{path}: phases must be written as [[phases]].")
        for phase in phases:
            _check_settings(path, phase, Phase)
        try:
            return cls(**content, phases=tuple(Phase(**phase) for phase in phases))
        except TypeError as error:
            raise BadPlan(f"{path} is not complete: {error}.") from None


def default_phases(
    unfreeze: Unfreeze = 0, epochs: int | None = None, learning_rate: float | None = None
) -> tuple[Phase, ...]:
    """The classic recipe: the head on a frozen backbone; then, where asked for, the last stages at a lower rate.

    `epochs` holds for each phase; `learning_rate` is the head's, and a tenth of it the second phase's.
    The defaults were chosen by measurement (docs/decisions.md).
    """
    rate = HEAD_LEARNING_RATE if learning_rate is None else learning_rate
    head = Phase(unfreeze=0, epochs=epochs or HEAD_EPOCHS, learning_rate=rate, patience=HEAD_PATIENCE)
    if epochs is not None:
        _at_least(1, "--epochs", epochs)
    if not unfreeze:
        return (head,)
    return head, Phase(
        unfreeze=unfreeze,
        epochs=epochs or FINE_TUNING_EPOCHS,
        learning_rate=rate / FINE_TUNING_SLOWER,
        patience=FINE_TUNING_PATIENCE,
    )


_KINDS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "Unfreeze": (int, str),
    "dict[str, Any]": (dict,),
}


def _check_settings(path: Path, content: dict[str, Any], kind: type) -> None:
    known = {f.name: str(f.type) for f in fields(kind) if f.name != "phases"}
    for name, value in content.items():
        if name not in known:
            raise BadPlan(f"{path}: there is no setting {name!r}; there are {', '.join(known)}.")
        right = isinstance(value, _KINDS[known[name]]) and not isinstance(value, bool)
        if not right or (known[name] == "Unfreeze" and isinstance(value, str) and value != "all"):
            raise BadPlan(f"{path}: {name} is {value!r}, which is not of the right kind ({known[name]}).")


def _at_least(least: int, option: str, value: int) -> None:
    if value < least:
        raise BadPlan(f"{option} {value}: give {least} or more.")
