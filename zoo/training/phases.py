"""Carrying out the phases of a plan on a composed model."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from zoo.catalog import catalog
from zoo.compose.cut import Parted, part
from zoo.compose.model import Composed
from zoo.compose.task import Task
from zoo.data.augment import Augment, Augmentation
from zoo.data.examples import Example, Examples
from zoo.data.order import Order
from zoo.data.pipeline import Unreadable, Views, prepared, refuse_unreadable, text_lengths, with_targets
from zoo.features.store import Store
from zoo.inference.folded import computing_in
from zoo.progress import show_lines, step
from zoo.runs.folder import RunFolder
from zoo.training.baseline import Baseline, find_baseline, keep_better
from zoo.training.features import VIEWS, Frozen, feature_batches, view_keys
from zoo.training.keep import is_kept
from zoo.training.plan import Phase, Plan
from zoo.training.provenance import Seconds

if TYPE_CHECKING:
    import keras
    import numpy as np
    import tensorflow as tf


@dataclass(frozen=True)
class Fitted:
    """What training left: the baseline of the head, and of the last phase the parts of the model and kept features."""

    baseline: Baseline | None
    parted: Parted | None
    frozen: Frozen | None


def fit(
    plan: Plan,
    folder: RunFolder,
    composed: Composed,
    task: Task,
    examples: Examples,
    seconds: Seconds,
    freeze: Callable[[keras.Model], Frozen],
) -> Fitted:
    """Train phase after phase; the model ends with the weights that had the lowest validation loss of all epochs.

    What is frozen in a phase is run once for each example in all trainings, and the rest trains on what it gave (where
    that can be kept). A head on a frozen backbone is compared with the baseline, and replaced where that is better.

    freeze  makes of a frozen part, prepared input -> {feature: tensor}, the one with kept features
    """
    from zoo.training.optimizers import make_optimizer

    learn = _Side(examples.of("train"), task, plan.batch_size, plan.seed, plan.augment)
    judge = _Side(examples.of("validation"), task, plan.batch_size)
    learn.weights = task.example_weights(learn.encoded)
    best, fitted = math.inf, Fitted(None, None, None)
    rows: list[dict[str, Any]] = []
    for phase in plan.phases:
        errors: Unreadable = {}
        composed.encoder.unfreeze(phase.unfreeze)
        parted, store = part(composed), None
        views = 1 if plan.augment == "none" else 1 + VIEWS
        if parted is not None and is_kept(parted, phase, learn.examples + judge.examples, plan.cache, views):
            with seconds.of("features"):
                fitted = Fitted(fitted.baseline, parted, frozen := freeze(parted.front))
                store = frozen.features(learn.examples + judge.examples, learn.examples, plan.augment)
            model = parted.tail
            batches = [side.feature_batches(model.input, store) for side in (learn, judge)]
        else:
            fitted = Fitted(fitted.baseline, None, None)
            model = composed.from_prepared
            batches = [side.raw_batches(composed.encoder.preprocess, errors) for side in (learn, judge)]
        precision = plan.training_precision(phase)
        optimizer = make_optimizer(phase, composed.encoder, phase.epochs * len(batches[0]), precision)
        model.compile(optimizer, loss=task.loss(), metrics=task.metrics())
        with seconds.of(phase.name), computing_in(precision):
            best = _fit_phase(model, batches[0], batches[1], learn.order, phase, folder, best, rows)
        if phase.unfreeze == 0 and store is not None:
            with seconds.of("baseline"):
                sides = learn.examples, learn.encoded, learn.weights, judge.examples, judge.encoded
                if baseline := find_baseline(composed, task, store, *sides):
                    best = keep_better(model, baseline, best, batches[1])
                    fitted = replace(fitted, baseline=baseline)
        refuse_unreadable(errors)
    return fitted


class _Side:
    """The examples of one split, encoded; with a seed they are gone through in another order in each epoch."""

    def __init__(
        self, examples: list[Example], task: Task, batch_size: int, seed: int | None = None, augment: Augment = "none"
    ) -> None:
        import numpy as np

        self.examples, self.augment = examples, augment
        self.encoded = task.encode([example.target for example in examples])
        self.weights: np.ndarray = np.ones(len(examples), "float32")
        self._raws = [example.raw for example in examples]
        self.order = Order(len(examples), batch_size, seed)

    def feature_batches(self, spec: Mapping[str, keras.KerasTensor], store: Store) -> tf.data.Dataset:
        lengths_differ = any(None in tensor.shape[1:] for tensor in spec.values())
        self.order.lengths = text_lengths(self._raws) if lengths_differ else None
        return feature_batches(store, self.examples, self.encoded, self.weights, spec, self.order, self.augment)

    def raw_batches(self, preprocess: keras.Model, errors: Unreadable) -> tf.data.Dataset:
        self.order.lengths = text_lengths(self._raws)
        views = None
        if self.augment != "none":
            keys = view_keys(self.examples) ^ (self.order.seed or 0)
            views = Views(Augmentation(self.augment), keys)
        return with_targets(prepared(self._raws, preprocess, self.order, errors, views), self.encoded, self.weights)


def _fit_phase(
    model: keras.Model,
    learn: tf.data.Dataset,
    judge: tf.data.Dataset,
    order: Order,
    phase: Phase,
    folder: RunFolder,
    best: float,
    rows: list[dict[str, Any]],
) -> float:
    """Fit until the phase is over; returns the lowest validation loss, whose weights the model has."""
    import keras

    from zoo.training.callbacks import FollowEpoch, History, KeepBest, ShowProgress, StopOnBadLoss
    from zoo.training.interrupt import StopBetweenSteps

    keep, stop = KeepBest(phase.patience, best), StopBetweenSteps()
    with stop.listening(), step(phase.name.capitalize(), phase.epochs * len(learn), "steps") as advance:
        callbacks = [
            FollowEpoch(order),
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
