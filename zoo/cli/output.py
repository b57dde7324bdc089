"""Printing results on standard output: one JSON document, a table, or lines. Nothing else of the command line prints.

Names and texts are often a stranger's, so what a terminal would obey is escaped here.
"""

from __future__ import annotations

import csv
import gc
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from typing import Any, TextIO

from zoo.cli.fold import folded, hanging, narrowed_to
from zoo.harmless import harmless, harmless_json, uncomputed
from zoo.structs import json_text

_READABLE = 30  # columns that a text needs beside a name
_INDENT = 6  # of a text that is below its name


def print_json(content: Any) -> None:
    """Print one JSON document."""
    print(harmless_json(json_text(content)))


def print_line(text: str = "", stream: TextIO | None = None) -> None:
    """Print a text for a person on standard output or another stream."""
    print(harmless(text, lines=True), file=stream)


def print_csv(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a CSV table that can be opened in a spreadsheet: texts that it would compute begin with an apostrophe.

    On a terminal, what that would obey is escaped; a file gets it as it is.
    """
    shown = harmless if sys.stdout.isatty() else str
    writer = csv.writer(sys.stdout, lineterminator="\n")
    for row in [header, *rows]:
        writer.writerow([shown(cell) if isinstance(cell, str) else cell for cell in map(uncomputed, row)])


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = ()) -> None:
    """Print a table; the columns named in `right` are numbers. On a terminal too narrow for it, texts are folded.

    It is not one of rich's tables, because thousands of rows have to appear at once, and rich takes a second for 5,000.
    """
    header, rows = [harmless(name) for name in header], [[harmless(cell) for cell in row] for row in rows]
    columns = [*zip(header, *rows, strict=True)]
    widths, gap = [max(map(len, column)) for column in columns], "  "
    on_terminal = sys.stdout.isatty()
    room = shutil.get_terminal_size().columns
    if on_terminal and sum(widths) + len(gap) * (len(widths) - 1) > room:
        gap = " "
        widths = narrowed_to(columns, widths, [name not in right for name in header], room - len(widths) + 1)
    line = gap.join(f"{{:{'>' if name in right else '<'}{width}}}" for name, width in zip(header, widths, strict=True))
    first = _lines(line, header, widths)
    if on_terminal and "NO_COLOR" not in os.environ:
        first = [f"\x1b[1m{text}\x1b[0m" for text in first]
    rule = "─" * (sum(widths) + len(gap) * (len(widths) - 1))
    print("\n".join([*first, rule, *(text for row in rows for text in _lines(line, row, widths))]))


def _lines(line: str, row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """A row of a table: one line, or more where a cell is wider than its column."""
    if all(len(cell) <= width for cell, width in zip(row, widths, strict=True)):
        return [line.format(*row).rstrip()]
    pieces = [folded(cell, width) for cell, width in zip(row, widths, strict=True)]
    return [line.format(*cells).rstrip() for cells in zip_longest(*pieces, fillvalue="")]


@contextmanager
def no_collections() -> Iterator[None]:
    """Creates thousands of facts that live as long as the process, without looking for garbage among them.

    Neither while they are created nor when the process ends; that takes as long as all the rest of `zoo list`.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def print_facts(facts: dict[str, str]) -> None:
    """Print a list of names and values."""
    width = max(len(name) for name in facts)
    for name, value in facts.items():
        print_beside(f"{name:<{width}}  ", value)


def print_beside(name: str, text: str, indent: int | None = None) -> None:
    """Print a text after a name. On a terminal too narrow for both, the text is folded, and nothing is lost.

    indent  of the lines after the first (default: below the text, if there is room for its longest word)
    """
    name, text = harmless(name), harmless(text)
    room = shutil.get_terminal_size().columns
    if not sys.stdout.isatty() or len(name) + len(text) <= room:
        return print(name + text)
    if indent is None:
        needed = max(_READABLE, *map(len, text.split()))
        indent = len(name) if room - len(name) >= needed else _INDENT
    first, rest = hanging(text, room - len(name), room - indent)
    print("\n".join([f"{name}{first}".rstrip(), *(" " * indent + line for line in rest)]))


def count(number: float | None) -> str:
    """A count for a person: 3.4 M."""
    return "?" if number is None else _with_unit(number, ("", "k", "M", "G", "T"))


def size(number: float | None) -> str:
    """A number of bytes for a person: 18.8 MB."""
    return _with_unit(number, ("bytes", "kB", "MB", "GB", "TB")) if number else "-"


def _with_unit(number: float, units: Sequence[str]) -> str:
    """A number with one digit after the point, in the unit in which it is at least 1 and below 1,000."""
    rank = 0
    while rank < len(units) - 1 and round(number / 1000**rank, 1) >= 1000:
        rank += 1
    return (f"{number / 1000**rank:.1f} {units[rank]}" if rank else f"{number:.0f} {units[0]}").rstrip()
