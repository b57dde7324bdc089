"""Turns a folder of classes or a table into a list of examples, without opening their files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from zoo.data.examples import Examples, Skipped, Split, add_example, named
from zoo.data.folders import read_folder
from zoo.data.layout import NO_COLUMN, SPLIT_COLUMN, Layout, split_called
from zoo.data.reader import Raw, Targets
from zoo.data.tables import TABLES, BadRow, Cell, Row, Table, open_table
from zoo.errors import BadData
from zoo.places import exists, is_place, possible
from zoo.progress import counted, progress, say

_PERHAPS_SPLITS = ("set", "subset", "partition", "fold", "usage", "phase", "is_valid", "is_val", "is_test")
_LOOKED_AT = 20  # texts


def read_source(data: Path, layout: Layout, targets: Targets) -> Examples:
    """The examples in `data`.

    A folder: each sub-folder is a class, with files at any depth; or `train/`, `val/`, `test/`, each with such
    sub-folders. A table: the columns that `layout` names, and perhaps columns with the split and the group of each row.

    Raises `BadData` if there is nothing to learn from.
    """
    require_source(data, layout)
    if not data.is_dir():
        return _read_table(data, layout, targets)
    if not layout.form.folders or len(layout.targets) > 1:
        what = "several targets" if layout.form.folders else " and ".join(layout.inputs)
        raise BadData(f"{data} is a folder, but {what} must be columns of a table ({', '.join(TABLES)}).")
    if layout.group:
        raise BadData(f"--group {layout.group}: {data} is a folder. Groups must be a column of a table.")
    return read_folder(data, layout, targets)


def require_source(data: Path, layout: Layout) -> None:
    """Raise `BadData` if this is neither a folder nor a table. Does not look inside."""
    if not possible(data, BadData).exists():
        raise BadData(f"{data} does not exist. Give a folder with a sub-folder for each class, or a table.")
    if not data.is_dir() and not is_table(data, layout):
        raise BadData(f"{data} is neither a folder nor a table ({', '.join(TABLES)}).{_of_text(data)}")


def targets_in(data: Path, layout: Layout) -> tuple[str, ...]:
    """The columns of the target; one that has a comma in its name is not parted at it if the table at `data` has it."""
    if len(layout.targets) == 1 or data.is_dir():
        return layout.targets
    return layout.in_table(table_at(data, layout, (*layout.inputs, *layout.targets)).names).targets


def is_table(path: Path, layout: Layout) -> bool:
    """Whether a file is read as a table: by its suffix, or a text file whose columns were named."""
    return path.suffix.lower() in TABLES or (path.suffix.lower() == ".txt" and bool(layout.input_column))


def table_at(path: Path, layout: Layout, wanted: Sequence[str]) -> Table:
    """The table, opened as the layout says. Raises `BadData`."""
    return open_table(path, wanted, layout.dialect, words=layout.form_name == "words")


def _of_text(data: Path) -> str:
    if data.suffix.lower() in (".gz", ".zip", ".bz2", ".xz", ".tar", ".tgz", ".7z", ".zst"):
        return " Unpack it first."
    return " To read it as a table, name its column with --input." if data.suffix.lower() == ".txt" else ""


def _read_table(path: Path, layout: Layout, targets: Targets) -> Examples:
    table = table_at(path, layout, (*layout.inputs, *layout.targets))
    layout = layout.in_table(table.names)
    inputs, columns = layout.inputs, layout.targets
    for names, option in ((inputs, "--input"), (columns, "--target")):
        for name in names:
            table.place_of(name, option if len(names) == 1 else f"{option} A,B")
    marks = _split_column(table, layout)
    more = [*marks, *([layout.group] if layout.group else [])]
    examples = Examples(path, columns=columns, kind=table.kind)
    first, second = len(inputs), len(inputs) + len(columns)
    with progress("Reading the table", None, "rows") as advance:
        for number, row in enumerate(table.rows((*inputs, *columns, *more)), start=1):
            advance()
            called, raw, reason = _input(path, layout, number, row if isinstance(row, BadRow) else row[:first])
            if not isinstance(row, BadRow):
                reason = reason or _missing(columns, row[first:second])
            if reason or isinstance(row, BadRow):
                examples.skipped.append(Skipped(named(called), reason))
                continue
            group = str(row[-1] or f"row {number}") if layout.group else ""
            split = _split_of(row[second], path, number, more[0]) if len(more) > bool(layout.group) else None
            add_example(examples, called, raw, row[first:second], split, targets, group)
    examples.notes += table.notes
    if unused := [name for name in table.names if not marks and name.strip().lower() in _PERHAPS_SPLITS]:
        examples.notes.append(f"the column {unused[0]} is not used; if it says the split: --split-column {unused[0]}")
    _refuse_paths_as_texts(examples, layout)
    if not examples.items:
        reason = f" ({examples.skipped[0].input}: {examples.skipped[0].reason})" if examples.skipped else ""
        raise BadData(f"{path} has no row with both {' and '.join(inputs)} and {', '.join(columns)}{reason}.")
    return examples


def _refuse_paths_as_texts(examples: Examples, layout: Layout) -> None:
    """Raise `BadData` if all of the first texts are names of files that exist."""
    some = [example.raw for example in examples.items[:_LOOKED_AT]] if layout.reader.in_memory else []
    folder = examples.source.parent
    if some and all(isinstance(text, str) and _is_file_name(text) and exists(folder / text) for text in some):
        raise BadData(
            f"{examples.source} has the names of files ({some[0]}) where it must have the texts themselves. Put the "
            "files into a folder for each class, or their texts into the table."
        )


def _is_file_name(text: str) -> bool:
    return len(text) < 256 and re.fullmatch(r"\S.*\.\w{1,5}", text) is not None


def _split_column(table: Table, layout: Layout) -> list[str]:
    if layout.split_column == NO_COLUMN:
        return []
    if layout.split_column:
        table.place_of(layout.split_column, "--split-column")
        return [layout.split_column]
    taken = {*layout.inputs, *layout.targets, layout.group}
    return [name for name in table.names if name.strip().lower() == SPLIT_COLUMN and name.strip() not in taken][:1]


def read_inputs(path: Path, layout: Layout) -> Iterator[tuple[str, Raw, str]]:
    """The inputs of a table, without targets: for each row its name, its raw, and why it cannot be read."""
    table = table_at(path, layout, layout.inputs)
    layout = layout.in_table(table.names)
    for name in layout.inputs:
        table.place_of(name, "--input")
    number = 0
    for number, row in enumerate(table.rows(layout.inputs), start=1):
        called, raw, reason = _input(path, layout, number, row)
        yield named(called), raw, reason
    say(f"Reads {counted(number, 'rows')} of {path}: {table.kind}.")
    for note in table.notes:
        say(f"Note: {note}.")


def _input(path: Path, layout: Layout, number: int, row: Row) -> tuple[str | int, Raw, str]:
    """The path in a row, or else its number; the raw; and why it cannot be read."""
    if isinstance(row, BadRow):
        return number, None, row.reason
    if reason := _missing(layout.inputs, row, also=[]):
        return number, None, reason
    try:
        raw = layout.form.from_cells(row, path.parent)
    except BadData as error:
        return number, None, str(error)
    return str(row[0]) if is_place(raw) else number, raw, ""


def _missing(names: Sequence[str], cells: Sequence[Cell], also: Cell = None) -> str:
    """The reason if one of the columns is empty, or is `also`; otherwise ""."""
    empty = (name for name, cell in zip(names, cells, strict=True) if cell is None or cell == also)
    return next((f"the column {name} is empty" for name in empty), "")


def _split_of(cell: Any, path: Path, number: int, column: str) -> Split | None:
    if cell is None:
        return None
    split = split_called(str(cell))
    if split is None:
        raise BadData(
            f"{path}, row {number}: the column {column} has {str(cell)!r}. It must be train, validation (or val, "
            "dev) or test. To leave the column out: --split-column none"
        )
    return split
