"""The task: it learns its targets, encodes them, makes the layers and the loss, scores, and answers."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

import zoo


class Classes:
    """One of several classes: a softmax layer on `pooled` (batch, dim); the outputs are probabilities (batch, classes)."""

    def __init__(self, *, dropout: float) -> None:
        if not 0 <= dropout < 1:
            raise zoo.BadPlan(f"--set dropout={dropout}: it must be at least 0 and below 1.")
        self.dropout = dropout
        self.labels: list[str] = []

    def learn(self, targets: Sequence[str], columns: Sequence[str]) -> None:
        self.labels = sorted(set(targets))
        if len(self.labels) < 2:
            raise zoo.BadData(f"There are {len(self.labels)} classes; there must be at least two.")

    def strata(self, targets: Sequence[str]) -> Sequence[str]:
        return targets

    def encode(self, targets: Sequence[str]) -> np.ndarray:
        index = {label: number for number, label in enumerate(self.labels)}
        if unknown := sorted(set(targets) - set(index)):
            raise zoo.BadData(f"{unknown[0]!r} is not a class that the model was trained on: {', '.join(index)}.")
        return np.array([index[target] for target in targets], "int32")

    def outputs(self, features: Mapping[str, keras.KerasTensor]) -> keras.KerasTensor:
        x = keras.layers.Dropout(self.dropout)(features["pooled"])
        return keras.layers.Dense(len(self.labels), activation="softmax", dtype="float32", name="probabilities")(x)

    def loss(self) -> keras.losses.Loss:
        return keras.losses.SparseCategoricalCrossentropy()

    def metrics(self) -> list[keras.metrics.Metric]:
        return [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]

    def example_weights(self, encoded: np.ndarray) -> np.ndarray:
        return np.ones(len(encoded), "float32")

    def score(self, encoded: np.ndarray, outputs: np.ndarray) -> dict[str, float]:
        return {"accuracy": float(np.mean(outputs.argmax(-1) == encoded))}

    def decode(self, outputs: np.ndarray, raws: Sequence[Any]) -> list[dict[str, Any]]:
        answers = []
        for row in outputs:
            order = row.argsort()[::-1]
            probabilities = {self.labels[number]: float(row[number]) for number in order}
            answers.append({"label": self.labels[order[0]], "probabilities": probabilities})
        return answers

    def state(self) -> dict[str, Any]:
        return {"dropout": self.dropout, "labels": self.labels}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> "Classes":
        task = cls(dropout=state["dropout"])
        task.labels = state["labels"]
        return task
