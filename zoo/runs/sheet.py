"""Answers as one sheet of rows and columns: by themselves, or beside the table that was asked about."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.compose.answers import answer_in
from zoo.compose.task import own
from zoo.data.given import Input, is_folder
from zoo.data.layout import Layout
from zoo.data.sources import table_at
from zoo.data.tables import TABLES
from zoo.places import is_place

if TYPE_CHECKING:
    from zoo.compose.task import Answer
    from zoo.runs.run import Run

Sheet = tuple[list[str], list[list[Any]]]  # the names of the columns, and the cells of each row


def as_sheet(run: Run, inputs: Sequence[Input], answers: Sequence[Answer], layout: Layout) -> Sheet:
    """The answers of `run.predict(inputs)`, with the reason in `error` where there is none.

    If the only input is a table: its own columns and rows, in order, with one answer beside each row; a column of ours
    whose name the table has too gets a longer one. Otherwise: the input, and as many rows for each as the head has.
    """
    if len(inputs) == 1 and _is_table(inputs[0]):
        return _beside_table(run, inputs[0], answers, layout)
    rows = [row for answer in answers for row in run.as_rows(answer)]
    names = [*dict.fromkeys(name for row in rows for name in row if name != "error"), "error"]
    return names, [[_cell(row.get(name)) for name in names] for row in rows]


def _is_table(given: Input) -> bool:
    return is_place(given) and given.suffix.lower() in TABLES and not is_folder(given)


def _beside_table(run: Run, path: Path, answers: Sequence[Answer], layout: Layout) -> Sheet:
    table = table_at(path, layout, layout.inputs)
    names, cells = table.names, table.every_row()
    rows = [{"error": answer["error"]} if "error" in answer else _one_row(run, answer) for answer in answers]
    ours = [*dict.fromkeys(name for row in rows for name in row if name != "error"), "error"]
    header = list(names)
    for name in ours:
        while name in header:
            name = f"answer_{name}"
        header.append(name)
    kept = [list(map(_cell, row)) for row in cells]
    width = max([len(names), *map(len, kept)])
    header[len(names) : len(names)] = [""] * (width - len(names))
    padded = ([*row, *[""] * (width - len(row))] for row in kept)
    both = zip(padded, rows, strict=True)
    return header, [[*known, *(_cell(row.get(name)) for name in ours)] for known, row in both]


def _one_row(run: Run, answer: Answer) -> dict[str, Any]:
    """An answer as one row, also of a head that has several for each: the parts of a list share a cell."""
    if not own(run.task, "as_rows"):
        (row,) = run.task.as_rows(answer_in(answer))
        return row
    columns = run.task.as_columns([answer_in(answer)])
    return {name: _joined(cells[0]) if isinstance(cells[0], list) else cells[0] for name, cells in columns.items()}


def _joined(parts: Sequence[Any]) -> str:
    """Words separated by spaces, and anything else by "|"."""
    words = all(isinstance(part, str) and not set(part) & set(" \t\n\v\f\r") for part in parts)
    return (" " if words else "|").join(map(str, parts))


def _cell(value: Any) -> Any:
    if value is None or value != value:
        return ""
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, (list, dict)) else value
