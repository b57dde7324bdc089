"""Looking at plugins without loading them into this process, which they could end, hold up, or change."""

from __future__ import annotations

import contextlib
import functools
import json
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

from zoo.catalog.inspected import READY, Answer, Before, Limits, encoded, load
from zoo.catalog.points import Point
from zoo.progress import Advance, progress, say

FORKS = hasattr(os, "fork")
LIMITS = Limits()
_PROGRAM = (
    "import json, sys; given = json.loads(sys.stdin.buffer.readline()); sys.path[:] = given.pop('path'); "
    "from zoo.catalog.inspected import main; main(**given)"
)
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # each thread takes memory
_FLAGS = {"isolated": "-I", "ignore_environment": "-E", "no_user_site": "-s"}
_GRACE_SECONDS = 10
_BEFORE_A_BAR = 1.0  # seconds


class _CannotLook(Exception):
    """No other process can be started, or it has not come so far that a plugin could be to blame."""


def look(points: Sequence[Point], path: Sequence[str] = ()) -> list[Answer]:
    """What each plugin says of itself, in their order. Each takes 20 s at most, and whatever it does is a reason.

    path  folders in which modules are looked for first

    One process looks at all of them; it is started again for those that are left if a plugin ends it.
    """
    answers: list[Answer] = []
    try:
        with contextlib.ExitStack() as stack:

            @functools.cache
            def bar() -> Advance:
                return stack.enter_context(progress("Looking at plugins", len(points), "plugins", before=len(answers)))

            start = time.monotonic()
            while len(answers) < len(points):
                left = points[len(answers) :]
                for answer in _asked(left if FORKS else left[:1], path):
                    if answer is not None:
                        answers.append(answer)
                    if time.monotonic() - start > _BEFORE_A_BAR:
                        bar()(answer is not None)
    except _CannotLook as error:
        say(f"Plugins are loaded into this process, because no other can look at them ({error}).")
        answers += [_looked_at_here(point, path) for point in points[len(answers) :]]
    return answers


def _asked(points: Sequence[Point], path: Sequence[str]) -> Iterator[Answer | None]:
    """The answers about some plugins, up to the first that ends the process; None while one takes long."""
    with tempfile.TemporaryFile() as errors:
        count = 0
        with _Inspector(points, path, errors) as inspector:
            for answer in inspector.answers():
                count += answer is not None
                yield answer
        if count < len(points):
            yield Answer(inspector.reason())


def _looked_at_here(point: Point, path: Sequence[str]) -> Answer:
    before = list(sys.path)
    sys.path[:0] = path
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return msgspec.json.decode(encoded(load(point, Before())), type=Answer)
    finally:
        sys.path[:] = before


class _Inspector:
    """A process that looks at some plugins; it ends with the block."""

    def __init__(self, points: Sequence[Point], path: Sequence[str], errors: IO[bytes]) -> None:
        flags = [flag for name, flag in _FLAGS.items() if getattr(sys.flags, name)]
        try:
            self._process = subprocess.Popen(
                [sys.executable or "", *flags, "-P", "-c", _PROGRAM],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=os.environ | dict.fromkeys(_ONE_THREAD, "1"),
                start_new_session=True,  # so that Ctrl-C ends it by way of this process
            )
        except (OSError, ValueError) as error:
            raise _CannotLook(str(error)) from None
        places = [os.fsdecode(place) for place in (*path, *sys.path) if isinstance(place, str | bytes | os.PathLike)]
        given = {"path": places, "points": points, "limits": LIMITS, "fork": FORKS}
        self._given = json.dumps(given).encode()  # as ASCII
        self._count, self._errors, self._late = len(points), errors, False

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
        with contextlib.suppress(OSError):
            self._process.communicate()

    def answers(self) -> Iterator[Answer | None]:
        """The answers, one after the other, and None while one takes long; there may be fewer than were asked for.

        Raises `_CannotLook` if the process ends before it begins.
        """
        lines: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=_read, args=(self._process.stdout, lines), daemon=True).start()
        answered = -1  # until it is ready
        last = time.monotonic() + LIMITS.seconds + _GRACE_SECONDS
        while answered < self._count:
            try:
                line = lines.get(timeout=_BEFORE_A_BAR)
            except queue.Empty:
                self._late = time.monotonic() > last
                if self._late:
                    break
                yield None
                continue
            if answered < 0:
                answered += line.rstrip() == READY  # and not what something else prints when Python starts
            else:
                try:
                    yield msgspec.json.decode(line, type=Answer)
                except msgspec.MsgspecError:  # the end
                    return
                answered += 1
            if not line:
                break
            last = time.monotonic() + LIMITS.seconds + _GRACE_SECONDS
        if answered < 0:
            raise _CannotLook(self._last_error() or "another Python does not start")

    def reason(self) -> str:
        """Why the process gave fewer answers, after it has ended."""
        if self._late:
            return f"it takes more than {LIMITS.seconds:g} s to load"
        last = self._last_error()
        return f"it ends the process that looks at it{f' ({last})' if last else ''}"

    def _last_error(self) -> str:
        self._errors.seek(0)
        return self._errors.read()[-2_000:].decode(errors="replace").strip().rpartition("\n")[2][:200]


def _read(stream: IO[Any] | None, lines: queue.Queue[bytes]) -> None:
    assert stream is not None
    with contextlib.suppress(ValueError, OSError):  # it was closed
        for line in stream:
            lines.put(line)
    lines.put(b"")
