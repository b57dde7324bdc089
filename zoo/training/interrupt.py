"""Ctrl-C and SIGTERM during training: noted at once, acted on between two steps.

Python would raise KeyboardInterrupt wherever it happens to be; inside a callback from native code, that can get lost.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = signal.SIGINT, signal.SIGTERM


class Stop:
    """Whether the training should stop, because of Ctrl-C or because the machine is shutting down."""

    def __init__(self) -> None:
        self._signal: int | None = None

    @property
    def wanted(self) -> bool:
        return self._signal is not None

    @contextmanager
    def noted(self) -> Iterator[None]:
        """A context that handles both signals, if this is the main thread. A second signal takes effect at once."""
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
        """Raise KeyboardInterrupt after Ctrl-C, or SystemExit with the status that shells expect after SIGTERM."""
        if self._signal == signal.SIGTERM:
            raise SystemExit(128 + signal.SIGTERM)
        raise KeyboardInterrupt
