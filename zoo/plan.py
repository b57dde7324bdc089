"""The plan of a training: everything that decides its result, as data that can be written and read again."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import tomli_w
from msgspec import Meta

from zoo.data.layout import Columns, Folders
from zoo.data.tables import Quotes
from zoo.engine import Device
from zoo.errors import BadPlan
from zoo.inference.options import Engine, Precision
from zoo.places import exists, place
from zoo.structs import FINITE, convert

Unfreeze = Annotated[int, Meta(ge=0)] | Literal["all"]
Share = Annotated[float, Meta(ge=0, lt=1)]

BATCH_SIZE = 32
_LARGEST = 1_000_000  # bytes of a plan


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings from which `zoo.training.recipe` makes the phases of a plan."""

    unfreeze: Annotated[
        Unfreeze, Meta(description="Also train the last N stages of the backbone, or all.", extra={"metavar": "N|all"})
    ] = 0
    epochs: Annotated[
        Annotated[int, Meta(ge=1)] | None, Meta(description="At most this many epochs in each phase.")
    ] = None
    lr: Annotated[
        Annotated[float, Meta(gt=0, le=FINITE)] | None,
        Meta(description="Learning rate (default: 0.001; texts with --unfreeze: 0.0002, less for large models)."),
    ] = None
    layer_decay: Annotated[
        Annotated[float, Meta(gt=0, le=1)] | None,
        Meta(description="Texts: each stage's learning rate, as a share of the next stage's, for example 0.9."),
    ] = None


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of a training that a plan contains as they were given."""

    head: Annotated[str, Meta(description="The task; `zoo heads` lists them.")] = "classification"
    weights: Annotated[str, Meta(description="default, none (random), a name from `zoo info`, or a file.")] = "default"
    val: Annotated[
        str, Meta(description="Validate on this data instead of a fifth of DATA.", extra={"metavar": "DATA"})
    ] = ""
    val_fraction: Annotated[
        Annotated[float, Meta(gt=0, lt=1)] | None,
        Meta(description="Share of the training examples to validate on (default: 0.2, if DATA has none for it)."),
    ] = None
    input_column: Annotated[
        Columns,
        Meta(
            description="In a table: the column of the input (image or text; for pairs text,text_b). Repeatable.",
            extra={"flag": "--input", "metavar": "COLUMN", "must": "a column, or a list of columns"},
        ),
    ] = ""
    target_column: Annotated[
        Columns,
        Meta(
            description="In a table: the column of the target (label); several are separated by commas. Repeatable.",
            extra={"flag": "--target", "metavar": "COLUMN", "must": "a column, or a list of columns"},
        ),
    ] = ""
    split_column: Annotated[
        str,
        Meta(
            description="In a table: the column with train, validation or test (default: split); none: no column.",
            extra={"metavar": "COLUMN"},
        ),
    ] = ""
    group: Annotated[
        str,
        Meta(
            description="In a table: a column, such as the patient, whose values are not parted by the split.",
            extra={"metavar": "COLUMN"},
        ),
    ] = ""
    folders: Annotated[
        Folders, Meta(description="Whether the folders in DATA are classes, or splits such as train and val.")
    ] = "auto"
    separator: Annotated[
        Annotated[str, Meta(pattern=r"^([^\"\\\r\n]?|tab|\\t)$")],
        Meta(
            description="What separates the cells of a CSV file (default: found out).",
            extra={"metavar": "CHARACTER", "must": "one character, or tab"},
        ),
    ] = ""
    quotes: Annotated[
        Quotes, Meta(description="In a CSV file: quotation marks can enclose cells, or belong to the text.")
    ] = "auto"
    seed: Annotated[
        int,
        Meta(
            ge=0,
            le=2**32 - 1,
            description="Decides the split, the order and the initial head.",
            extra={"must": f"a whole number of at least 0 and at most {2**32 - 1}"},
        ),
    ] = 0
    batch_size: Annotated[int, Meta(ge=1, description="Examples in one step.")] = BATCH_SIZE
    augment: Annotated[
        str,
        Meta(
            description="Pictures: also train on changed copies (mirrored, moved, ...).",
            extra={"metavar": "none|light|strong"},
        ),
    ] = "none"
    depth: Annotated[
        Literal["auto", "8", "10", "12", "14", "16", "float"],
        Meta(
            description="Pictures of 16 bits: how many of them are used; float: values from 0 to 1.",
            extra={"metavar": "auto|8|10|12|14|16|float"},
        ),
    ] = "auto"
    cache: Annotated[
        Literal["auto", "on", "off"],
        Meta(description="Cache the features of the frozen part on disk; `zoo cache` shows them."),
    ] = "auto"
    precision: Precision = "auto"
    engine: Engine = "auto"
    device: Device = "auto"
    options: Annotated[
        dict[str, Any],
        Meta(description="An option of the head. Repeatable.", extra={"flag": "--set", "metavar": "NAME=VALUE"}),
    ] = {}


class Phase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the training with one set of trainable variables. Raises `BadPlan` for settings that contradict.

    unfreeze       how many stages of the backbone are trained, counted from the output; 0: only the head is trained
    epochs         the maximum number of epochs
    learning_rate  the learning rate, or its maximum if it follows a schedule
    patience       the phase ends after this many epochs without a better validation loss
    adapt          how the backbone is adapted: "unfreeze", by training the variables of its stages
    optimizer      adam, or adamw: Adam with decoupled weight decay (Loshchilov and Hutter 2019)
    weight_decay   adamw: share of each weight, times the learning rate, removed in a step; not for biases and norms
    schedule       constant; or linear: rises over the first `warm_up` share of all steps, then falls to 0
    clip_norm      gradients are clipped to this norm; 0: no clipping
    layer_decay    adamw: each stage's learning rate as a share of the next stage's; of the head's for the last stage
    """

    unfreeze: Unfreeze
    epochs: Annotated[int, Meta(ge=1)]
    learning_rate: Annotated[float, Meta(gt=0, le=FINITE)]
    patience: Annotated[int, Meta(ge=0)]
    adapt: Literal["unfreeze"] = "unfreeze"
    optimizer: Literal["adam", "adamw"] = "adam"
    weight_decay: Share = 0.0
    schedule: Literal["constant", "linear"] = "constant"
    warm_up: Share = 0.0
    clip_norm: Annotated[float, Meta(ge=0)] = 0.0
    layer_decay: Annotated[float, Meta(gt=0, le=1)] = 1.0

    def __post_init__(self) -> None:
        if self.optimizer != "adamw" and (self.weight_decay or self.layer_decay != 1):
            raise BadPlan('weight_decay and layer_decay need optimizer = "adamw".')
        if self.schedule != "linear" and self.warm_up:
            raise BadPlan('warm_up needs schedule = "linear".')

    @property
    def name(self) -> str:
        return "fine-tuning" if self.unfreeze else "head"


class Plan(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything needed to repeat a run: the settings as they were given, and the phases of the training."""

    backbone: str
    data: str
    phases: Annotated[tuple[Phase, ...], Meta(min_length=1, extra={"must": "one [[phases]] table or more"})]

    def seen_from(self, folder: Path) -> Plan:
        """The plan with relative paths changed to those from another folder, if they exist there and not here."""

        def moved(text: str) -> str:
            only_there = text and not exists(place(text)) and exists(folder / text)
            return str(folder / text) if only_there else text

        paths = {name: moved(getattr(self, name)) for name in ("data", "val", "weights")}
        return msgspec.structs.replace(self, **paths)

    def compared(self) -> dict[str, bool | float | str]:
        """The settings by which a person tells one run from another; those of a later phase begin with its name."""
        names = ("backbone", "head", "weights", "data", "seed", "batch_size", "augment", "precision")
        settings: dict[str, Any] = {name: getattr(self, name) for name in names}
        settings["unfreeze"] = str(self.phases[-1].unfreeze)
        for number, phase in enumerate(self.phases):
            of = f"{phase.name}." if number else ""
            for name in ("epochs", "learning_rate", "optimizer", "layer_decay"):
                settings[f"{of}{name}"] = getattr(phase, name)
        settings |= {f"options.{name}": value for name, value in self.options.items()}
        plain = (bool, int, float)
        return {name: value if isinstance(value, plain) else str(value) for name, value in settings.items()}

    def to_toml(self) -> str:
        """The text of plan.toml."""
        content = {name: value for name, value in msgspec.to_builtins(self).items() if value is not None}
        first = {name: content[name] for name in ("backbone", "data")}
        return tomli_w.dumps(first | content)

    @classmethod
    def from_toml(cls, path: Path) -> Plan:
        """Read a plan.toml; raises `BadPlan` for an unknown setting or a value that is not allowed."""
        try:
            if path.stat().st_size > _LARGEST:
                raise BadPlan(f"{path} is too large for a plan: it has more than {_LARGEST:,} bytes.")
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise BadPlan(f"The plan {path} does not exist.") from None
        except (OSError, ValueError, RecursionError) as error:
            raise BadPlan(f"{path} is not a TOML file: {error}.") from None
        return convert(content, cls, BadPlan, path)
