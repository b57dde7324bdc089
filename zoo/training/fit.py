"""One phase of a training: runs its epochs, writes checkpoints, and restores the best weights at the end."""

from __future__ import annotations

import math
from collections.abc import Container
from typing import TYPE_CHECKING, Any

import keras
from msgspec.structs import replace

from zoo.catalog import catalog
from zoo.errors import BadRun
from zoo.inference.folded import training_in
from zoo.inference.options import Precision
from zoo.plan import Phase
from zoo.progress import progress, say, show_lines
from zoo.training.baseline import Baseline
from zoo.training.callbacks import (
    BestWeights,
    FollowEpoch,
    History,
    RefuseUnreadable,
    ShowProgress,
    StopOnBadLoss,
)
from zoo.training.checkpoint import Checkpoint, Checkpoints
from zoo.training.encoded import EncodedSplit
from zoo.training.interrupt import Stop
from zoo.training.optimizers import make_optimizer
from zoo.training.saving import Saver
from zoo.training.snapshot import assign

if TYPE_CHECKING:
    import numpy as np

    from zoo.training.session import Session, Trainee


class PhaseFit:
    """Trains one phase, starting from a checkpoint."""

    def __init__(self, session: Session, trainee: Trainee, phase: Phase, at: Checkpoint) -> None:
        self._session, self._trainee, self._phase = session, trainee, phase
        self._at, self._position = at, at.position
        self._model, self._steps = trainee.model, len(session.learn.order)
        self._judge = trainee.batches(session.judge)
        self._checkpoints = Checkpoints(session.folder)

    def run(self, finish: bool, to_beat: tuple[Baseline, float] | None) -> Checkpoint:
        """Train until the phase is finished, and save; the model then has the best weights.

        finish   train no more epochs
        to_beat  a baseline and its loss; it is kept if no epoch beats it
        """
        session, phase = self._session, self._phase
        precision = session.job.training_precision(phase)
        best = self._compiled(precision)
        if to_beat is not None:
            self._begin_with(to_beat, best)
        if self._position.epoch == self._position.batch == 0:
            self._save(best, 0, 0, {})
        with session.job.seconds.of(phase.name), training_in(precision):
            if not finish:
                self._go_through_epochs(best)
            best.restore()
        self._compare_with_baseline(best)
        number = self._position.phase + 1
        self._position = replace(
            self._position, phase=number, epoch=0, batch=0, best=best.best, idle=0, kept=None, logs={}
        )
        self._save(best, 0, 0, {}, idle=0)
        session.job.backend.barrier()
        return Checkpoint(self._position)

    def _compiled(self, precision: Precision) -> BestWeights:
        """Compile the model, and restore the optimizer and the best weights from the checkpoint."""
        session, phase, model, position = self._session, self._phase, self._model, self._position
        with session.job.backend.scope():
            optimizer = make_optimizer(phase, session.composed.encoder, phase.epochs * self._steps, precision)
            task = session.job.named.task
            model.compile(optimizer, loss=task.loss(), metrics=task.metrics())
            optimizer.build(model.trainable_variables)
        best = BestWeights(model, phase.patience, math.inf if position.best is None else position.best, position.idle)
        for number, value in self._at.of("optimizer").items():
            assign(optimizer.variables[number], value)
        saved, numbers = self._at.of("best"), session.snapshot.numbers(model.weights)
        best.weights = [saved.get(n, weights) for n, weights in zip(numbers, best.weights, strict=True)]
        return best

    def _begin_with(self, to_beat: tuple[Baseline, float], best: BestWeights) -> None:
        """Make the baseline's weights the best so far, for the epochs to beat."""
        session = self._session
        baseline, best.best = to_beat
        with session.baselines.being(baseline):
            best.weights = self._model.get_weights()
            session.snapshot.values(self._model)  # from now on checkpoints include the head's variables

    def _compare_with_baseline(self, best: BestWeights) -> None:
        session, position = self._session, self._position
        if self._phase.unfreeze == 0 and self._trainee.store is not None:
            found = session.baselines.find(self._trainee.store)
            if found is None:
                return
            self._position = replace(position, baseline=(found.name, found.metrics))
            loss = session.baselines.loss(found, self._judge)
            if loss < best.best:
                session.baselines.take(found)
                say(f"The result is {found}. It replaces the trained head, because its validation loss is lower.")
                best.best = loss
            else:
                say(f"For comparison, {found}")
        elif position.baseline and replace(position, best=best.best).better_than_all_epochs:
            say(f"The result is {position.baseline[0]}: no epoch was better.")

    def _go_through_epochs(self, best: BestWeights) -> None:
        session, phase, position, steps = self._session, self._phase, self._position, self._steps
        folder, model, stop = session.folder, self._model, Stop()
        epoch, done = position.epoch, position.batch

        def save(epoch: int, batch: int, logs: dict[str, float]) -> None:
            self._save(best, epoch, batch, logs)
            if stop.wanted:
                say(f"Saved. To continue from here: {folder.command('resume')}")

        name, before = phase.name.capitalize(), epoch * steps + done
        with stop.noted(), progress(name, phase.epochs * steps, "steps", before) as advance:
            ours: list[keras.callbacks.Callback] = [
                RefuseUnreadable(folder, (session.learn, session.judge)),
                StopOnBadLoss(folder, best, lambda: self._keep_best(best)),
                History(folder, phase, position.rows),
                ShowProgress(advance, phase, lines=show_lines()),
                best,
                saver := Saver(save, stop, steps, done),
            ]
            given = [callback for some in catalog().host.call("zoo_callbacks", run=folder) for callback in some]
            board = keras.callbacks.TensorBoard(folder.logs / phase.name, write_graph=False)

            # Metrics create their variables at their first use; a step that creates variables would be traced twice.
            model.evaluate(self._judge.take(1), verbose=0)

            def fit(split: EncodedSplit, first: int, epochs: int) -> None:
                follow = FollowEpoch(split.order, self._at.of("metrics") if done else {})
                model.fit(
                    self._trainee.batches(split),
                    validation_data=self._judge,
                    initial_epoch=first,
                    epochs=epochs,
                    shuffle=False,
                    verbose=0,
                    callbacks=[follow, *ours[:-2], board, *given, best, saver],
                )

            if done == steps:  # only the validation of this epoch is left
                judged = model.evaluate(self._judge, verbose=0, return_dict=True, callbacks=ours[:1])
                callbacks = keras.callbacks.CallbackList([*ours[:-2], board, *given, best, saver], model=model)
                callbacks.on_train_begin()
                callbacks.on_epoch_end(epoch, position.logs | {f"val_{name}": value for name, value in judged.items()})
                callbacks.on_train_end()
            elif done:
                fit(session.learn.skipping(done), epoch, epoch + 1)
            if done:
                epoch, done = epoch + 1, 0
            if epoch < phase.epochs and not best.over:
                fit(session.learn, epoch, phase.epochs)
            if stop.wanted:  # the signal came after the last epoch
                stop.leave()

    def _save(self, best: BestWeights, epoch: int, batch: int, logs: dict[str, float], idle: int | None = None) -> None:
        """Write a checkpoint, unless the model has values that are not finite: those will stop the training."""
        import numpy as np

        session, model = self._session, self._model
        values = session.snapshot.values(model)
        if not session.job.backend.chief or not all(np.isfinite(value).all() for value in values.values()):
            return
        arrays: dict[str, np.ndarray] = {f"model/{number}": value for number, value in values.items()}
        if epoch or batch or math.isfinite(best.best):
            arrays |= self._best_arrays(best, values)
        if epoch or batch:
            arrays |= _numbered("optimizer", model.optimizer.variables)
        if 0 < batch < self._steps:
            arrays |= _numbered("metrics", model.metrics_variables)
        loss = None if best.best == math.inf else best.best
        idle = best.idle if idle is None else idle
        seconds = session.job.seconds.so_far()
        position = replace(self._position, epoch=epoch, batch=batch, logs=logs, best=loss, idle=idle, seconds=seconds)
        self._checkpoints.save(Checkpoint(position, arrays))

    def _best_arrays(self, best: BestWeights, numbers: Container[int]) -> dict[str, np.ndarray]:
        weights = zip(self._session.snapshot.numbers(self._model.weights), best.weights, strict=True)
        return {f"best/{number}": value for number, value in weights if number in numbers}

    def _keep_best(self, best: BestWeights) -> bool:
        """Save the best weights so far, for `zoo resume --finish` alone; whether that is possible.

        They may be of an epoch after the last checkpoint.
        """
        if not self._session.job.backend.chief:
            return False
        try:
            last = self._checkpoints.load()
        except BadRun:
            last = None
        if last is None or last.position.phase != self._position.phase:
            return False
        arrays = {name: value for name, value in last.arrays.items() if not name.startswith("best/")}
        arrays |= self._best_arrays(best, self._session.snapshot.values(self._model))
        rows, seconds = list(self._position.rows), self._session.job.seconds.so_far()
        position = replace(last.position, best=best.best, idle=best.idle, rows=rows, seconds=seconds, to_finish=True)
        self._checkpoints.save(Checkpoint(position, arrays))
        return True


def _numbered(kind: str, variables: list[Any]) -> dict[str, np.ndarray]:
    return {f"{kind}/{number}": keras.ops.convert_to_numpy(v) for number, v in enumerate(variables)}
