"""Regression: one or several numbers for each example."""

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

import zoo
from zoo_heads import suspects
from zoo_heads.closed_form import installed, ridge
from zoo_heads.evidence import place_of
from zoo_heads.layers import check_options, dense
from zoo_heads.numerals import MARKS, SMALLEST, NotANumber, decimals, number, thousands
from zoo_heads.scores import Scores
from zoo_heads.states import list_of_numbers, list_of_texts

Target = str | tuple[str, ...]

_FEW = 0.2  # share of targets that are not numbers: these are left out; with more of them, it is the wrong column
_DIGITS = 15  # float64 keeps every number with that many
_STEPS = 1_000  # a standard deviation has to be at least that many steps of float64


class Regression(zoo.Task):
    """Dense layers on `pooled` (batch, dim); the outputs are numbers (batch, columns) in the units of the targets.

    The layers compute in float32 with targets that are standardised with the mean and standard deviation of the
    training examples; in their own units targets, outputs and metrics are float64, so that they keep their digits.
    """

    def __init__(self, *, hidden: int | str, dropout: float, decimal: str = "") -> None:
        check_options(hidden=hidden, dropout=dropout)
        if decimal not in ("", *MARKS):
            raise zoo.BadPlan(f"--set decimal={decimal}: it must be {' or '.join(MARKS)}")
        self.options = {"hidden": hidden, "dropout": dropout, "decimal": decimal}
        self.columns: list[str] = []
        self.mean: list[float] = []
        self.std: list[float] = []
        self.decimals: list[int] = []
        self._read, self._not_numbers, self._first = 0, 0, ""

    def read_target(self, cells: Sequence[Any], raw: Any) -> Target:
        """The text of the cell, or a tuple of the texts in several; raises `zoo.ZooError` for what leaves a doubt."""
        target: Target = super().read_target(cells, raw)
        try:
            self._numbers(target)
        except NotANumber as error:
            self._not_numbers += 1
            self._first = self._first or f"{error}. Name another column with --target."
            raise zoo.BadData(str(error) if self._read else self._first.rstrip(".")) from None
        self._read += 1
        return target

    def learn(self, targets: Sequence[Target], columns: Sequence[str]) -> None:
        self.columns = list(columns)
        if self._not_numbers > _FEW * (self._read + self._not_numbers):
            raise zoo.BadData(self._first[0].upper() + self._first[1:])
        values = self.encode(targets)
        texts = list(zip(*map(_row, targets), strict=True))
        for column, some, numbers in zip(columns, texts, values.T, strict=True):
            self._check(column, some, numbers)
        self.mean, self.std = values.mean(axis=0).tolist(), values.std(axis=0).tolist()
        mark = self.options["decimal"]
        self.decimals = [max(decimals(text, mark) for text in some) for some in texts]

    def _check(self, column: str, texts: Sequence[str], numbers: np.ndarray) -> None:
        """Raise `BadData` for a column that holds nothing to learn, or whose numbers may be meant in another way."""
        if len(np.unique(numbers)) < 2 and max(map(len, texts)) <= _DIGITS:
            raise zoo.BadData(f"All targets in {column!r} are the same number, so there is nothing to learn.")
        if 0 < np.abs(numbers).max() < SMALLEST:
            raise zoo.BadData(
                f"The targets in {column!r} are too small to compute with: {min(texts)}, {max(texts)}. Use another "
                "unit."
            )
        if numbers.std() < _STEPS * np.spacing(np.abs(numbers).max()):
            raise zoo.BadData(
                f"The targets in {column!r} are almost the same number: {min(texts)}, {max(texts)}. Computing keeps "
                "about 16 digits of each. Subtract a constant from them first."
            )
        if not self.options["decimal"] and not self.decimals and (text := thousands(texts)):
            raise zoo.BadData(
                f"The points in {column!r} may separate thousands, as every number with one has three digits after it "
                f"({text!r}). If so: --set decimal=, and if they are decimal points: --set decimal=."
            )

    def describe(self, targets: Sequence[Target], unit: str = "") -> str:
        """The smallest and the largest number of each column, as they are written."""
        value = functools.partial(number, mark=self.options["decimal"])
        ranges = []
        for texts in zip(*map(_row, targets), strict=True):
            ranges.append(f"{min(texts, key=value)} to {max(texts, key=value)}")
        return ", ".join(ranges)

    def strata(self, targets: Sequence[Any]) -> Sequence[str]:
        return [""] * len(targets)

    def encode(self, targets: Sequence[Target]) -> np.ndarray:
        """Numbers, float64 (examples, columns)."""
        rows = [self._numbers(target) for target in targets]
        return np.array(rows, "float64").reshape(len(rows), len(self.columns))

    def _numbers(self, target: Target) -> list[float]:
        return [number(text, self.options["decimal"]) for text in _row(target)]

    def outputs(self, features: Mapping[str, keras.KerasTensor]) -> keras.KerasTensor:
        x = dense(features["pooled"], len(self.columns), self.options, name="standardized")
        std, mean = np.array(self.std), np.array(self.mean)  # Keras takes a list for float32
        return keras.layers.Rescaling(std, mean, dtype="float64", name="value")(x)

    def solve(
        self, head: keras.Model, features: Mapping[str, np.ndarray], encoded: np.ndarray, weights: np.ndarray
    ) -> str | None:
        """Ridge regression."""
        standardized = (encoded - np.array(self.mean)) / np.array(self.std)
        fit = functools.partial(ridge, features["pooled"], standardized)
        return installed(head, "standardized", len(self.columns), "columns", fit)

    def suspect(
        self, features: Mapping[str, np.ndarray], encoded: np.ndarray, groups: np.ndarray | None = None
    ) -> tuple[np.ndarray, list[str]]:
        """z² / (1 + z²) of the number farthest from what the other examples say, by z usual deviations; what they say.

        A usual deviation is the standard deviation of such differences, from their median. What is nearer than
        `suspects.FAR` of them (suspicion 0.8) is not corrected.
        """
        said, deviations = suspects.of_numbers(features["pooled"], encoded, groups)
        far = deviations > suspects.FAR
        better = [
            self.write_target(tuple(map(self._written, row, range(len(row))))) if change.any() else ""
            for row, change in zip(np.where(far, said, encoded), far, strict=True)
        ]
        square = np.square(deviations.max(axis=1))
        return square / (1 + square), better

    def _written(self, value: float, column: int) -> str:
        """A number with the decimal mark of the targets, and at most as many digits after it."""
        places = (self.decimals or [3] * len(self.columns))[column]
        text = f"{value:.6g}" if places > _DIGITS or abs(value) >= 10.0**_DIGITS else f"{value:.{places}f}"
        if "." in text and "e" not in text:
            text = text.rstrip("0").rstrip(".")
        return ("0" if text == "-0" else text).replace(".", self.options["decimal"] or ".")

    def loss(self) -> keras.losses.Loss:
        return _StandardizedSquare(self.std)

    def metrics(self) -> list[keras.metrics.Metric]:
        return [keras.metrics.MeanAbsoluteError(name="mae", dtype="float64")] if len(self.columns) == 1 else []

    def score(self, encoded: np.ndarray, outputs: np.ndarray) -> dict[str, float]:
        """Pearson's r (0 if it is undefined), mean absolute error, root mean squared error.

        For several columns: the mean of their r, then all three for each column.
        """
        pairs = zip(self.columns, encoded.T, outputs.T, strict=True)
        figures = self._named({column: _figures(truth, said) for column, truth, said in pairs})
        return {name: float(value) for name, value in figures.items()}

    def scores(self, encoded: np.ndarray, outputs: np.ndarray) -> Scores:
        def of_samples(rows: np.ndarray) -> dict[str, np.ndarray]:
            pairs = zip(self.columns, encoded.T, outputs.T, strict=True)
            return self._named({column: _figures(truth[rows], said[rows]) for column, truth, said in pairs})

        return of_samples

    def _named(self, figures: dict[str, dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """The metrics of each column, each under a name of its own."""
        if len(figures) == 1:
            return figures[self.columns[0]]
        mean = {"pearson_r": np.mean([of_one["pearson_r"] for of_one in figures.values()], axis=0)}
        return mean | {f"{name}_{column}": value for column in figures for name, value in figures[column].items()}

    def decode(self, outputs: np.ndarray, raws: Sequence[Any]) -> list[dict[str, Any]]:
        """`value`, in the units of the targets; for several columns, `values` by column."""
        if len(self.columns) == 1:
            return [{"value": float(row[0])} for row in outputs]
        return [{"values": dict(zip(self.columns, row.tolist(), strict=True))} for row in outputs]

    def in_words(self, answer: dict[str, Any]) -> str:
        if len(self.columns) == 1:
            return self._in_digits(answer)["value"]
        return "  ".join(f"{column} {value}" for column, value in self._in_digits(answer).items())

    def as_rows(self, answer: dict[str, Any]) -> list[dict[str, Any]]:
        """One row, with the digits that the targets have."""
        return [self._in_digits(answer)]

    def _in_digits(self, answer: dict[str, Any]) -> dict[str, str]:
        """The numbers by column, each with one decimal more than the targets, but with at least three digits of it.

        The digits are counted from the size of the differences between targets.
        """
        seen = self.decimals or [0] * len(self.columns)
        return {
            column: _digits(value, std, most)
            for (column, (value,)), std, most in zip(self.as_columns([answer]).items(), self.std, seen, strict=True)
        }

    def as_columns(self, answers: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
        if len(self.columns) == 1:
            return {"value": [answer["value"] for answer in answers]}
        return {column: [answer["values"][column] for answer in answers] for column in self.columns}

    def each(self, encoded: np.ndarray, outputs: np.ndarray) -> dict[str, np.ndarray]:
        off = np.abs(encoded - outputs)
        names = ["mae"] if len(self.columns) == 1 else [f"mae_{column}" for column in self.columns]
        return dict(zip(names, off.T, strict=True))

    def constant(self, encoded: np.ndarray) -> tuple[np.ndarray, str]:
        """The means."""
        means = encoded.mean(axis=0, keepdims=True)
        return means, f"always the mean, {self.in_words(self.decode(means, [None])[0])}"

    def report_figures(self, encoded: np.ndarray, outputs: np.ndarray) -> list[dict[str, Any]]:
        """For each column, the answers against the true numbers, and how far they are off."""
        figures: list[dict[str, Any]] = []
        for column, truth, said in zip(self.columns, encoded.T, outputs.T, strict=True):
            off = said - truth
            names = [f"true {column}", f"given {column}"]
            both = {"x": truth.tolist(), "y": said.tolist(), "names": names, "diagonal": True}
            figures.append({"kind": "scatter", "title": column, **both})
            lean = {"x": said.tolist(), "y": off.tolist(), "names": [names[1], "given minus true"], "level": 0.0}
            note = (
                f"On average {off.mean():+.3g}; half of the answers are off by less than {np.median(np.abs(off)):.3g}."
            )
            figures.append({"kind": "scatter", "title": f"Residuals of {column}", **lean, "note": note})
        return figures

    def mistakes(self, encoded: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        """How far off the answer is, in standard deviations of the training targets; the mean over the columns."""
        off: np.ndarray = np.abs(encoded - outputs) / np.array(self.std)
        return off.mean(axis=1)

    def is_right_or_wrong(self) -> bool:
        return False

    def parse_target(self, text: str) -> Target:
        """Raises `zoo.BadData` where the cells of several columns cannot be told apart."""
        if len(self.columns) == 1:
            return text
        cells = tuple(text.split(" "))
        if len(cells) != len(self.columns):
            raise zoo.BadData(f"{text!r} is not one number for each of {', '.join(self.columns)}")
        return cells

    def from_columns(
        self, targets: Sequence[str], columns: Mapping[str, Sequence[Any]]
    ) -> tuple[np.ndarray, np.ndarray]:
        names = ["value"] if len(self.columns) == 1 else self.columns
        outputs = np.array([columns[name] for name in names], "float64").T
        return self.encode(list(map(self.parse_target, targets))), outputs

    def explained(self, output: np.ndarray, raw: Any, target: str = "") -> tuple[str, Any]:
        """The number in the only column, or in one that is named; what raises it speaks for it."""
        if not target and len(self.columns) > 1:
            raise zoo.BadPlan(f"Which number is to be explained? Name its column with --target: {self.columns[0]}, ...")
        place = place_of(target, self.columns, "column") if target else 0
        return self.columns[place], lambda outputs: outputs[:, place]

    def state(self) -> dict[str, Any]:
        return {
            "options": self.options,
            "columns": self.columns,
            "mean": self.mean,
            "std": self.std,
            "decimals": self.decimals,
        }

    @classmethod
    def restore(cls, state: dict[str, Any]) -> "Regression":
        task = cls(**state["options"])
        task.columns = list_of_texts(state, "columns")
        count = len(task.columns)
        task.mean, task.std = list_of_numbers(state, "mean", count), list_of_numbers(state, "std", count, least=0)
        task.decimals = list_of_numbers(state, "decimals", count, least=0) if state.get("decimals") else []
        return task


def _row(target: Target) -> Sequence[str]:
    return (target,) if isinstance(target, str) else target


def _digits(value: float, std: float, decimals: int) -> str:
    """A number with a decimal more than `decimals`, if these are neither too few nor too many beside `std`.

    >>> _digits(1987.3456, 12.0, 0), _digits(3.6789, 0.8, 1), _digits(0.123456789, 0.3, 17)
    ('1987.3', '3.679', '0.1234568')
    """
    scale = math.floor(math.log10(std))
    places = max(2 - scale, min(decimals + 1, 6 - scale), 0)
    if places > 12 or abs(value) >= 1e15:
        return f"{value:.6g}"
    return f"{round(value, places) + 0.0:.{places}f}"


def _figures(truth: np.ndarray, said: np.ndarray) -> dict[str, np.ndarray]:
    """The metrics of pairs along the last axis."""
    truth, said = truth.astype("float64"), said.astype("float64")
    constant = (np.ptp(truth, axis=-1) == 0) | (np.ptp(said, axis=-1) == 0)
    x, y = (values - values.mean(axis=-1, keepdims=True) for values in (truth, said))
    lengths = np.sqrt(np.square(x).sum(axis=-1) * np.square(y).sum(axis=-1))
    return {
        "pearson_r": np.where(constant, 0.0, (x * y).sum(axis=-1) / np.where(constant, 1.0, lengths)),
        "mae": np.abs(truth - said).mean(axis=-1),
        "rmse": np.sqrt(np.square(truth - said).mean(axis=-1)),
    }


class _StandardizedSquare(keras.losses.Loss):
    """Squared error in units of each column's standard deviation; computed in float64, returned in float32."""

    def __init__(self, std: Sequence[float]) -> None:
        super().__init__(name="squared_error", dtype="float64")
        self._std = list(std)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        return keras.ops.cast(super().__call__(y_true, y_pred, sample_weight), "float32")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        std = keras.ops.convert_to_tensor(self._std, y_pred.dtype)
        return keras.ops.mean(keras.ops.square((y_true - y_pred) / std), axis=-1)
