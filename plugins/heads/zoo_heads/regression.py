"""Regression: a number for each example."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

import zoo


class Regression:
    """Dense layers on `pooled` (batch, dim); the outputs are numbers (batch, 1) in the units of the targets.

    Inside, targets are standardised by the mean and the standard deviation of the training part.
    """

    def __init__(self, *, hidden: int, dropout: float) -> None:
        if hidden < 0:
            raise zoo.BadPlan(f"--set hidden={hidden}: give 0 or a number of units.")
        if not 0 <= dropout < 1:
            raise zoo.BadPlan(f"--set dropout={dropout}: it must be at least 0 and below 1.")
        self.options = {"hidden": hidden, "dropout": dropout}
        self.mean, self.std = 0.0, 1.0

    def learn(self, targets: Sequence[str]) -> None:
        values = self.encode(targets).astype("float64")
        if len(np.unique(values)) < 2:
            raise zoo.BadData("All targets are the same number; there is nothing to learn.")
        self.mean, self.std = float(values.mean()), float(values.std())

    def strata(self, targets: Sequence[str]) -> Sequence[str]:
        return [""] * len(targets)

    def encode(self, targets: Sequence[str]) -> np.ndarray:
        """Numbers, float32 (examples, 1)."""
        return np.array([[_number(target)] for target in targets], "float32")

    def outputs(self, features: Mapping[str, keras.KerasTensor]) -> keras.KerasTensor:
        x = features["pooled"]
        if self.options["hidden"]:
            x = keras.layers.Dense(self.options["hidden"], activation="relu", name="hidden")(x)
        x = keras.layers.Dropout(self.options["dropout"], name="dropout")(x)
        x = keras.layers.Dense(1, dtype="float32", name="standardized")(x)
        return keras.layers.Rescaling(self.std, self.mean, dtype="float32", name="value")(x)

    def loss(self) -> keras.losses.Loss:
        return _StandardizedSquare(self.std)

    def metrics(self) -> list[keras.metrics.Metric]:
        return [keras.metrics.MeanAbsoluteError(name="mae")]

    def example_weights(self, encoded: np.ndarray) -> np.ndarray:
        return np.ones(len(encoded), "float32")

    def score(self, encoded: np.ndarray, outputs: np.ndarray) -> dict[str, float]:
        """Pearson's r (0 where it is not defined), mean absolute error, root of the mean squared error."""
        truth, said = encoded[:, 0].astype("float64"), outputs[:, 0].astype("float64")
        constant = np.ptp(truth) == 0 or np.ptp(said) == 0
        return {
            "pearson_r": 0.0 if constant else float(np.corrcoef(truth, said)[0, 1]),
            "mae": float(np.abs(truth - said).mean()),
            "rmse": float(np.sqrt(np.square(truth - said).mean())),
        }

    def decode(self, outputs: np.ndarray) -> list[dict[str, Any]]:
        """`value`, in the units of the targets."""
        return [{"value": float(row[0])} for row in outputs]

    def state(self) -> dict[str, Any]:
        return {"options": self.options, "mean": self.mean, "std": self.std}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> "Regression":
        task = cls(**state["options"])
        task.mean, task.std = float(state["mean"]), float(state["std"])
        return task


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise zoo.BadData(f"The target {text!r} is not a number; name another column with --target.") from None
    if not math.isfinite(value):
        raise zoo.BadData(f"The target {text!r} is not finite; remove the example.")
    return value


class _StandardizedSquare(keras.losses.Loss):
    """Squared error in units of the targets' standard deviation."""

    def __init__(self, std: float) -> None:
        super().__init__(name="squared_error")
        self._std = std

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return keras.ops.mean(keras.ops.square((y_true - y_pred) / self._std), axis=-1)
