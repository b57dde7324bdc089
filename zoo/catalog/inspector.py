"""Looking at plugins without loading them into this process, which they could end, hold up, or change."""

from __future__ import annotations

import contextlib
import functools
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from typing import IO, Any

import msgspec

from zoo.catalog.inspected import FORKS, MOST_SECONDS, Answer
from zoo.catalog.points import Point
from zoo.progress import Advance, progress

_PROGRAM = (
    "import json, sys; given = json.loads(sys.stdin.readline()); sys.path[:] = given['path']; "
    "from zoo.catalog.inspected import main; main(given['points'])"
)
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # each thread takes memory
_GRACE_SECONDS = 10
_BEFORE_A_BAR = 1.0  # seconds


def look(points: Sequence[Point], path: Sequence[str] = ()) -> list[Answer]:
    """What each plugin says of itself, in their order. Whatever a plugin does, it takes 20 s at most and is a reason.

    path  folders in which modules are looked for first

    One process looks at all of them; it is started again for those that are left if a plugin ends it.
    """
    answers: list[Answer] = []
    with contextlib.ExitStack() as stack:

        @functools.cache
        def bar() -> Advance:
            return stack.enter_context(progress("Looking at plugins", len(points), "plugins", before=len(answers)))

        start = time.monotonic()
        while len(answers) < len(points):
            left = points[len(answers) :]
            asked = left if FORKS else left[:1]
            with tempfile.TemporaryFile() as errors:
                with _Inspector(asked, path, errors) as inspector:
                    for answer in inspector.answers():
                        if answer is not None:
                            answers.append(answer)
                        if time.monotonic() - start > _BEFORE_A_BAR:
                            bar()(answer is not None)
                if len(points) - len(answers) > len(left) - len(asked):  # one of these has ended it
                    answers.append(Answer(inspector.reason()))
    return answers


class _Inspector:
    """A process that looks at some plugins; it ends with the block."""

    def __init__(self, points: Sequence[Point], path: Sequence[str], errors: IO[bytes]) -> None:
        self._count = len(points)
        self._errors = errors
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=os.environ | dict.fromkeys(_ONE_THREAD, "1"),
            start_new_session=True,  # so that Ctrl-C ends it by way of this process
        )
        self._given = msgspec.json.encode({"path": [*path, *sys.path], "points": points})
        self._late = False

    def __enter__(self) -> _Inspector:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(self._given + b"\n")
            self._process.stdin.flush()
        return self

    def __exit__(self, *_: object) -> None:
        if FORKS:
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)  # and whatever the plugins have started
        self._process.kill()
        self._process.communicate()

    def answers(self) -> Iterator[Answer | None]:
        """The answers, one after the other, and None while one takes long; there may be fewer than were asked for."""
        lines: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=_read, args=(self._process.stdout, lines), daemon=True).start()
        for _ in range(self._count):
            last = time.monotonic() + MOST_SECONDS + _GRACE_SECONDS
            while True:
                try:
                    line = lines.get(timeout=_BEFORE_A_BAR)
                    break
                except queue.Empty:
                    self._late = time.monotonic() > last
                    if self._late:
                        return
                    yield None
            try:
                yield msgspec.json.decode(line, type=Answer)
            except msgspec.MsgspecError:  # the end
                return

    def reason(self) -> str:
        """Why the process gave fewer answers, after it has ended."""
        if self._late:
            return f"it takes more than {MOST_SECONDS} s to load"
        self._errors.seek(0)
        last = self._errors.read()[-2_000:].decode(errors="replace").strip().rpartition("\n")[2]
        return f"it ends the process that looks at it{f' ({last[:200]})' if last else ''}"


def _read(stream: IO[Any] | None, lines: queue.Queue[bytes]) -> None:
    assert stream is not None
    with contextlib.suppress(ValueError):  # it was closed
        for line in stream:
            lines.put(line)
    lines.put(b"")
