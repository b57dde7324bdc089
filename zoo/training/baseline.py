"""A linear model on the features of the frozen backbone, which the trained model must not lose to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.compose.model import Composed
from zoo.compose.task import Task
from zoo.features.store import Store
from zoo.progress import say
from zoo.training.features import head_outputs
from zoo.training.provenance import Seconds
from zoo.training.sides import Side

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf

MOST = 5_000  # examples that it is fitted to


@dataclass(frozen=True)
class Baseline:
    """What the linear model is, its figures on the validation set, and the weights with which the head is it."""

    name: str
    metrics: dict[str, float]
    weights: list[np.ndarray]

    def __str__(self) -> str:
        return f"{self.name}: " + "  ".join(f"{metric} {value:.4f}" for metric, value in self.metrics.items())


class Baselines:
    """Finds the baseline of a training, and compares with it.

    possible  whether the task finds anything without training
    """

    def __init__(self, composed: Composed, task: Task, learn: Side, judge: Side, seconds: Seconds) -> None:
        self._model, self._task = composed.from_features, task
        self._learn, self._judge = learn, judge
        self._seconds = seconds
        self._solve = getattr(task, "solve", None)
        self.possible = self._solve is not None

    def find(self, store: Store) -> Baseline | None:
        """What the task finds without training; None where it finds nothing. The head is left as it was."""
        import numpy as np

        if self._solve is None:
            return None
        with self._seconds.of("baseline"):
            learn, model = self._learn, self._model
            rows = np.sort(np.random.default_rng(0).permutation(len(learn.examples))[:MOST])
            contents = [learn.examples[row].content for row in rows]
            features = {name: store.read(name, contents) for name in model.input}
            with self._as_it_was():
                name = self._solve(model.get_layer("head"), features, learn.encoded[rows], learn.weights[rows])
                if name is None:
                    return None
                outputs = head_outputs(model, store, self._judge.examples)
                return Baseline(name, self._task.score(self._judge.encoded, outputs), model.get_weights())

    @contextmanager
    def being(self, baseline: Baseline) -> Iterator[None]:
        """Let the head be the baseline in the block."""
        with self._as_it_was():
            self._model.set_weights(baseline.weights)
            yield

    def loss(self, baseline: Baseline, judge: tf.data.Dataset) -> float:
        """The baseline's loss on the validation set, of which `judge` gives the kept features."""
        with self._seconds.of("baseline"), self.being(baseline):
            if not self._model.compiled:
                self._model.compile(loss=self._task.loss())
            return float(self._model.evaluate(judge, verbose=0, return_dict=True)["loss"])

    def keep_better(self, baseline: Baseline, best: float, judge: tf.data.Dataset) -> float:
        """Go over to the baseline where its loss on the validation set is lower than `best`; returns the lower one."""
        loss = self.loss(baseline, judge)
        say(f"Beside it, {baseline}" + (" (better, and kept)" if loss < best else ""))
        if loss < best:
            self._model.set_weights(baseline.weights)
        return min(loss, best)

    @contextmanager
    def _as_it_was(self) -> Iterator[None]:
        before = self._model.get_weights()
        try:
            yield
        finally:
            self._model.set_weights(before)
