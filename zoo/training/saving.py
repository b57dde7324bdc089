"""Decides when a training is saved: at the end of an epoch, every few minutes, and before it stops."""

from __future__ import annotations

import time
from collections.abc import Callable

import keras

from zoo.training.checkpoint import seconds_between
from zoo.training.interrupt import Stop

Save = Callable[[int, int, dict[str, float]], None]  # completed epochs, steps of the next one, their metrics

_SHARE = 20  # the end of an epoch is saved after at least this many times the seconds that a checkpoint takes to write


class Saver(keras.callbacks.Callback):
    """Calls `save` at the right moments, and leaves the training if `stop` is wanted. Has to be the last callback.

    steps  the number of steps in an epoch
    skip   the steps of the first epoch that an earlier process has done
    """

    def __init__(self, save: Save, stop: Stop, steps: int, skip: int = 0) -> None:
        super().__init__()
        self._save, self._stop, self._steps, self._done = save, stop, steps, skip
        self._epoch, self._logs = 0, dict[str, float]()
        self._seconds, self._cost, self._saved = seconds_between(), 0.0, time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._done += 1
        self._logs = {name: float(value) for name, value in (logs or {}).items()}
        if self._done < self._steps and (self._stop.wanted or self._idle() >= self._seconds):
            self._write(self._epoch, self._done, {})

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:
        if self._stop.wanted:
            self._write(self._epoch, self._steps, self._logs)

    def on_test_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self.on_test_begin()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._done = 0
        if self._stop.wanted or self._idle() >= min(_SHARE * self._cost, self._seconds):
            self._write(epoch + 1, 0, {})

    def _idle(self) -> float:
        return time.monotonic() - self._saved

    def _write(self, epoch: int, batch: int, logs: dict[str, float]) -> None:
        start = time.monotonic()
        self._save(epoch, batch, logs)
        self._saved = time.monotonic()
        self._cost = self._saved - start
        if self._stop.wanted:
            self._stop.leave()
