"""What is said on standard error while something runs: messages, and a bar for everything longer than a moment.

On a terminal, a bar shows the rate and the time left; elsewhere, a line is printed at the end of what took two seconds.
`ZOO_QUIET=1` silences all of it.
"""

from __future__ import annotations

import functools
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from zoo.harmless import harmless

if TYPE_CHECKING:
    from rich.progress import Progress

_PAUSE = 0.05  # seconds between two changes of a bar, which take longer than reading a row
_ROOM_FOR_A_BAR = 60  # columns of a terminal; on a narrower one, the text takes its place


class Advance(Protocol):
    """Reports that `count` more units are done, with a few words on how it goes."""

    def __call__(self, count: int = 1, note: str = "") -> None: ...


def quiet() -> bool:
    """Whether nothing is to be said, because somebody asked for it or a shell is completing a line."""
    return os.environ.get("ZOO_QUIET") == "1" or "_ZOO_COMPLETE" in os.environ


def counted(number: int, units: str) -> str:
    """A number and what it counts, in the plural unless it is 1: 1 picture, 3 pictures, 1 class."""
    one = units[:-2] if units.endswith("sses") else units.removesuffix("s")
    return f"{number} {one if number == 1 else units}"


def on_terminal() -> bool:
    """Whether standard error is a terminal; it is None in a process without one."""
    return sys.stderr is not None and sys.stderr.isatty()


def show_lines() -> bool:
    """Whether progress is reported in lines, because there is no terminal to show a bar on."""
    return not quiet() and not on_terminal()


def say(message: str) -> None:
    """Print one line on standard error, if there is one; characters that a terminal would obey are escaped."""
    if not quiet() and sys.stderr is not None:  # print would take None for standard output
        print(harmless(message), file=sys.stderr, flush=True)


@functools.cache
def say_once(message: str) -> None:
    """Say a message the first time that this process has it to say."""
    say(message)


@contextmanager
def progress(title: str, total: int | None, unit: str, before: int = 0) -> Iterator[Advance]:
    """Shows the progress of `total` units (bytes as MB); yields the function that reports it.

    before  units that were done earlier, and do not count for the rate
    """
    start = time.monotonic()
    done = 0
    if quiet() or not on_terminal():

        def count(count: int = 1, note: str = "") -> None:
            nonlocal done
            done += count

        yield count
        seconds = time.monotonic() - start
        if seconds >= 2 and done:
            said = counted(done, unit) if unit != "bytes" else _amount(done, unit)
            say(f"{title}: {said} in {seconds:.0f} s ({_amount(done / seconds, unit)}/s)")
        return

    with _bar() as bar:
        task = bar.add_task(title, total=total, completed=before, rate="", note="")

        shown = 0.0

        def advance(count: int = 1, note: str = "") -> None:
            nonlocal done, shown
            done += count
            now = time.monotonic()
            if now - shown >= _PAUSE or before + done == total:
                shown = now
                rate = f"{_amount(done / max(now - start, 1e-9), unit)}/s"
                bar.update(task, completed=before + done, rate=rate, note=note)

        yield advance


def _bar() -> Progress:
    """Title, bar, rate, time left and note on one line; title and note are shortened where the terminal is narrow."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
    from rich.table import Column
    from rich.text import Text

    class Shortened(ProgressColumn):
        """A text that is cut with "…" where the others leave too little room."""

        def __init__(self, field: str) -> None:
            super().__init__(Column(no_wrap=False))  # so that the table narrows it before it narrows the others
            self.field = field

        def render(self, task: Task) -> Text:
            text = task.description if self.field == "title" else task.fields[self.field]
            return Text(harmless(text), no_wrap=True, overflow="ellipsis")

    console = Console(stderr=True)
    whole = Column(no_wrap=True)
    bars = [BarColumn(bar_width=12, table_column=whole)] if console.width >= _ROOM_FOR_A_BAR else []
    rate = TextColumn("{task.fields[rate]}", table_column=whole)
    left = TimeRemainingColumn(table_column=whole)
    return Progress(Shortened("title"), *bars, rate, left, Shortened("note"), console=console, transient=True)


def _amount(number: float, unit: str) -> str:
    if unit == "bytes":
        return f"{number / 1e6:.1f} MB"
    return f"{number:.0f} {unit}" if number >= 10 or number == int(number) else f"{number:.1f} {unit}"
