"""Classification: one of several classes for each example."""

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from natsort import natsorted

import zoo
from zoo.progress import say
from zoo_heads import separators, suspects
from zoo_heads.closed_form import installed, logistic
from zoo_heads.drawn import calibration, of_each
from zoo_heads.layers import check_options, dense, ranked
from zoo_heads.scores import Scores, macro_f1, macro_f1_of_samples
from zoo_heads.states import list_of_texts

_LIST = re.compile(r"\s*(\[|[({]\s*['\"]|(?:array|list|tuple|set|frozenset)\()")
_QUOTED = re.compile(r"\s*(?P<bytes>b)?(?:'[^']*'|\"[^\"]*\"|“[^”]*”|‘[^’]*’|«[^»]*»)\s*")


class Classification(zoo.Task):
    """Dense softmax over the classes, on `pooled` (batch, dim); the outputs are probabilities (batch, classes).

    Targets are class names; `labels` has them in natural order ("2" before "10"), which is the order of the outputs.
    """

    _noted = False

    def __init__(self, *, hidden: int | str, dropout: float, label_smoothing: float, class_weight: str) -> None:
        check_options(hidden=hidden, dropout=dropout, label_smoothing=label_smoothing)
        self.options = {
            "hidden": hidden,
            "dropout": dropout,
            "label_smoothing": label_smoothing,
            "class_weight": class_weight,
        }
        self.labels: list[str] = []

    def read_target(self, cells: Sequence[Any], raw: Any) -> str:
        """The class: the text of the cell as it is written. Raises `zoo.ZooError` for a list."""
        cell = cells[0]
        printed = isinstance(cell, str) and _LIST.match(cell)  # a class may well be called (1), or set()
        if isinstance(cell, (list, tuple)) or (
            printed and zoo.list_of(cell) is not None and not cell.strip().endswith("()")
        ):
            raise zoo.ZooError(
                f"the label {cell!r} is a list. For any number of labels for each example: --head multilabel. For one "
                "of several classes, write its name without brackets"
            )
        text: str = super().read_target(cells, raw)
        return text

    def describe(self, targets: Sequence[str], unit: str = "classes") -> str:
        return str(super().describe(targets, unit))

    def learn(self, targets: Sequence[str], columns: Sequence[str]) -> None:
        self.labels = natsorted(set(targets))
        self._refuse_quotes()
        self._note_combinations()
        if len(self.labels) < 2:
            found = f"only the class {self.labels[0]!r}" if self.labels else "no class at all"
            raise zoo.BadData(f"There is {found}. A classifier needs at least two classes.")

    def _refuse_quotes(self) -> None:
        """Raise `BadData` if all classes are in quotation marks, which are part of no name."""
        quoted = [match for label in self.labels if (match := _QUOTED.fullmatch(label))]
        if len(self.labels) > 1 and len(quoted) == len(self.labels):
            how = "Python prints bytes so: decode them before you write the table" if quoted[0]["bytes"] else ""
            raise zoo.BadData(
                f"All classes are in quotation marks, such as {self.labels[0]!r}. "
                f"{how or 'Write them without (and without a space before the marks that enclose a cell)'}."
            )

    def _note_combinations(self) -> None:
        """Say once if the classes are combinations of labels."""
        if not self._noted and (by := separators.certain(self.labels)):
            example = next(label for label in self.labels if by in label)
            say(
                f"Note: {example!r} counts as one class, like every other combination of labels. For several labels "
                "for each example: --head multilabel"
            )
        self._noted = True

    def strata(self, targets: Sequence[str]) -> Sequence[str]:
        return targets

    def encode(self, targets: Sequence[str]) -> np.ndarray:
        """Indices into `labels`, int32 (examples,)."""
        index = {label: i for i, label in enumerate(self.labels)}
        index |= self._spelt_otherwise(set(targets) - set(index))
        if unknown := natsorted(set(targets) - set(index)):
            raise zoo.BadData(
                f"{unknown[0]!r} is not a class that the model was trained on. Its classes: {', '.join(self.labels)}."
            )
        return np.array([index[target] for target in targets], "int32")

    def _spelt_otherwise(self, targets: set[str]) -> dict[str, int]:
        """Classes that another table writes in another way, such as 1.0 or True instead of 1 or true."""
        spelt: dict[str, list[int]] = {}
        for place, label in enumerate(self.labels):
            spelt.setdefault(_usual(label), []).append(place)
        fitting = {target: spelt.get(_usual(target), []) for target in targets}
        return {target: places[0] for target, places in fitting.items() if len(places) == 1}

    def outputs(self, features: Mapping[str, keras.KerasTensor]) -> keras.KerasTensor:
        return dense(features["pooled"], len(self.labels), self.options, name="probabilities", activation="softmax")

    def solve(
        self, head: keras.Model, features: Mapping[str, np.ndarray], encoded: np.ndarray, weights: np.ndarray
    ) -> str | None:
        """Logistic regression."""
        count = len(self.labels)
        fit = functools.partial(logistic, features["pooled"], encoded, count, weights)
        return installed(head, "probabilities", count, "classes", fit)

    def suspect(
        self, features: Mapping[str, np.ndarray], encoded: np.ndarray, groups: np.ndarray | None = None
    ) -> tuple[np.ndarray, list[str]]:
        """1 - the probability of the given class by what the other examples say; the likeliest class."""
        shares = suspects.of_classes(features["pooled"], encoded, len(self.labels), groups)
        likeliest = shares.argmax(axis=1)
        better = [self.labels[i] if i != given else "" for i, given in zip(likeliest, encoded, strict=True)]
        return 1 - shares[np.arange(len(encoded)), encoded].astype("float64"), better

    def loss(self) -> keras.losses.Loss:
        return _CrossEntropy(len(self.labels), self.options["label_smoothing"])

    def metrics(self) -> list[keras.metrics.Metric]:
        return [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]

    def example_weights(self, encoded: np.ndarray) -> np.ndarray:
        if self.options["class_weight"] == "none":
            return np.ones(len(encoded), "float32")
        counts = np.bincount(encoded, minlength=len(self.labels))
        present = np.count_nonzero(counts)
        return (len(encoded) / (present * np.maximum(counts, 1)))[encoded].astype("float32")

    def score(self, encoded: np.ndarray, outputs: np.ndarray) -> dict[str, float]:
        """Accuracy, mean F1 over the classes that are true or predicted, and cross-entropy."""
        means = {name: float(values.mean()) for name, values in self.each(encoded, outputs).items()}
        f1 = macro_f1(encoded, outputs.argmax(axis=1))
        return {"accuracy": means["accuracy"], "macro_f1": f1, "cross_entropy": means["cross_entropy"]}

    def decode(self, outputs: np.ndarray, raws: Sequence[Any]) -> list[dict[str, Any]]:
        """`label`, and `probabilities` by class, the likeliest first."""
        probabilities = [ranked(self.labels, row) for row in outputs]
        return [{"label": next(iter(shares)), "probabilities": shares} for shares in probabilities]

    def decode_columns(self, outputs: np.ndarray, raws: Sequence[Any]) -> dict[str, list[Any]]:
        kind = type(self)
        if kind.decode is not Classification.decode or kind.as_columns is not zoo.Task.as_columns:
            return super().decode_columns(outputs, raws)  # a subclass answers in its own way
        labels = [self.labels[i] for i in outputs.argmax(axis=1)]
        shares = {f"probability {self.labels[i]}": outputs[:, i].tolist() for i in np.argsort(self.labels)}
        return {"label": labels} | shares

    def each(self, encoded: np.ndarray, outputs: np.ndarray) -> dict[str, np.ndarray]:
        likelihood = outputs[np.arange(len(encoded)), encoded].astype("float64")
        return {"accuracy": outputs.argmax(axis=1) == encoded, "cross_entropy": -np.log(np.maximum(likelihood, 1e-7))}

    def scores(self, encoded: np.ndarray, outputs: np.ndarray) -> Scores:
        each, said = self.each(encoded, outputs), outputs.argmax(axis=1)

        def of_samples(rows: np.ndarray) -> dict[str, np.ndarray]:
            means = {name: values[rows].mean(axis=1) for name, values in each.items()}
            return means | {"macro_f1": macro_f1_of_samples(encoded, said, rows)}

        return of_samples

    def constant(self, encoded: np.ndarray) -> tuple[np.ndarray, str]:
        """The shares of the classes, so that the answer is the most frequent one."""
        counts = np.bincount(encoded, minlength=len(self.labels))
        return (counts / counts.sum())[np.newaxis], f"always {self.labels[counts.argmax()]}"

    def report_figures(self, encoded: np.ndarray, outputs: np.ndarray) -> list[dict[str, Any]]:
        """The confusion matrix, precision and recall of each class, and whether the probabilities are right."""
        said = outputs.argmax(axis=1)
        counts = np.zeros((len(self.labels), len(self.labels)), int)
        np.add.at(counts, (encoded, said), 1)
        return [
            {"kind": "matrix", "title": "Confusion matrix", "labels": self.labels, "values": counts.tolist()},
            of_each("Each class", self.labels, counts.diagonal(), counts.sum(axis=0), counts.sum(axis=1)),
            calibration(outputs.max(axis=1), said == encoded),
        ]

    def mistakes(self, encoded: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        """The probability of the answer where it is wrong."""
        return np.where(outputs.argmax(axis=1) == encoded, 0.0, outputs.max(axis=1))

    def from_columns(
        self, targets: Sequence[str], columns: Mapping[str, Sequence[Any]]
    ) -> tuple[np.ndarray, np.ndarray]:
        outputs = np.stack([columns[f"probability {label}"] for label in self.labels], axis=1)
        return self.encode(list(map(self.parse_target, targets))), outputs

    def state(self) -> dict[str, Any]:
        return {"options": self.options, "labels": self.labels}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> "Classification":
        task = cls(**state["options"])
        task.labels = list_of_texts(state, "labels")
        return task


def _usual(label: str) -> str:
    """One spelling of truth values and whole numbers."""
    return label.lower() if label in ("True", "False") else re.sub(r"^(-?\d+)\.0$", r"\1", label)


class _CrossEntropy(keras.losses.Loss):
    """Cross-entropy of probabilities (batch, classes) against class indices (batch,), with label smoothing."""

    def __init__(self, classes: int, label_smoothing: float) -> None:
        super().__init__(name="cross_entropy")
        self._classes, self._smoothing = classes, label_smoothing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        targets = keras.ops.one_hot(keras.ops.reshape(y_true, (-1,)), self._classes)
        return keras.losses.categorical_crossentropy(targets, y_pred, label_smoothing=self._smoothing)
