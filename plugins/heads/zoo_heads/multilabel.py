"""Multi-label classification: any number of labels for each example."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from natsort import natsorted

import zoo
from zoo_heads.closed_form import install, logistic_of_labels
from zoo_heads.layers import check_options, dense, ranked
from zoo_heads.strata import by_rarest

_YES, _NO = {"1", "1.0", "true", "yes"}, {"0", "0.0", "false", "no"}


class Multilabel(zoo.Task):
    """Dense sigmoid for each label, on `pooled` (batch, dim); the outputs are probabilities (batch, labels).

    A target consists of labels separated by "|" ("|" alone: no label), or of a column of 0 and 1 for each label.
    """

    def __init__(self, *, hidden: int, dropout: float, threshold: float) -> None:
        check_options(hidden=hidden, dropout=dropout)
        if not 0 < threshold < 1:
            raise zoo.BadPlan(f"--set threshold={threshold}: it must be above 0 and below 1.")
        self.options = {"hidden": hidden, "dropout": dropout, "threshold": threshold}
        self.columns: list[str] = []
        self.labels: list[str] = []

    def learn(self, targets: Sequence[str | tuple[str, ...]], columns: Sequence[str]) -> None:
        self.columns = list(columns)
        given = {label for target in targets for label in self._labels_of(target)}
        self.labels = list(columns) if len(columns) > 1 else natsorted(given)
        if len(self.labels) < 2:
            raise zoo.BadData(
                f"Number of labels: {len(self.labels)}. Give two or more, separated by '|' as in 'red|round', or "
                "several columns of 0 and 1 with --target A,B,C."
            )
        if never := [label for label in self.labels if label not in given]:
            raise zoo.BadData(f"No training example has the label {never[0]!r}. Leave its column out of --target.")

    def strata(self, targets: Sequence[str | tuple[str, ...]]) -> Sequence[str | None]:
        return by_rarest([self._labels_of(target) for target in targets])

    def encode(self, targets: Sequence[str | tuple[str, ...]]) -> np.ndarray:
        """0 or 1 for each label, float32 (examples, labels)."""
        index = {label: i for i, label in enumerate(self.labels)}
        encoded = np.zeros((len(targets), len(index)), "float32")
        for row, target in enumerate(targets):
            for label in self._labels_of(target):
                if label not in index:
                    known = ", ".join(self.labels)
                    raise zoo.BadData(f"{label!r} is not a label that the model was trained on. Its labels: {known}.")
                encoded[row, index[label]] = 1
        return encoded

    def _labels_of(self, target: str | tuple[str, ...]) -> list[str]:
        if isinstance(target, str):
            return [label.strip() for label in target.split("|") if label.strip()]
        for column, cell in zip(self.columns, target, strict=True):
            if cell.strip().lower() not in _YES | _NO:
                raise zoo.BadData(f"The column {column!r} has {cell!r}. Several target columns must each have 0 or 1.")
        return [c for c, cell in zip(self.columns, target, strict=True) if cell.strip().lower() in _YES]

    def outputs(self, features: Mapping[str, keras.KerasTensor]) -> keras.KerasTensor:
        return dense(features["pooled"], len(self.labels), self.options, name="probabilities", activation="sigmoid")

    def solve(
        self, head: keras.Model, features: Mapping[str, np.ndarray], encoded: np.ndarray, weights: np.ndarray
    ) -> str | None:
        """Logistic regression for each label."""
        found = logistic_of_labels(features["pooled"], encoded)
        return found.name if found and install(head, "probabilities", found) else None

    def loss(self) -> keras.losses.Loss:
        return keras.losses.BinaryCrossentropy()

    def metrics(self) -> list[keras.metrics.Metric]:
        return [keras.metrics.F1Score("micro", self.options["threshold"], name="micro_f1")]

    def score(self, encoded: np.ndarray, outputs: np.ndarray) -> dict[str, float]:
        """Mean average precision over the labels that occur; F1 over all decisions, and mean F1 over those labels."""
        from sklearn.metrics import average_precision_score, f1_score

        occur = encoded.any(axis=0)
        if not occur.any():
            return {"mean_average_precision": 0.0, "micro_f1": 0.0, "macro_f1": 0.0}
        said = outputs >= self.options["threshold"]
        return {
            "mean_average_precision": float(average_precision_score(encoded[:, occur], outputs[:, occur])),
            "micro_f1": float(f1_score(encoded, said, average="micro", zero_division=0)),
            "macro_f1": float(f1_score(encoded[:, occur], said[:, occur], average="macro", zero_division=0)),
        }

    def decode(self, outputs: np.ndarray, raws: Sequence[Any]) -> list[dict[str, Any]]:
        """`labels` whose probability reaches the threshold, and all `probabilities`, the likeliest first."""
        answers = []
        for row in outputs:
            shares = ranked(self.labels, row)
            chosen = [label for label, share in shares.items() if share >= self.options["threshold"]]
            answers.append({"labels": chosen, "probabilities": shares})
        return answers

    def in_words(self, answer: dict[str, Any]) -> str:
        return f"{' | '.join(answer['labels']) or 'no label'}  ({super().in_words(answer)})"

    def report_figures(self, encoded: np.ndarray, outputs: np.ndarray) -> list[dict[str, Any]]:
        """For each label, how often it is true and how often it is predicted."""
        given = (outputs >= self.options["threshold"]).sum(axis=0)
        bars = {"true": encoded.sum(axis=0).astype(int).tolist(), "given": given.astype(int).tolist()}
        return [{"kind": "bars", "title": "Examples with each label", "labels": self.labels, "values": bars}]

    def state(self) -> dict[str, Any]:
        return {"options": self.options, "columns": self.columns, "labels": self.labels}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> "Multilabel":
        task = cls(**state["options"])
        task.columns, task.labels = state["columns"], state["labels"]
        return task
