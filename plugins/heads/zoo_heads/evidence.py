"""The numbers that are explained about answers, which keep a gradient where the network is certain."""

from collections.abc import Sequence
from typing import Any

import keras

import zoo

_LEAST, _FROM_1 = 1e-30, 1e-7  # so that logarithms stay finite; the second is the distance of float32 from 1
_NAMED = 12  # names in a message


def log_odds(probability: Any) -> Any:
    """The log-odds of probabilities of any shape; above 16 there is no gradient, as float32 knows no more than 1."""
    return keras.ops.log(probability + _LEAST) - keras.ops.log(1 - probability + _FROM_1)


def place_of(target: str, names: Sequence[str], unit: str) -> int:
    """The position of a label or column that a person asked about; raises `zoo.BadPlan`, with those that exist."""
    if target not in names:
        known = f"{', '.join(names[:_NAMED])}{', ...' if len(names) > _NAMED else ''}"
        raise zoo.BadPlan(f"--target {target}: the run has no such {unit}. It has: {known}.")
    return list(names).index(target)
