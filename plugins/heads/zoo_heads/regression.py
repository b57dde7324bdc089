"""Regression: one or several numbers for each example."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

import zoo
from zoo_heads.closed_form import install, ridge
from zoo_heads.layers import check_options, dense

LARGEST = 1e30  # the largest float32 is 3.4e38


class Regression(zoo.Task):
    """Dense layers on `pooled` (batch, dim); the outputs are numbers (batch, columns) in the units of the targets.

    Internally, targets are standardised with the mean and standard deviation of the training examples.
    """

    def __init__(self, *, hidden: int, dropout: float) -> None:
        check_options(hidden=hidden, dropout=dropout)
        self.options = {"hidden": hidden, "dropout": dropout}
        self.columns: list[str] = []
        self.mean: list[float] = []
        self.std: list[float] = []

    def learn(self, targets: Sequence[str | tuple[str, ...]], columns: Sequence[str]) -> None:
        self.columns = list(columns)
        values = self.encode(targets).astype("float64")
        for column, numbers in zip(columns, values.T, strict=True):
            if len(np.unique(numbers)) < 2:
                raise zoo.BadData(f"All targets in {column!r} are the same number, so there is nothing to learn.")
        self.mean, self.std = values.mean(axis=0).tolist(), values.std(axis=0).tolist()

    def strata(self, targets: Sequence[Any]) -> Sequence[str]:
        return [""] * len(targets)

    def encode(self, targets: Sequence[str | tuple[str, ...]]) -> np.ndarray:
        """Numbers, float32 (examples, columns)."""
        rows = [[_number(text) for text in ((row,) if isinstance(row, str) else row)] for row in targets]
        return np.array(rows, "float32").reshape(len(rows), len(self.columns))

    def outputs(self, features: Mapping[str, keras.KerasTensor]) -> keras.KerasTensor:
        x = dense(features["pooled"], len(self.columns), self.options, name="standardized")
        return keras.layers.Rescaling(self.std, self.mean, dtype="float32", name="value")(x)

    def solve(
        self, head: keras.Model, features: Mapping[str, np.ndarray], encoded: np.ndarray, weights: np.ndarray
    ) -> str | None:
        """Ridge regression."""
        found = ridge(features["pooled"], (encoded - np.array(self.mean)) / np.array(self.std))
        return found.name if install(head, "standardized", found) else None

    def loss(self) -> keras.losses.Loss:
        return _StandardizedSquare(self.std)

    def metrics(self) -> list[keras.metrics.Metric]:
        return [keras.metrics.MeanAbsoluteError(name="mae")] if len(self.columns) == 1 else []

    def score(self, encoded: np.ndarray, outputs: np.ndarray) -> dict[str, float]:
        """Pearson's r (0 if it is undefined), mean absolute error, root mean squared error.

        For several columns: the mean of their r, then all three for each column.
        """
        figures = {c: _figures(*pair) for c, *pair in zip(self.columns, encoded.T, outputs.T, strict=True)}
        if len(figures) == 1:
            return figures[self.columns[0]]
        mean = {"pearson_r": float(np.mean([of_one["pearson_r"] for of_one in figures.values()]))}
        return mean | {f"{name}_{column}": value for column in figures for name, value in figures[column].items()}

    def decode(self, outputs: np.ndarray, raws: Sequence[Any]) -> list[dict[str, Any]]:
        """`value`, in the units of the targets; for several columns, `values` by column."""
        if len(self.columns) == 1:
            return [{"value": float(row[0])} for row in outputs]
        return [{"values": dict(zip(self.columns, row.tolist(), strict=True))} for row in outputs]

    def in_words(self, answer: dict[str, Any]) -> str:
        if len(self.columns) == 1:
            return f"{answer['value']:.4g}"
        return "  ".join(f"{column} {value:.4g}" for column, value in answer["values"].items())

    def as_columns(self, answers: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
        if len(self.columns) == 1:
            return {"value": [answer["value"] for answer in answers]}
        return {column: [answer["values"][column] for answer in answers] for column in self.columns}

    def report_figures(self, encoded: np.ndarray, outputs: np.ndarray) -> list[dict[str, Any]]:
        """For each column, a plot of the answers against the true numbers."""
        return [
            {"kind": "scatter", "title": column, "x": truth.tolist(), "y": said.tolist()}
            for column, truth, said in zip(self.columns, encoded.T, outputs.T, strict=True)
        ]

    def state(self) -> dict[str, Any]:
        return {"options": self.options, "columns": self.columns, "mean": self.mean, "std": self.std}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> "Regression":
        task = cls(**state["options"])
        task.columns, task.mean, task.std = state["columns"], state["mean"], state["std"]
        return task


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise zoo.BadData(f"The target {text!r} is not a number. Name another column with --target.") from None
    if not math.isfinite(value):
        raise zoo.BadData(f"The target {text!r} is not finite. Remove the example.")
    if abs(value) > LARGEST:
        raise zoo.BadData(f"The target {text!r} is too large to compute with. Use another unit.")
    return value


def _figures(truth: np.ndarray, said: np.ndarray) -> dict[str, float]:
    truth, said = truth.astype("float64"), said.astype("float64")
    constant = np.ptp(truth) == 0 or np.ptp(said) == 0
    return {
        "pearson_r": 0.0 if constant else float(np.corrcoef(truth, said)[0, 1]),
        "mae": float(np.abs(truth - said).mean()),
        "rmse": float(np.sqrt(np.square(truth - said).mean())),
    }


class _StandardizedSquare(keras.losses.Loss):
    """Squared error in units of each column's standard deviation."""

    def __init__(self, std: Sequence[float]) -> None:
        super().__init__(name="squared_error")
        self._std = list(std)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        std = keras.ops.convert_to_tensor(self._std, y_pred.dtype)
        return keras.ops.mean(keras.ops.square((y_true - y_pred) / std), axis=-1)
