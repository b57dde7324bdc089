"""The layers and the checks of options that the heads share."""

from collections.abc import Mapping
from typing import Any

import keras

import zoo

MOST_OF_BASELINE = 200  # outputs; a linear model with more takes too long to be a baseline
_USUAL_WIDTH = 128


def check_options(*, hidden: int | str, **shares: float) -> None:
    """Raise `zoo.BadPlan` for a hidden layer of no known width, or a share that is below 0, or 1 or more."""
    if hidden != "auto" and not str(hidden).isdecimal():
        raise zoo.BadPlan(f"--set hidden={hidden}: it must be a number of units, 0 for none, or auto.")
    for name, share in shares.items():
        if not 0 <= share < 1:
            raise zoo.BadPlan(f"--set {name}={share}: it must be at least 0 and below 1.")


def width(hidden: int | str, outputs: int) -> int:
    """The units of the hidden layer; "auto" has room for a linear model, which takes two for each output.

    >>> width("auto", 3), width("auto", 100), width(32, 100)
    (128, 200, 32)
    """
    if hidden != "auto":
        return int(hidden)
    return max(_USUAL_WIDTH, 2 * outputs) if outputs <= MOST_OF_BASELINE else _USUAL_WIDTH


def dense(x: Any, units: int, options: Mapping[str, Any], *, name: str, activation: str | None = None) -> Any:
    """A dense layer (..., dim) -> (..., units) float32 with dropout, after a hidden layer if `options` have one."""
    if hidden := width(options["hidden"], units):
        x = keras.layers.Dense(hidden, activation="relu", name="hidden")(x)
    x = keras.layers.Dropout(options["dropout"], name="dropout")(x)
    return keras.layers.Dense(units, activation=activation, dtype="float32", name=name)(x)


def ranked(labels: list[str], row: Any) -> dict[str, float]:
    """Probability by label, the likeliest first."""
    return {labels[i]: float(row[i]) for i in (-row).argsort(kind="stable")}
