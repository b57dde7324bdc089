"""What is explained about an answer: a number, made from the outputs, whose reasons are sought."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from zoo.errors import BadPlan, ZooError

if TYPE_CHECKING:
    import numpy as np

Measure = Callable[[Any], Any]  # from outputs (batch, ...), as tensors, to a number for each (batch,)

_LEAST = 1e-30  # so that the logarithm of a share that is 0 stays finite
_SUM = 1e-3  # by which probabilities in float32 may miss 1
_NAMED = 12  # labels in a message


def explained_row(output: Any, labels: Sequence[str], target: str) -> tuple[str, Measure]:
    """The label or number, and its measure, for a head whose output is one row of numbers.

    output  NumPy (numbers,): probabilities that add up to 1, of which the log-odds are taken, or any numbers
    labels  their names, in order; (): they have none
    target  the name of one of them; "": the largest

    Raises `BadPlan` for an unknown name, and `ZooError` for outputs of another shape.
    """
    import numpy as np

    if not isinstance(output, np.ndarray) or output.ndim != 1:
        raise ZooError(
            "The head of this run does not say what is to be explained about its answers (they are no row of numbers). "
            "Its plugin can, with the method `explained`; docs/plugins.md says how."
        )
    names = list(labels) if len(labels) == len(output) else []
    place = place_of(target, names) if target else int(output.argmax())
    about = names[place] if names else "the answer" if len(output) == 1 else f"number {place + 1} of the answer"
    shares = len(output) > 1 and _are_shares(output)
    return about, lambda outputs: log_odds(outputs, place) if shares else outputs[:, place]


def place_of(target: str, names: Sequence[str]) -> int:
    """The position of a name that a person gave; raises `BadPlan`, with the names that exist."""
    if target in names:
        return list(names).index(target)
    if not names:
        raise BadPlan(f"--target {target}: the head of this run has no names for its outputs. Leave --target out.")
    known = f"{', '.join(names[:_NAMED])}{', ...' if len(names) > _NAMED else ''}"
    raise BadPlan(f"--target {target}: the run has no such label. It has: {known}.")


def log_odds(outputs: Any, place: int) -> Any:
    """The log-odds of one of several probabilities (..., labels) that add up to 1: (...).

    Unlike the probability and its logarithm, they keep growing, and so have a gradient, where the network is certain.
    `1 - p` is added up from the others, because in float32 it would soon be 0.
    """
    import keras

    at = keras.ops.one_hot(place, outputs.shape[-1], dtype=outputs.dtype)
    one, others = (keras.ops.sum(outputs * share, axis=-1) for share in (at, 1.0 - at))
    return keras.ops.log(one + _LEAST) - keras.ops.log(others + _LEAST)


def _are_shares(output: np.ndarray) -> bool:
    return bool(output.min() >= 0 and abs(float(output.sum()) - 1) < _SUM)
