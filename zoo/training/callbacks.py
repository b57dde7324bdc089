"""What the trainer does at each epoch: keep the best weights, stop in time, write the history, show how it goes."""

from __future__ import annotations

import math
import time
from typing import Any

import keras

from zoo.data.order import Order
from zoo.errors import BadPlan
from zoo.progress import Advance, say
from zoo.runs.folder import RunFolder
from zoo.training.plan import Phase


class KeepBest(keras.callbacks.Callback):
    """Stops when the validation loss has not fallen for `patience` epochs, and leaves the model with its best weights.

    `best` is the loss to beat: that of the weights the phase starts from, which are kept if no epoch beats it.
    """

    def __init__(self, patience: int, best: float) -> None:
        super().__init__()
        self.patience, self.best = patience, best
        self._weights: list[Any] = []
        self._idle = 0

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self._weights = self.model.get_weights()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        loss = (logs or {})["val_loss"]
        if loss < self.best:
            self.best, self._weights, self._idle = loss, self.model.get_weights(), 0
        else:
            self._idle += 1
            self.model.stop_training = self._idle >= self.patience

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        self.model.set_weights(self._weights)


class FollowEpoch(keras.callbacks.Callback):
    """Tells the order of the examples which epoch it is."""

    def __init__(self, order: Order) -> None:
        super().__init__()
        self._order = order

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._order.epoch = epoch


class StopOnBadLoss(keras.callbacks.Callback):
    """Ends the training with a sentence when the loss is no longer a number."""

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        loss = (logs or {})["loss"]
        if not math.isfinite(loss):
            raise BadPlan(f"The loss became {loss}; train with a lower learning rate (--lr), a tenth for example.")


class History(keras.callbacks.Callback):
    """Adds a row for each epoch to `rows`, and writes all of them to history.csv."""

    def __init__(self, folder: RunFolder, phase: Phase, rows: list[dict[str, Any]]) -> None:
        super().__init__()
        self._folder, self._phase, self._rows = folder, phase, rows
        self._start = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._start = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        rate = float(self.model.optimizer.learning_rate)  # that of the step to come; float32
        row = {"phase": self._phase.name, "epoch": epoch + 1, "learning_rate": float(f"{rate:.6g}")}
        row |= {"seconds": round(time.monotonic() - self._start, 3)}
        self._rows.append(row | {name: float(value) for name, value in (logs or {}).items()})
        header = list(dict.fromkeys(name for row in self._rows for name in row))
        self._folder.write_csv("history.csv", header, [[row.get(name, "") for name in header] for row in self._rows])


class ShowProgress(keras.callbacks.Callback):
    """Moves a bar at each batch; says how each epoch went where there is no bar to see."""

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
