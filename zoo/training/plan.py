"""The plan of a training: everything that decides its result, as data that can be written and read back."""

from __future__ import annotations

import math
import tomllib
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

import tomli_w

from zoo.catalog import Backbone
from zoo.compose.encoder import Unfreeze
from zoo.data.augment import Augment
from zoo.errors import BadPlan
from zoo.inference.how import Engine, Inference, Precision

Optimizer = Literal["adam", "adamw"]
Schedule = Literal["constant", "linear"]
Cache = Literal["auto", "on", "off"]

HEAD_EPOCHS = 50
HEAD_LEARNING_RATE = 1e-3
HEAD_PATIENCE = 5
FINE_TUNING_EPOCHS = 10
FINE_TUNING_SLOWER = 10
FINE_TUNING_PATIENCE = 3
TEXT_EPOCHS = 6
TEXT_LEARNING_RATE = 2e-4
TEXT_LEARNING_RATE_LARGE = 5e-5  # BERT's authors choose from 2e-5 to 5e-5 for base and large (Devlin et al. 2019, A.3)
TEXT_SMALL = 50_000_000  # parameters
BATCH_SIZE = 32
_LARGEST = 1_000_000  # bytes of a plan


@dataclass(frozen=True, kw_only=True)
class Phase:
    """One stretch of training with one set of trainable layers.

    unfreeze       how many stages of the backbone are trained, counted from the output; 0: the head alone
    epochs         at most so many
    learning_rate  the highest one
    patience       epochs without a better validation loss after which the phase ends
    optimizer      adam, or adamw: Adam with decoupled weight decay (Loshchilov and Hutter 2019)
    weight_decay   adamw: share of each weight taken off in a step, times the learning rate; not of biases and norms
    schedule       constant; or linear: up in the first `warm_up` share of all steps, then down to 0
    clip_norm      the gradient's norm is cut to this; 0: it is left as it is
    layer_decay    adamw: each stage learns so many times slower than the one after it, the last than the head
    """

    unfreeze: Unfreeze
    epochs: int
    learning_rate: float
    patience: int
    optimizer: Optimizer = "adam"
    weight_decay: float = 0.0
    schedule: Schedule = "constant"
    warm_up: float = 0.0
    clip_norm: float = 0.0
    layer_decay: float = 1.0

    @property
    def name(self) -> str:
        return "fine-tuning" if self.unfreeze else "head"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything needed to repeat a run. Raises `BadPlan` for a value out of its range.

    `weights`, `val`, `input_column`, `target_column` and `options` are as on the command line.
    `augment` shows changed pictures in training: of what is frozen a few kept views, elsewhere new ones in every epoch.
    `cache` is about what a frozen part gives: "on" keeps it, "off" computes it in every epoch, "auto" as it pays.
    `engine` runs what is frozen; what is trained is trained by TensorFlow. `precision` is that of both.
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
    augment: Augment = "none"
    cache: Cache = "auto"
    precision: Precision = "auto"
    engine: Engine = "auto"
    options: dict[str, Any] = field(default_factory=dict)
    phases: tuple[Phase, ...] = ()

    def __post_init__(self) -> None:
        _at_least(1, "--batch-size", self.batch_size)
        _at_least(0, "--seed", self.seed)
        if self.augment not in get_args(Augment):
            raise BadPlan(f"--augment {self.augment}: give {', '.join(get_args(Augment))}.")
        if self.cache not in get_args(Cache):
            raise BadPlan(f"--cache {self.cache}: give {', '.join(get_args(Cache))}.")
        Inference(self.precision, self.engine)
        if not self.phases:
            raise BadPlan("The plan has no [[phases]]; it needs at least one.")
        for phase in self.phases:
            _at_least(1, "--epochs", phase.epochs)
            for name, share in (("warm_up", phase.warm_up), ("weight_decay", phase.weight_decay)):
                if not 0 <= share < 1:
                    raise BadPlan(f"{name} {share}: it must be at least 0 and below 1.")
            if not 0 < phase.layer_decay <= 1:
                raise BadPlan(f"--layer-decay {phase.layer_decay}: it must be above 0 and at most 1, for example 0.9.")
            if phase.optimizer != "adamw" and (phase.weight_decay or phase.layer_decay != 1):
                raise BadPlan('weight_decay and layer_decay need optimizer = "adamw".')
            if phase.schedule != "linear" and phase.warm_up:
                raise BadPlan('warm_up needs schedule = "linear".')
            if not phase.clip_norm >= 0:
                raise BadPlan(f"clip_norm {phase.clip_norm}: give 0 or more.")
            if not 0 < phase.learning_rate < math.inf:
                raise BadPlan(f"--lr {phase.learning_rate}: the learning rate must be above 0, for example 0.001.")
            if phase.unfreeze != "all":
                _at_least(0, "--unfreeze", phase.unfreeze)

    def training_precision(self, phase: Phase) -> Precision:
        """In which the steps of a phase compute: a head alone gains nothing from a smaller type. Starts TensorFlow.

        Raises `BadPlan` for float16 without a GPU.
        """
        return Inference(self.precision, "tensorflow").resolved().precision if phase.unfreeze else "float32"

    def seen_from(self, folder: Path) -> Plan:
        """The plan with the paths that are relative, and lead nowhere from here, as seen from another folder."""

        def moved(text: str) -> str:
            only_there = text and not Path(text).exists() and (folder / text).exists()
            return str(folder / text) if only_there else text

        return replace(self, data=moved(self.data), val=moved(self.val), weights=moved(self.weights))

    def to_toml(self) -> str:
        """The text of plan.toml."""
        return tomli_w.dumps(asdict(self))

    @classmethod
    def from_toml(cls, path: Path) -> Plan:
        """Read a plan.toml; raises `BadPlan` for an unknown setting or a value of the wrong kind."""
        try:
            if path.stat().st_size > _LARGEST:
                raise BadPlan(f"{path} is too large for a plan: more than {_LARGEST:,} bytes.")
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise BadPlan(f"There is no plan {path}.") from None
        except (OSError, ValueError, RecursionError) as error:
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
    backbone: Backbone,
    unfreeze: Unfreeze = 0,
    epochs: int | None = None,
    learning_rate: float | None = None,
    layer_decay: float | None = None,
) -> tuple[Phase, ...]:
    """The recipe for a backbone. The defaults were chosen by measurement (docs/decisions.md).

    The head alone is trained on the frozen backbone. Where stages are to be unfrozen: with pictures, they are trained
    after that, at a tenth of the rate; with texts, stages and head are trained together from the start, by AdamW with
    linear warm-up and decay. `epochs` holds for each phase; `learning_rate` is that of the first.
    """
    if epochs is not None:
        _at_least(1, "--epochs", epochs)
    text = backbone.modality == "text"
    if layer_decay is not None and not (text and unfreeze):
        raise BadPlan(f"--layer-decay {layer_decay}: it is for texts with --unfreeze.")
    if text and unfreeze:
        return (_fine_tuning_of_texts(backbone, unfreeze, epochs, learning_rate, layer_decay),)
    rate = HEAD_LEARNING_RATE if learning_rate is None else learning_rate
    head = Phase(unfreeze=0, epochs=epochs or HEAD_EPOCHS, learning_rate=rate, patience=HEAD_PATIENCE)
    if not unfreeze:
        return (head,)
    return head, Phase(
        unfreeze=unfreeze,
        epochs=epochs or FINE_TUNING_EPOCHS,
        learning_rate=rate / FINE_TUNING_SLOWER,
        patience=FINE_TUNING_PATIENCE,
    )


def _fine_tuning_of_texts(
    backbone: Backbone, unfreeze: Unfreeze, epochs: int | None, rate: float | None, layer_decay: float | None
) -> Phase:
    epochs = epochs or TEXT_EPOCHS
    small = backbone.params <= TEXT_SMALL
    return Phase(
        unfreeze=unfreeze,
        epochs=epochs,
        learning_rate=rate if rate is not None else TEXT_LEARNING_RATE if small else TEXT_LEARNING_RATE_LARGE,
        patience=epochs,  # the rate falls over all of them
        optimizer="adamw",
        weight_decay=0.01,
        schedule="linear",
        warm_up=0.1,
        clip_norm=1.0,
        layer_decay=1.0 if layer_decay is None else layer_decay,
    )


_KINDS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "Unfreeze": (int, str),
    "dict[str, Any]": (dict,),
    "Optimizer": (str,),
    "Schedule": (str,),
    "Augment": (str,),
    "Cache": (str,),
    "Precision": (str,),
    "Engine": (str,),
}
_WORDS = {
    "Unfreeze": ("all",),
    "Optimizer": get_args(Optimizer),
    "Schedule": get_args(Schedule),
    "Augment": get_args(Augment),
    "Cache": get_args(Cache),
    "Precision": get_args(Precision),
    "Engine": get_args(Engine),
}


def _check_settings(path: Path, content: dict[str, Any], kind: type) -> None:
    known = {f.name: str(f.type) for f in fields(kind) if f.name != "phases"}
    for name, value in content.items():
        if name not in known:
            raise BadPlan(f"{path}: there is no setting {name!r}; there are {', '.join(known)}.")
        kind_name = known[name]
        right = isinstance(value, _KINDS[kind_name]) and not isinstance(value, bool)
        if right and isinstance(value, str) and kind_name in _WORDS:
            right = value in _WORDS[kind_name]
        if not right:
            words = f"; {', '.join(_WORDS[kind_name])}" if kind_name in _WORDS else ""
            raise BadPlan(f"{path}: {name} is {value!r}, which is not of the right kind ({kind_name}{words}).")


def _at_least(least: int, option: str, value: int) -> None:
    if value < least:
        raise BadPlan(f"{option} {value}: give {least} or more.")
