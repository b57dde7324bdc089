"""Turns a folder of classes or a table into a list of examples, without opening their files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, get_args

from zoo.data.examples import Example, Examples, Skipped, Split, Target
from zoo.data.layout import Layout
from zoo.data.reader import Raw
from zoo.data.tables import TABLES, Columns, column, read_columns
from zoo.errors import BadData, ZooError
from zoo.places import is_place, walk

_SPLIT_FOLDERS: dict[str, Split] = {
    "train": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}


class Targets(Protocol):
    """Reads and writes targets: the task of a head."""

    def read_target(self, cells: Sequence[Any], raw: Raw) -> Target:
        """The target in the cells of its columns; raises `BadData` with the reason if it cannot be used."""

    def write_target(self, target: Target) -> str:
        """The target as text."""


def read_source(data: Path, layout: Layout, targets: Targets) -> Examples:
    """The examples in `data`.

    A folder: each sub-folder is a class, with files at any depth; or `train/`, `val/`, `test/`, each with such
    sub-folders. A table (CSV, TSV, JSONL, Parquet, CoNLL): the columns that `layout` names, and optionally a column
    `split` with train, validation or test.

    Raises `BadData` if there is nothing to learn from.
    """
    require_source(data)
    if not data.is_dir():
        return _read_table(data, layout, targets)
    if not layout.form.folders or len(layout.targets) > 1:
        what = "several targets" if layout.form.folders else " and ".join(layout.inputs)
        raise BadData(f"{data} is a folder, but {what} must be columns of a table ({', '.join(TABLES)}).")
    return _read_folder(data, targets)


def require_source(data: Path) -> None:
    """Raise `BadData` if this is neither a folder nor a table. Does not look inside."""
    if not data.exists():
        raise BadData(f"{data} does not exist. Give a folder with a sub-folder for each class, or a table.")
    if not data.is_dir() and data.suffix.lower() not in TABLES:
        raise BadData(f"{data} is neither a folder nor a table ({', '.join(TABLES)}).")


def files_below(folder: Path) -> Iterator[Path]:
    """Every file below a folder, in a fixed order, without hidden ones. Follows links, but never in a loop.

    Raises `BadData` for a folder that cannot be listed, because its files would be missed in silence.
    """
    try:
        for at, folders, files in walk(folder):
            folders[:] = [name for name in folders if not name.startswith(".")]
            yield from (at / name for name in files if not name.startswith("."))
    except OSError as error:
        raise BadData(
            f"The folder {error.filename} cannot be listed ({error.strerror}). Make it readable, or remove it."
        ) from None


def _read_folder(folder: Path, targets: Targets) -> Examples:
    children = sorted(child for child in folder.iterdir() if child.is_dir() and not child.name.startswith("."))
    by_split = {child: _SPLIT_FOLDERS[child.name.lower()] for child in children if child.name.lower() in _SPLIT_FOLDERS}
    examples = Examples(folder)
    if "train" in by_split.values() and len(by_split) == len(children):
        for child, split in by_split.items():
            _read_classes(child, split, folder, targets, examples)
    else:
        _read_classes(folder, None, folder, targets, examples)
    if not examples.items:
        found = f"only files outside of any class ({len(examples.skipped)})" if examples.skipped else "nothing"
        raise BadData(f"There are no examples in {folder}: {found}. It needs a sub-folder for each class.")
    return examples


def _read_classes(folder: Path, split: Split | None, root: Path, targets: Targets, examples: Examples) -> None:
    for path in files_below(folder):
        parts = path.relative_to(folder).parts
        name = path.relative_to(root).as_posix()
        if len(parts) == 1:
            examples.skipped.append(Skipped(name, "not in the folder of a class"))
            continue
        _add(examples, name, path, parts[:1], split, targets)


def _add(examples: Examples, name: str, raw: Raw, cells: Sequence[Any], split: Split | None, targets: Targets) -> None:
    """Add an example with its target, or skip it with the reason; raises `BadData` if the head asks back."""
    try:
        target = targets.read_target(cells, raw)
    except BadData as error:
        examples.skipped.append(Skipped(name, str(error)))
    except ZooError as error:
        raise BadData(f"{examples.source}, {name}: {error}") from None
    else:
        examples.items.append(Example(name, raw, target, split, written=targets.write_target(target)))


def _read_table(path: Path, layout: Layout, targets: Targets) -> Examples:
    columns = read_columns(path)
    cells_of = zip(*(column(columns, name, "--target", path) for name in layout.targets), strict=True)
    inputs = read_inputs(path, layout, columns)
    splits = columns.get("split", [None] * len(inputs))
    examples = Examples(path)
    for (name, raw, reason), cells, split in zip(inputs, cells_of, splits, strict=True):
        if reason := reason or _missing(layout.targets, cells):
            examples.skipped.append(Skipped(name, reason))
        else:
            _add(examples, name, raw, cells, _split_of(split, path, name), targets)
    if not examples.items:
        reason = f" ({examples.skipped[0].input}: {examples.skipped[0].reason})" if examples.skipped else ""
        wanted = f"{' and '.join(layout.inputs)} and {', '.join(layout.targets)}"
        raise BadData(f"{path} has no row with both {wanted}{reason}.")
    return examples


def read_inputs(path: Path, layout: Layout, columns: Columns | None = None) -> list[tuple[str, Raw, str]]:
    """The inputs of a table, without targets: for each row its name, its raw, and why it cannot be read."""
    columns = read_columns(path) if columns is None else columns
    rows = zip(*(column(columns, name, "--input", path) for name in layout.inputs), strict=True)
    return [_input(path, layout, row, cells) for row, cells in enumerate(rows, start=1)]


def _input(path: Path, layout: Layout, row: int, cells: tuple[Any, ...]) -> tuple[str, Raw, str]:
    name = f"row {row}"
    if reason := _missing(layout.inputs, cells, also=[]):
        return name, None, reason
    try:
        raw = layout.form.from_cells(cells, path.parent)
    except BadData as error:
        return name, None, str(error)
    return str(cells[0]) if is_place(raw) else name, raw, ""


def _missing(names: Sequence[str], cells: Sequence[Any], also: list[Any] | None = None) -> str:
    """The reason if one of the columns is empty, or equal to `also`; otherwise ""."""
    cells_of = zip(names, cells, strict=True)
    empty = (name for name, cell in cells_of if cell is None or cell == also or not str(cell).strip())
    return next((f"the column {name} is empty" for name in empty), "")


def _split_of(text: object, path: Path, name: str) -> Split | None:
    if text is None or not str(text).strip():
        return None
    try:
        return _SPLIT_FOLDERS[str(text).strip().lower()]
    except KeyError:
        known = ", ".join(get_args(Split))
        raise BadData(f"{path}, {name}: the split is {str(text)!r}. It must be one of {known}.") from None
