"""What is said on standard error while something runs: messages, and a bar for every step longer than a moment.

On a terminal a bar shows rate and time left; elsewhere a line is printed when a step is over that took two seconds.
`ZOO_QUIET=1` silences all of it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Advance(Protocol):
    """Reports that `count` more units are done, with a few words on how it goes."""

    def __call__(self, count: int = 1, note: str = "") -> None: ...


def quiet() -> bool:
    """Whether nothing is to be said."""
    return os.environ.get("ZOO_QUIET") == "1"


def show_lines() -> bool:
    """Whether progress is told in lines, because there is no terminal to show a bar on."""
    return not quiet() and not sys.stderr.isatty()


def say(message: str) -> None:
    """Print one line on standard error."""
    if not quiet():
        print(message, file=sys.stderr, flush=True)


@contextmanager
def progress(title: str, total: int | None, unit: str) -> Iterator[Advance]:
    """A step of `total` units (bytes are shown as such); yields the function that reports progress."""
    start = time.monotonic()
    done = 0
    if quiet() or not sys.stderr.isatty():

        def count(count: int = 1, note: str = "") -> None:
            nonlocal done
            done += count

        yield count
        seconds = time.monotonic() - start
        if seconds >= 2 and done:
            say(f"{title}: {_amount(done, unit)} in {seconds:.0f} s ({_amount(done / seconds, unit)}/s)")
        return

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Column

    whole = Column(no_wrap=True)  # only the note is broken into lines where the terminal is narrow
    columns = (
        TextColumn("{task.description}", table_column=whole.copy()),
        BarColumn(bar_width=12, table_column=whole.copy()),
        TextColumn("{task.fields[rate]}", table_column=whole.copy()),
        TimeRemainingColumn(table_column=whole.copy()),
        TextColumn("{task.fields[note]}", table_column=Column()),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(title, total=total, rate="", note="")

        def advance(count: int = 1, note: str = "") -> None:
            nonlocal done
            done += count
            rate = done / max(time.monotonic() - start, 1e-9)
            bars.update(task, advance=count, rate=f"{_amount(rate, unit)}/s", note=note)

        yield advance


def _amount(number: float, unit: str) -> str:
    if unit == "bytes":
        return f"{number / 1e6:.1f} MB"
    return f"{number:.0f} {unit}" if number >= 10 or number == int(number) else f"{number:.1f} {unit}"
