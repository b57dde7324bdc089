"""Printing results on standard output: one JSON document, or a table."""

from __future__ import annotations

import gc
import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec


def print_json(content: Any) -> None:
    """Print one JSON document."""
    try:
        text = msgspec.json.format(msgspec.json.encode(content), indent=2).decode()
    except UnicodeEncodeError:  # a file name that is no valid text
        text = json.dumps(content, indent=2, ensure_ascii=False)
    print(text)


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = ()) -> None:
    """A table; the columns named in `right` are numbers. On a terminal too narrow for it, lines are cut with "…".

    Its own few lines, because thousands of rows are to appear at once (rich takes a second for 5,000).
    """
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    line = "  ".join(f"{{:{'>' if name in right else '<'}{width}}}" for name, width in zip(header, widths, strict=True))
    lines = [line.format(*row).rstrip() for row in rows]
    first, rule = line.format(*header).rstrip(), "─" * (sum(widths) + 2 * len(widths) - 2)
    if sys.stdout.isatty():
        room = shutil.get_terminal_size().columns
        texts = (first, rule, *lines)
        first, rule, *lines = (text if len(text) <= room else text[: room - 1] + "…" for text in texts)
        if "NO_COLOR" not in os.environ:
            first = f"\x1b[1m{first}\x1b[0m"
    print("\n".join([first, rule, *lines]))


@contextmanager
def no_collections() -> Iterator[None]:
    """Makes thousands of facts that live as long as the process, without garbage being looked for among them.

    Neither while they are made nor when the process ends; that takes as long as all the rest of `zoo list`.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def print_facts(facts: dict[str, str]) -> None:
    """A list of names and values."""
    width = max(len(name) for name in facts)
    for name, value in facts.items():
        print(f"{name:<{width}}  {value}")


def count(number: float | None) -> str:
    """A count for a person: 3.4 M."""
    if number is None:
        return "?"
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return str(number)


def size(number: float | None) -> str:
    """A number of bytes for a person: 18.8 MB."""
    return f"{number / 1e6:.1f} MB" if number else "-"
