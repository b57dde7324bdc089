"""The head of version 1.0 of the plugin API: only the methods that had to be there, and no base class."""

import keras
import numpy as np

import zoo


class Classes:
    def __init__(self):
        self.labels = []

    def learn(self, targets, columns):
        self.labels = sorted(set(targets))
        if len(self.labels) < 2:
            raise zoo.BadData("there must be two classes")

    def strata(self, targets):
        return targets

    def encode(self, targets):
        if unknown := set(targets) - set(self.labels):
            raise zoo.BadData(f"{unknown.pop()!r} is not among {self.labels}")
        return np.array([self.labels.index(target) for target in targets], "int32")

    def outputs(self, features):
        return keras.layers.Dense(len(self.labels), activation="softmax", dtype="float32")(features["pooled"])

    def loss(self):
        return keras.losses.SparseCategoricalCrossentropy()

    def metrics(self):
        return [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]

    def example_weights(self, encoded):
        return np.ones(len(encoded), "float32")

    def score(self, encoded, outputs):
        return {"accuracy": float(np.mean(outputs.argmax(-1) == encoded))}

    def decode(self, outputs, raws):
        return [{"class": self.labels[row.argmax()], "certainty": float(row.max())} for row in outputs]

    def state(self):
        return {"labels": self.labels}

    @classmethod
    def restore(cls, state):
        task = Classes()
        task.labels = state["labels"]
        return task
