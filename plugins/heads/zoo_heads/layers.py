"""The layers and the checks of options that the heads share."""

from collections.abc import Mapping
from typing import Any

import keras

import zoo


def check_options(*, hidden: int, **shares: float) -> None:
    """Raise `zoo.BadPlan` for a number of units below 0, or a share that is below 0, or 1 or more."""
    if hidden < 0:
        raise zoo.BadPlan(f"--set hidden={hidden}: it must be a number of units, or 0.")
    for name, share in shares.items():
        if not 0 <= share < 1:
            raise zoo.BadPlan(f"--set {name}={share}: it must be at least 0 and below 1.")


def dense(x: Any, units: int, options: Mapping[str, Any], *, name: str, activation: str | None = None) -> Any:
    """A dense layer (..., dim) -> (..., units) float32 with dropout, after a hidden layer if `options` have one."""
    if options["hidden"]:
        x = keras.layers.Dense(options["hidden"], activation="relu", name="hidden")(x)
    x = keras.layers.Dropout(options["dropout"], name="dropout")(x)
    return keras.layers.Dense(units, activation=activation, dtype="float32", name=name)(x)


def ranked(labels: list[str], row: Any) -> dict[str, float]:
    """Probability by label, the likeliest first."""
    return {labels[i]: float(row[i]) for i in (-row).argsort(kind="stable")}
