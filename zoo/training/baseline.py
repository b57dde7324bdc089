"""The baseline: a linear model on the features of the frozen backbone, which the trained model has to beat."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.compose.model import Composed
from zoo.compose.task import Task, own
from zoo.features.batches import head_outputs
from zoo.features.store import Store
from zoo.inference.arrays import at
from zoo.runs.predictions import as_floats
from zoo.training.encoded import EncodedSplit
from zoo.training.provenance import Seconds

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf

MOST = 5_000  # the baseline is fitted to at most this many examples


@dataclass(frozen=True)
class Baseline:
    """The name of the linear model, its metrics on the validation set, and the weights that turn the head into it."""

    name: str
    metrics: dict[str, float]
    weights: list[np.ndarray]

    def __str__(self) -> str:
        return f"{self.name}: " + "  ".join(f"{metric} {value:.4f}" for metric, value in self.metrics.items())


class Baselines:
    """Computes the baseline of a training and its loss.

    possible  whether the task has a baseline
    """

    def __init__(
        self, composed: Composed, task: Task, learn: EncodedSplit, judge: EncodedSplit, seconds: Seconds
    ) -> None:
        self._model, self._head, self._task = composed.from_features, composed.head, task
        self._learn, self._judge = learn, judge
        self._seconds = seconds
        self.possible = own(task, "solve")

    def find(self, store: Store) -> Baseline | None:
        """Compute the baseline; None if the task finds none. The head keeps its weights."""
        import numpy as np

        if not self.possible:
            return None
        with self._seconds.of("baseline"):
            learn = self._learn
            rows = np.sort(np.random.default_rng(0).permutation(len(learn.examples))[:MOST])
            contents = [learn.examples[row].content for row in rows]
            features = {name: store.read(name, contents) for name in self._head.input}
            with self._as_it_was():
                name = self._task.solve(self._head, features, at(learn.encoded, rows), learn.weights[rows])
                if name is None:
                    return None
                scorer = self._task.scorer()
                for rows, outputs in head_outputs(self._model, store, self._judge.examples):
                    scorer.update(at(self._judge.encoded, rows), outputs)
                return Baseline(name, as_floats(scorer.result()), self._model.get_weights())

    @contextmanager
    def being(self, baseline: Baseline) -> Iterator[None]:
        """A context in which the head has the baseline's weights."""
        with self._as_it_was():
            self._model.set_weights(baseline.weights)
            yield

    def loss(self, baseline: Baseline, judge: tf.data.Dataset) -> float:
        """The baseline's loss on the validation set; `judge` has its cached features."""
        with self._seconds.of("baseline"), self.being(baseline):
            if not self._model.compiled:
                self._model.compile(loss=self._task.loss())
            return float(self._model.evaluate(judge, verbose=0, return_dict=True)["loss"])

    def take(self, baseline: Baseline) -> None:
        """Give the head the baseline's weights for good."""
        self._model.set_weights(baseline.weights)

    @contextmanager
    def _as_it_was(self) -> Iterator[None]:
        before = self._model.get_weights()
        try:
            yield
        finally:
            self._model.set_weights(before)
