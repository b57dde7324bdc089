"""A linear model on the features of the frozen backbone, which the trained head must not lose to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.compose.model import Composed
from zoo.compose.task import Task
from zoo.data.examples import Example
from zoo.features.store import Store
from zoo.progress import say
from zoo.training.features import head_outputs

if TYPE_CHECKING:
    import keras
    import numpy as np
    import tensorflow as tf

MOST = 5_000  # examples that it is fitted to


@dataclass(frozen=True)
class Baseline:
    """What the linear model is, its figures on the validation set, and the weights with which the head is it."""

    name: str
    metrics: dict[str, float]
    weights: list[np.ndarray]


def find_baseline(
    composed: Composed,
    task: Task,
    store: Store,
    learn: Sequence[Example],
    encoded: np.ndarray,
    weights: np.ndarray,
    judge: Sequence[Example],
    truth: np.ndarray,
) -> Baseline | None:
    """What the task finds without training; None where it finds nothing. The head is left as it was."""
    import numpy as np

    solve = getattr(task, "solve", None)
    if solve is None:
        return None
    rows = np.sort(np.random.default_rng(0).permutation(len(learn))[:MOST])
    contents = [learn[row].content for row in rows]
    features = {name: store.read(name, contents) for name in composed.from_features.input}
    model = composed.from_features
    before = model.get_weights()
    try:
        name = solve(model.get_layer("head"), features, encoded[rows], weights[rows])
        if name is None:
            return None
        metrics = task.score(truth, head_outputs(model, store, judge))
        return Baseline(name, metrics, model.get_weights())
    finally:
        model.set_weights(before)


def keep_better(model: keras.Model, baseline: Baseline, best: float, judge: tf.data.Dataset) -> float:
    """Go over to the baseline where its loss on the validation set is lower than `best`; returns the lower one."""
    trained = model.get_weights()
    model.set_weights(baseline.weights)
    loss = float(model.evaluate(judge, verbose=0, return_dict=True)["loss"])
    figures = "  ".join(f"{metric} {value:.4f}" for metric, value in baseline.metrics.items())
    say(f"Beside it, {baseline.name}: {figures}" + (" (better, and kept)" if loss < best else ""))
    if loss < best:
        return loss
    model.set_weights(trained)
    return best
