"""A snapshot of a model: which variables the training has changed since it was built, and what they hold."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zoo.errors import BadRun

if TYPE_CHECKING:
    import keras
    import numpy as np


class Snapshot:
    """Watches all variables of a model from now on: weights, statistics, and the states of random generators.

    built  checksum of the model as it is now
    """

    def __init__(self, model: keras.Model) -> None:
        self._variables = list(model.variables)
        self._number = {id(variable): number for number, variable in enumerate(self._variables)}
        self._before = [_digest(_value(variable)) for variable in self._variables]
        self._changed: set[int] = set()
        self.built = hashlib.sha256(b"".join(self._before)).hexdigest()

    def values(self, part: keras.Model) -> dict[int, np.ndarray]:
        """The variables that are not as they were built, by number. Only those of `part` can have changed since."""
        trained = {self._number[id(variable)] for variable in part.variables}
        values = {number: _value(self._variables[number]) for number in sorted(trained | self._changed)}
        self._changed |= {number for number in trained if _digest(values[number]) != self._before[number]}
        return {number: values[number] for number in sorted(self._changed)}

    def restore(self, values: Mapping[int, np.ndarray]) -> None:
        """Give variables the values that `values` gave."""
        for number, value in values.items():
            assign(self._variables[number], value)
        self._changed |= set(values)

    def numbers(self, variables: list[Any]) -> list[int]:
        """The numbers of some of the variables."""
        return [self._number[id(variable)] for variable in variables]


def assign(variable: Any, value: np.ndarray) -> None:
    """Set a variable of the same shape and type; raises `BadRun` where it is another one."""
    if tuple(variable.shape) != value.shape or str(value.dtype) != str(variable.dtype):
        raise BadRun(f"The checkpoint is of another model: {variable.path} is {variable.dtype}{tuple(variable.shape)}.")
    variable.assign(value)


def _value(variable: Any) -> np.ndarray:
    import keras

    value: np.ndarray = keras.ops.convert_to_numpy(variable)
    return value


def _digest(value: np.ndarray) -> bytes:
    return hashlib.sha256(value.tobytes()).digest()
