"""A snapshot of a model: the variables that the training has changed since it was built, and their values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zoo.errors import BadRun

if TYPE_CHECKING:
    import keras
    import numpy as np


class Snapshot:
    """Tracks all variables of a model from now on: weights, statistics, and the states of random generators.

    built  checksum of the model when the snapshot was made
    """

    def __init__(self, model: keras.Model) -> None:
        self._variables = list(model.variables)
        self._number = {id(variable): number for number, variable in enumerate(self._variables)}
        self._before = [_digest(_value(variable)) for variable in self._variables]
        self._changed: set[int] = set()
        self.built = hashlib.sha256(b"".join(self._before)).hexdigest()

    def values(self, part: keras.Model) -> dict[int, np.ndarray]:
        """The variables that have changed since the model was built, by number. Only `part` is checked for new ones."""
        trained = {self._number[id(variable)] for variable in part.variables}
        values = {number: _value(self._variables[number]) for number in sorted(trained | self._changed)}
        self._changed |= {number for number in trained if _digest(values[number]) != self._before[number]}
        return {number: values[number] for number in sorted(self._changed)}

    def restore(self, values: Mapping[int, np.ndarray]) -> None:
        """Set variables to the values that `values` returned."""
        for number, value in values.items():
            if not 0 <= number < len(self._variables):
                raise BadRun(f"The checkpoint does not match: the model has no variable number {number}.")
            assign(self._variables[number], value)
        self._changed |= set(values)

    def numbers(self, variables: list[Any]) -> list[int]:
        """The numbers of these variables."""
        return [self._number[id(variable)] for variable in variables]


def assign(variable: Any, value: np.ndarray) -> None:
    """Set a variable to a value; raises `BadRun` if their shapes or types differ."""
    if tuple(variable.shape) != value.shape or str(value.dtype) != str(variable.dtype):
        raise BadRun(f"The checkpoint does not match: {variable.path} is {variable.dtype}{tuple(variable.shape)}.")
    variable.assign(value)


def _value(variable: Any) -> np.ndarray:
    import keras

    value: np.ndarray = keras.ops.convert_to_numpy(variable)
    return value


def _digest(value: np.ndarray) -> bytes:
    return hashlib.sha256(value.tobytes()).digest()
