"""Ctrl-C during training: noted at once, acted on between two steps.

Python raises KeyboardInterrupt wherever it happens to be; inside a callback from native code it can get lost there.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import keras


class StopBetweenSteps(keras.callbacks.Callback):
    """Raises KeyboardInterrupt after the step in which Ctrl-C was pressed; pressed twice, it works at once."""

    def __init__(self) -> None:
        super().__init__()
        self._pressed = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take over Ctrl-C for the block, where this is the thread that gets it."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.getsignal(signal.SIGINT)

        def note(number: int, frame: FrameType | None) -> None:
            self._pressed = True
            signal.signal(signal.SIGINT, before)

        signal.signal(signal.SIGINT, note)
        try:
            yield
            self.check()
        finally:
            signal.signal(signal.SIGINT, before)

    def check(self) -> None:
        """Raise KeyboardInterrupt if Ctrl-C was pressed."""
        if self._pressed:
            raise KeyboardInterrupt

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self.check()

    def on_test_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self.check()
