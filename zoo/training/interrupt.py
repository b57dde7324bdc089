"""Ctrl-C and SIGTERM during training: noted at once, acted on between two steps.

Python raises KeyboardInterrupt wherever it happens to be; inside a callback from native code it can get lost there.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = signal.SIGINT, signal.SIGTERM


class Stop:
    """Whether the training is to stop: a person pressed Ctrl-C, or the machine is about to be switched off."""

    def __init__(self) -> None:
        self._signal: int | None = None

    @property
    def wanted(self) -> bool:
        return self._signal is not None

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Take over both signals for the block, where this is the thread that gets them. A second one works at once."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in _SIGNALS}

        def note(number: int, frame: FrameType | None) -> None:
            self._signal = number
            signal.signal(number, before[signal.Signals(number)])

        for number in _SIGNALS:
            signal.signal(number, note)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def leave(self) -> None:
        """Raise KeyboardInterrupt after Ctrl-C; after SIGTERM, SystemExit with the status that shells expect."""
        if self._signal == signal.SIGTERM:
            raise SystemExit(128 + signal.SIGTERM)
        raise KeyboardInterrupt
