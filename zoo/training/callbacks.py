"""Keras callbacks of the trainer: keep the best weights, stop in time, write the history, show progress."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import keras

from zoo.data.order import Order
from zoo.errors import BadPlan
from zoo.plan import Phase
from zoo.progress import Advance, say
from zoo.runs.folder import RunFolder
from zoo.training.snapshot import assign

if TYPE_CHECKING:
    from zoo.training.encoded import EncodedSplit


class BestWeights(keras.callbacks.Callback):
    """Stops if the validation loss has not improved for `patience` epochs, and keeps the model's best weights.

    `best` is the loss to beat: the loss of the model's current weights, which are kept if no epoch beats it.
    """

    def __init__(self, model: keras.Model, patience: int, best: float, idle: int = 0) -> None:
        super().__init__()
        self.patience, self.best, self.idle = patience, best, idle
        self.weights: list[Any] = model.get_weights()
        self.set_model(model)

    @property
    def over(self) -> bool:
        """Whether patience has run out."""
        return self.idle >= self.patience

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        loss = (logs or {})["val_loss"]
        if loss < self.best:
            self.best, self.weights, self.idle = loss, self.model.get_weights(), 0
        else:
            self.idle += 1
            self.model.stop_training = self.over

    def restore(self) -> None:
        """Give the model its best weights."""
        self.model.set_weights(self.weights)


class FollowEpoch(keras.callbacks.Callback):
    """Sets the epoch in the order of the examples; the first epoch continues from `metrics`, values by number."""

    def __init__(self, order: Order, metrics: Mapping[int, Any]) -> None:
        super().__init__()
        self._order, self._metrics = order, metrics

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._order.epoch = epoch
        for number, value in self._metrics.items():
            variable = self.model.metrics_variables[number]
            assign(variable, value.astype(variable.dtype))  # an older version's metric may have had another type
        self._metrics = {}


class RefuseUnreadable(keras.callbacks.Callback):
    """Ends the training when an example can no longer be read, before anything is saved that was trained without it."""

    def __init__(self, folder: RunFolder, splits: Sequence[EncodedSplit]) -> None:
        super().__init__()
        self._way_on, self._splits = f"continue: {folder.command('resume')}", splits

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        for split in self._splits:
            split.refuse_unreadable(self._way_on)

    def on_test_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self.on_train_batch_end(batch)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.on_train_batch_end(epoch)


class StopOnBadLoss(keras.callbacks.Callback):
    """Ends the training with an error if the loss is no longer finite; `best` has the best epoch so far, if any.

    keep  saves the best weights, for `zoo resume --finish`; returns whether there is a checkpoint with them
    """

    def __init__(self, folder: RunFolder, best: BestWeights, keep: Callable[[], bool]) -> None:
        super().__init__()
        self._folder, self._best, self._keep = folder, best, keep

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._check("loss", logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._check("val_loss", logs)

    def _check(self, name: str, logs: dict[str, float] | None) -> None:
        loss = (logs or {})[name]
        if not math.isfinite(loss):
            good = math.isfinite(self._best.best) and self._keep()
            finish = f" To finish with the best weights so far: {self._folder.command('resume')} --finish"
            raise BadPlan(
                f"The {name} became {loss}. Train with a lower learning rate (--lr), for example a tenth of it."
                + (finish if good else "")
            )


class History(keras.callbacks.Callback):
    """Adds a row for each epoch to `rows`, and writes them all to history.csv."""

    def __init__(self, folder: RunFolder, phase: Phase, rows: list[dict[str, Any]]) -> None:
        super().__init__()
        self._folder, self._phase, self._rows = folder, phase, rows
        self._start = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._start = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        rate = float(self.model.optimizer.learning_rate)  # of the next step; float32
        row = {"phase": self._phase.name, "epoch": epoch + 1, "learning_rate": float(f"{rate:.6g}")}
        row |= {"seconds": round(time.monotonic() - self._start, 3)}
        self._rows.append(row | {name: float(value) for name, value in (logs or {}).items()})
        header = list(dict.fromkeys(name for row in self._rows for name in row))
        self._folder.write_csv("history.csv", header, [[row.get(name, "") for name in header] for row in self._rows])


class ShowProgress(keras.callbacks.Callback):
    """Advances a progress bar at each batch; with `lines`, prints a line for each epoch instead."""

    def __init__(self, advance: Advance, phase: Phase, lines: bool) -> None:
        super().__init__()
        self._advance, self._phase, self._lines = advance, phase, lines
        self._seen = ""

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._advance(note=self._seen)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        figures = " ".join(f"{name} {value:.3f}" for name, value in sorted((logs or {}).items(), key=_order))
        self._seen = f"epoch {epoch + 1}/{self._phase.epochs} {figures}"
        if self._lines:
            say(f"{self._phase.name}: {self._seen}")


def _order(figure: tuple[str, float]) -> tuple[bool, bool]:
    """Training before validation, and the loss before the metrics."""
    name = figure[0]
    return name.startswith("val_"), not name.endswith("loss")
