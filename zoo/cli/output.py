"""Printing results on standard output: one JSON document, or a table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any


def print_json(content: Any) -> None:
    """Print one JSON document."""
    print(json.dumps(content, indent=2, ensure_ascii=False))


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = ()) -> None:
    """A table; the columns named in `right` are numbers. Nothing is cut off where the output is not a terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if not console.is_terminal:
        console = Console(width=10_000)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in header:
        number = name in right
        table.add_column(name, justify="right" if number else "left", no_wrap=number or name == header[0])
    for row in rows:
        table.add_row(*row)
    console.print(table, markup=False)


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
