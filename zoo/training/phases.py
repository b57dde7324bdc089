"""Carrying out the phases of a plan on a composed model, from the beginning or from a checkpoint."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from zoo.catalog import catalog
from zoo.compose.cut import Parted, part
from zoo.compose.model import Composed
from zoo.compose.task import Task
from zoo.data.examples import Examples
from zoo.data.pipeline import Unreadable, refuse_unreadable
from zoo.errors import BadRun
from zoo.features.store import Store
from zoo.inference.folded import computing_in
from zoo.progress import progress, say, show_lines
from zoo.runs.folder import RunFolder
from zoo.training.baseline import Baseline, Baselines
from zoo.training.changes import Changes, assign
from zoo.training.checkpoint import Checkpoint, Checkpoints
from zoo.training.features import VIEWS, Frozen
from zoo.training.interrupt import Stop
from zoo.training.keep import is_kept
from zoo.training.plan import Phase, Plan
from zoo.training.provenance import Seconds
from zoo.training.sides import Side

if TYPE_CHECKING:
    import keras
    import numpy as np
    import tensorflow as tf


@dataclass(frozen=True)
class Fitted:
    """What training left: the baseline's name and figures; of the last phase, the model's parts and kept features."""

    baseline: tuple[str, dict[str, float]] | None
    parted: Parted | None
    frozen: Frozen | None


@dataclass(frozen=True)
class _Stage:
    """What one phase trains: the model, where its batches come from, and what is frozen before it, if that is kept."""

    model: keras.Model
    batches: Callable[[Side], tf.data.Dataset]
    errors: Unreadable
    parted: Parted | None = None
    frozen: Frozen | None = None
    store: Store | None = None


class Fitting:
    """Trains phase after phase; the model ends with the weights that had the lowest validation loss of all epochs.

    What is frozen in a phase is run once for each example in all trainings, and the rest trains on what it gave (where
    that can be kept). A head on a frozen backbone is compared with the baseline, and replaced where that is better;
    where the backbone is trained from the start, the baseline comes first, and its loss is the one to beat.

    freeze  makes of a frozen part, prepared input -> {feature: tensor}, the one with kept features
    start   where an earlier process was; the result is the same as if there had been one process
    """

    def __init__(
        self,
        plan: Plan,
        folder: RunFolder,
        composed: Composed,
        task: Task,
        examples: Examples,
        seconds: Seconds,
        freeze: Callable[[keras.Model], Frozen],
        start: Checkpoint | None = None,
    ) -> None:
        self._plan, self._folder, self._composed, self._task = plan, folder, composed, task
        self._seconds, self._freeze = seconds, freeze
        self._learn = Side(examples.of("train"), task, plan.batch_size, plan.seed, plan.augment)
        self._judge = Side(examples.of("validation"), task, plan.batch_size)
        self._learn.weights = task.example_weights(self._learn.encoded)
        self._baselines = Baselines(composed, task, self._learn, self._judge, seconds)
        self._checkpoints = Checkpoints(folder)
        self._changes = Changes(composed.model)
        self._now = start or Checkpoint(built=self._changes.built)
        if self._now.built != self._changes.built:
            raise BadRun(
                f"{folder.path} cannot be resumed: the backbone's weights, or what builds it, are others than when it "
                f"was started. Start anew: zoo train --plan {folder.path / 'plan.toml'}"
            )
        self._changes.restore(self._now.of("model"))

    def fit(self, finish: bool = False) -> Fitted:
        """Carry out what is left of the phases; with `finish` nothing of them, and the best weights so far are taken.

        Raises `BadRun` where no epoch is over that could be finished with.
        """
        if finish and self._now.best is None:
            raise BadRun(
                f"{self._folder.path} has no epoch that is over yet; go on with: zoo resume {self._folder.path}"
            )
        fitted, phases = Fitted(None, None, None), self._plan.phases
        last = min(self._now.phase, len(phases) - 1) if finish else len(phases) - 1
        for number, phase in enumerate(phases[: last + 1]):
            if number < min(self._now.phase, last):
                continue
            beaten = self._baseline_before(phase)
            self._composed.encoder.unfreeze(phase.unfreeze)
            stage = self._stage(phase)
            if number >= self._now.phase:
                self._fit_phase(stage, phase, finish, beaten)
                refuse_unreadable(stage.errors)
            fitted = Fitted(self._now.baseline, stage.parted, stage.frozen)
        return fitted

    def _stage(self, phase: Phase) -> _Stage:
        learn, judge, errors = self._learn, self._judge, dict[str, str]()
        parted = part(self._composed)
        views = 1 if self._plan.augment == "none" else 1 + VIEWS
        kept = self._now.kept
        if parted is not None and kept is None:
            kept = is_kept(parted, phase, learn.examples + judge.examples, self._plan.cache, views)
        self._now = replace(self._now, kept=bool(kept))
        if parted is None or not kept:
            preprocess = self._composed.encoder.preprocess
            return _Stage(self._composed.from_prepared, lambda side: side.raw_batches(preprocess, errors), errors)
        with self._seconds.of("features"):
            frozen = self._freeze(parted.front)
            store = frozen.features(learn.examples + judge.examples, learn.examples, self._plan.augment)
        tail = parted.tail
        return _Stage(tail, lambda side: side.feature_batches(tail.input, store), errors, parted, frozen, store)

    def _baseline_before(self, phase: Phase) -> tuple[Baseline, float] | None:
        """The baseline on the backbone as it comes, and its loss, of a training that begins with the backbone."""
        at_start = self._now.phase == self._now.epoch == self._now.batch == 0
        if not (at_start and phase.unfreeze and self._baselines.possible and self._plan.cache != "off"):
            return None
        now, self._now = self._now, replace(self._now, kept=None)
        self._composed.encoder.unfreeze(0)
        stage = self._stage(replace(phase, unfreeze=0))
        baseline = self._baselines.find(stage.store) if stage.store is not None else None
        self._now = now
        if baseline is None:
            return None
        self._remember(baseline)
        say(f"To be beaten by training the backbone too, {baseline}")
        return baseline, self._baselines.loss(baseline, stage.batches(self._judge))

    def _remember(self, baseline: Baseline) -> None:
        self._now = replace(self._now, baseline=(baseline.name, baseline.metrics))

    def _fit_phase(self, stage: _Stage, phase: Phase, finish: bool, beaten: tuple[Baseline, float] | None) -> None:
        """Fit until the phase is over, and save that; the model then has the best weights.

        beaten  a baseline and its loss; it is kept where no epoch beats it
        """
        from zoo.training.callbacks import KeepBest
        from zoo.training.optimizers import make_optimizer

        now, model, steps = self._now, stage.model, len(self._learn.order)
        precision = self._plan.training_precision(phase)
        optimizer = make_optimizer(phase, self._composed.encoder, phase.epochs * steps, precision)
        model.compile(optimizer, loss=self._task.loss(), metrics=self._task.metrics())
        keep = KeepBest(model, phase.patience, math.inf if now.best is None else now.best, now.idle)
        optimizer.build(model.trainable_variables)
        for number, value in now.of("optimizer").items():
            assign(optimizer.variables[number], value)
        best, numbers = now.of("best"), self._changes.numbers(model.weights)
        keep.weights = [best.get(n, weights) for n, weights in zip(numbers, keep.weights, strict=True)]
        if now.epoch == now.batch == 0:
            self._save(stage, keep, 0, 0, {})
        if beaten is not None:
            baseline, keep.best = beaten
            with self._baselines.being(baseline):
                keep.weights = model.get_weights()
                self._changes.values(model)  # the head's variables are among what checkpoints hold from now on
        judge = stage.batches(self._judge)
        with self._seconds.of(phase.name), computing_in(precision):
            if not finish:
                self._go_through_epochs(stage, phase, keep, judge)
            keep.restore()
        if phase.unfreeze == 0 and stage.store is not None:
            if (found := self._baselines.find(stage.store)) is not None:
                self._remember(found)
                keep.best = self._baselines.keep_better(found, keep.best, judge)
        elif now.baseline and all(keep.best < row["val_loss"] for row in now.rows):
            say(f"No epoch was better than {now.baseline[0]}, which is kept.")
        self._now = replace(
            self._now,
            phase=self._now.phase + 1,
            epoch=0,
            batch=0,
            best=keep.best,
            idle=0,
            kept=None,
            logs={},
            arrays={},
        )
        self._save(stage, keep, 0, 0, {})

    def _go_through_epochs(self, stage: _Stage, phase: Phase, keep: Any, judge: tf.data.Dataset) -> None:
        import keras

        from zoo.training.callbacks import FollowEpoch, History, ShowProgress, StopOnBadLoss
        from zoo.training.saving import Saver

        now, model, steps, stop = self._now, stage.model, len(self._learn.order), Stop()
        epoch, done = now.epoch, now.batch

        def save(epoch: int, batch: int, logs: dict[str, float]) -> None:
            self._save(stage, keep, epoch, batch, logs)
            if stop.wanted:
                say(f"Saved. To go on from here: zoo resume {self._folder.path}")

        with stop.noted(), progress(phase.name.capitalize(), phase.epochs * steps, "steps") as advance:
            advance(epoch * steps + done)
            ours = [
                StopOnBadLoss(self._folder, keep),
                History(self._folder, phase, now.rows),
                ShowProgress(advance, phase, lines=show_lines()),
                keep,
                saver := Saver(save, stop, steps, done),
            ]
            given = [callback for some in catalog().host.call("zoo_callbacks", run=self._folder) for callback in some]
            board = keras.callbacks.TensorBoard(self._folder.logs / phase.name, write_graph=False)

            # Metrics make their variables when they are first used; a step that makes variables is traced twice.
            model.evaluate(judge.take(1), verbose=0)

            def fit(side: Side, first: int, epochs: int) -> None:
                follow = FollowEpoch(side.order, self._now.of("metrics") if done else {})
                callbacks = [follow, *ours[:-2], board, *given, keep, saver]
                batches = stage.batches(side)
                model.fit(
                    batches,
                    validation_data=judge,
                    initial_epoch=first,
                    epochs=epochs,
                    shuffle=False,
                    verbose=0,
                    callbacks=callbacks,
                )

            if done == steps:  # of this epoch, only the judging is left
                judged = model.evaluate(judge, verbose=0, return_dict=True)
                for callback in ours:
                    callback.set_model(model)
                    callback.on_epoch_end(epoch, now.logs | {f"val_{name}": value for name, value in judged.items()})
            elif done:
                fit(self._learn.skipping(done), epoch, epoch + 1)
            if done:
                epoch, done = epoch + 1, 0
            if epoch < phase.epochs and not keep.over:
                fit(self._learn, epoch, phase.epochs)
            if stop.wanted:  # after the end of the last epoch
                stop.leave()

    def _save(self, stage: _Stage, keep: Any, epoch: int, batch: int, logs: dict[str, float]) -> None:
        """Write a checkpoint; none of a model with numbers that are not finite, which will stop the training."""
        import numpy as np

        values = self._changes.values(stage.model)
        if not all(np.isfinite(value).all() for value in values.values()):
            return
        arrays: dict[str, np.ndarray] = {f"model/{number}": value for number, value in values.items()}
        if epoch or batch:
            best = zip(self._changes.numbers(stage.model.weights), keep.weights, strict=True)
            arrays |= {f"best/{number}": value for number, value in best if number in values}
            arrays |= _numbered("optimizer", stage.model.optimizer.variables)
        if 0 < batch < len(self._learn.order):
            arrays |= _numbered("metrics", stage.model.metrics_variables)
        best_loss = None if keep.best == math.inf else keep.best
        self._checkpoints.save(
            replace(self._now, epoch=epoch, batch=batch, logs=logs, best=best_loss, idle=keep.idle, arrays=arrays)
        )


def _numbered(kind: str, variables: list[Any]) -> dict[str, np.ndarray]:
    import keras

    return {f"{kind}/{number}": keras.ops.convert_to_numpy(v) for number, v in enumerate(variables)}
