"""From what a person points at (a folder of classes, or a table) to a list of examples, not yet opened."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from zoo.data.examples import Example, Examples, Skipped, Split
from zoo.errors import BadData

TABLES = (".csv", ".tsv", ".jsonl", ".parquet")
_SPLIT_FOLDERS: dict[str, Split] = {
    "train": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}


def read_source(data: Path, input_column: str = "image", target_column: str = "label") -> Examples:
    """The examples that `data` names.

    A folder: each sub-folder is a class, at any depth below it; or `train/`, `val/`, `test/` folders of such folders.
    A table (CSV, TSV, JSONL, Parquet): a column with paths of pictures, seen from the table's own folder, a column
    with the target, and optionally a column `split` with train, validation or test.
    Raises `BadData` when there is nothing to learn from.
    """
    if not data.exists():
        raise BadData(f"{data} does not exist; give a folder with a sub-folder for each class, or a table.")
    if data.is_dir():
        return _read_folder(data)
    if data.suffix.lower() in TABLES:
        return _read_table(data, input_column, target_column)
    raise BadData(f"{data} is neither a folder nor a table ({', '.join(TABLES)}).")


def files_below(folder: Path) -> Iterator[Path]:
    """Every file below a folder in a fixed order, following links but no loop, leaving hidden ones out.

    Raises `BadData` for a folder that may not be listed, since what is in it would be missed in silence.
    """
    seen = set()
    for place, folders, files in os.walk(folder, onerror=_refuse_folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith("."):
                yield Path(place, name)


def _refuse_folder(error: OSError) -> None:
    raise BadData(f"The folder {error.filename} cannot be listed ({error.strerror}); make it readable, or remove it.")


def _read_folder(folder: Path) -> Examples:
    children = sorted(child for child in folder.iterdir() if child.is_dir() and not child.name.startswith("."))
    by_split = {child: _SPLIT_FOLDERS[child.name.lower()] for child in children if child.name.lower() in _SPLIT_FOLDERS}
    examples = Examples(folder)
    if "train" in by_split.values() and len(by_split) == len(children):
        for child, split in by_split.items():
            _read_classes(child, split, folder, examples)
    else:
        _read_classes(folder, None, folder, examples)
    if not examples.items:
        found = f"only {len(examples.skipped)} files outside of any class" if examples.skipped else "nothing"
        raise BadData(f"There are no examples in {folder}: {found}. It needs a sub-folder for each class.")
    return examples


def _read_classes(folder: Path, split: Split | None, root: Path, examples: Examples) -> None:
    for path in files_below(folder):
        parts = path.relative_to(folder).parts
        name = path.relative_to(root).as_posix()
        if len(parts) == 1:
            examples.skipped.append(Skipped(name, "not in the folder of a class"))
        else:
            examples.items.append(Example(name, path, parts[0], split))


def _read_table(path: Path, input_column: str, target_column: str) -> Examples:
    columns = _columns(path)
    for column, option in ((input_column, "--input"), (target_column, "--target")):
        if column not in columns:
            raise BadData(f"{path} has no column {column!r}; it has {', '.join(columns)}. Name one with {option}.")
    splits = columns.get("split", [None] * len(columns[input_column]))
    examples = Examples(path)
    for row, (entry, target, split) in enumerate(
        zip(columns[input_column], columns[target_column], splits, strict=True), start=1
    ):
        if entry is None or not str(entry).strip():
            examples.skipped.append(Skipped(f"row {row}", f"the column {input_column} is empty"))
        elif target is None or not str(target).strip():
            examples.skipped.append(Skipped(str(entry), f"the column {target_column} is empty"))
        else:
            picture = path.parent / str(entry)
            examples.items.append(Example(str(entry), picture, str(target), _split_of(split, path, row)))
    if not examples.items:
        raise BadData(f"{path} has no row with both {input_column} and {target_column}.")
    return examples


def _split_of(text: object, path: Path, row: int) -> Split | None:
    if text is None or not str(text).strip():
        return None
    try:
        return _SPLIT_FOLDERS[str(text).strip().lower()]
    except KeyError:
        known = ", ".join(get_args(Split))
        raise BadData(f"{path}, row {row}: the split is {str(text)!r}; it must be one of {known}.") from None


def _columns(path: Path) -> dict[str, list[Any]]:
    import pyarrow
    from pyarrow import csv, json, parquet

    suffix = path.suffix.lower()
    try:
        if suffix == ".parquet":
            table = parquet.read_table(path)
        elif suffix == ".jsonl":
            table = json.read_json(path)
        else:
            parse = csv.ParseOptions(delimiter="\t" if suffix == ".tsv" else ",", newlines_in_values=True)
            with csv.open_csv(path, parse_options=parse) as reader:
                names = reader.schema.names
            as_written = csv.ConvertOptions(
                column_types=dict.fromkeys(names, pyarrow.string()), strings_can_be_null=False, null_values=[]
            )
            table = csv.read_csv(path, parse_options=parse, convert_options=as_written)
    except (pyarrow.ArrowException, OSError) as error:
        raise BadData(f"{path} cannot be read as a {suffix[1:].upper()} table: {str(error).splitlines()[0]}") from None
    if len(set(table.column_names)) != table.num_columns:
        raise BadData(f"{path} has two columns of one name: {', '.join(table.column_names)}.")
    return {name: table.column(name).to_pylist() for name in table.column_names}
