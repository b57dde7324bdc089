"""Carrying out the phases of a plan on a composed model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from zoo.catalog import catalog
from zoo.compose.model import Composed
from zoo.compose.task import Task
from zoo.data.examples import Example, Examples
from zoo.data.pipeline import Unreadable, prepared, refuse_unreadable, with_targets
from zoo.features.store import Store
from zoo.progress import show_lines, step
from zoo.runs.folder import RunFolder
from zoo.training.baseline import Baseline, find_baseline, keep_better
from zoo.training.features import Frozen, feature_batches
from zoo.training.plan import Phase, Plan
from zoo.training.provenance import Seconds

if TYPE_CHECKING:
    import keras
    import numpy as np
    import tensorflow as tf


def fit(
    plan: Plan, folder: RunFolder, composed: Composed, task: Task, examples: Examples, seconds: Seconds, frozen: Frozen
) -> Baseline | None:
    """Train phase after phase; the model ends with the weights that had the lowest validation loss of all epochs.

    A head on the frozen backbone is compared with the baseline, which is returned, and replaced where that is better.

    With the backbone frozen, it is run once for each example in all trainings, and the head trains on what it gave.
    """
    from zoo.training.optimizers import make_optimizer

    learn, judge = _Side(examples.of("train"), task), _Side(examples.of("validation"), task)
    learn.weights = task.example_weights(learn.encoded)
    best, baseline = math.inf, None
    rows: list[dict[str, Any]] = []
    for phase in plan.phases:
        errors: Unreadable = {}
        composed.encoder.unfreeze(phase.unfreeze)
        if phase.unfreeze == 0:
            model = composed.from_features
            with seconds.of("features"):
                store = frozen.features(learn.examples + judge.examples)
            batches = [side.feature_batches(composed, plan, store, side is learn) for side in (learn, judge)]
        else:
            model = composed.from_prepared
            batches = [side.raw_batches(composed, plan, side is learn, errors) for side in (learn, judge)]
        optimizer = make_optimizer(phase, composed.encoder, phase.epochs * len(batches[0]))
        model.compile(optimizer, loss=task.loss(), metrics=task.metrics())
        with seconds.of(phase.name):
            best = _fit_phase(model, batches[0], batches[1], phase, folder, best, rows)
        if phase.unfreeze == 0:
            with seconds.of("baseline"):
                sides = learn.examples, learn.encoded, learn.weights, judge.examples, judge.encoded
                if baseline := find_baseline(composed, task, store, *sides):
                    best = keep_better(model, baseline, best, batches[1])
        refuse_unreadable(errors)
    return baseline


class _Side:
    """The examples of one split, encoded."""

    def __init__(self, examples: list[Example], task: Task) -> None:
        import numpy as np

        self.examples = examples
        self.encoded = task.encode([example.target for example in examples])
        self.weights: np.ndarray = np.ones(len(examples), "float32")

    def feature_batches(self, composed: Composed, plan: Plan, store: Store, learning: bool) -> tf.data.Dataset:
        seed = plan.seed if learning else None
        spec = composed.from_features.input
        return feature_batches(store, self.examples, self.encoded, self.weights, spec, plan.batch_size, seed)

    def raw_batches(self, composed: Composed, plan: Plan, learning: bool, errors: Unreadable) -> tf.data.Dataset:
        seed = plan.seed if learning else None
        raws = [example.raw for example in self.examples]
        batches = prepared(raws, composed.encoder.preprocess, plan.batch_size, errors, seed)
        return with_targets(batches, self.encoded, self.weights)


def _fit_phase(
    model: keras.Model,
    learn: tf.data.Dataset,
    judge: tf.data.Dataset,
    phase: Phase,
    folder: RunFolder,
    best: float,
    rows: list[dict[str, Any]],
) -> float:
    """Fit until the phase is over; returns the lowest validation loss, whose weights the model has."""
    import keras

    from zoo.training.callbacks import History, KeepBest, ShowProgress, StopOnBadLoss
    from zoo.training.interrupt import StopBetweenSteps

    keep, stop = KeepBest(phase.patience, best), StopBetweenSteps()
    with stop.listening(), step(phase.name.capitalize(), phase.epochs * len(learn), "steps") as advance:
        callbacks = [
            StopOnBadLoss(),
            History(folder, phase, rows),
            ShowProgress(advance, phase, lines=show_lines()),
            keras.callbacks.TensorBoard(folder.logs / phase.name, write_graph=False),
            *(callback for given in catalog().host.call("zoo_callbacks", run=folder) for callback in given),
            keep,
            stop,
        ]
        model.fit(learn, validation_data=judge, epochs=phase.epochs, shuffle=False, verbose=0, callbacks=callbacks)
    return keep.best
