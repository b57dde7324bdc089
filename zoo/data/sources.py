"""From what a person points at (a folder of classes, or a table) to a list of examples, their files unopened."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from zoo.catalog.specs import Modality, Reads
from zoo.data.examples import Example, Examples, Raw, Skipped, Split, Target
from zoo.data.tables import TABLES, Columns, column, plain_column, read_columns
from zoo.data.texts import as_words, join_words, words_of
from zoo.errors import BadData

_SPLIT_FOLDERS: dict[str, Split] = {
    "train": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}


@dataclass(frozen=True)
class Reading:
    """How a person's data is to be read: what an example is, and in a table the columns it stands in.

    input_column   "": `image` (paths of pictures, seen from the table's own folder), `text`, or `tokens`; of pairs
                   `text,text_b`
    target_column  "": `label`, of words `tags`; several are parted by commas
    """

    modality: Modality = "image"
    reads: Reads = "single"
    input_column: str = ""
    target_column: str = ""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns of an example. Raises `BadData` where a pair is not two."""
        if self.reads == "pair":
            names = tuple((self.input_column or "text,text_b").split(","))
            if len(names) != 2:
                raise BadData(f"--input {self.input_column}: a pair stands in two columns, for example text,text_b.")
            return names
        return (self.input_column or ("tokens" if self.reads == "words" else self.modality),)

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns of the target."""
        return tuple((self.target_column or ("tags" if self.reads == "words" else "label")).split(","))


def read_source(data: Path, reading: Reading = Reading()) -> Examples:
    """The examples that `data` names.

    A folder: each sub-folder is a class, at any depth below it; or `train/`, `val/`, `test/` folders of such folders.
    A table (CSV, TSV, JSONL, Parquet, CoNLL): the columns that `reading` names, and optionally a column `split` with
    train, validation or test. Words and their tags are lists, or stand parted by white space.

    Raises `BadData` where there is nothing to learn from.
    """
    if not data.exists():
        raise BadData(f"{data} does not exist; give a folder with a sub-folder for each class, or a table.")
    if data.is_dir():
        if reading.reads != "single" or len(reading.targets) > 1:
            what = {"single": "several targets", "pair": "pairs of texts", "words": "words and their tags"}
            raise BadData(f"{data} is a folder; {what[reading.reads]} stand in a table ({', '.join(TABLES)}).")
        return _read_folder(data)
    if data.suffix.lower() in TABLES:
        return _read_table(data, reading)
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


def _read_table(path: Path, reading: Reading) -> Examples:
    columns = read_columns(path)
    cells_of = column if reading.reads == "words" else plain_column
    targets = zip(*(cells_of(columns, name, "--target", path) for name in reading.targets), strict=True)
    inputs = read_inputs(path, reading, columns)
    splits = columns.get("split", [None] * len(inputs))
    examples = Examples(path)
    for (name, raw, reason), cells, split in zip(inputs, targets, splits, strict=True):
        reason = reason or _missing(reading.targets, cells)
        if reason or raw is None:
            examples.skipped.append(Skipped(name, reason))
            continue
        target, reason = _target(reading, str(raw), cells)
        if reason:
            examples.skipped.append(Skipped(name, reason))
        else:
            examples.items.append(Example(name, raw, target, _split_of(split, path, name)))
    if not examples.items:
        raise BadData(f"{path} has no row with both {' and '.join(reading.inputs)} and {', '.join(reading.targets)}.")
    return examples


def _target(reading: Reading, text: str, cells: Sequence[Any]) -> tuple[Target, str]:
    """The target in the cells of a row, and why it cannot be used."""
    if reading.reads != "words":
        targets = tuple(str(cell) for cell in cells)
        return targets if len(targets) > 1 else targets[0], ""
    tags, words = as_words(cells[0]), words_of(text)
    return tags, "" if len(tags) == len(words) else f"{len(words)} words, but {len(tags)} tags"


def read_inputs(path: Path, reading: Reading, columns: Columns | None = None) -> list[tuple[str, Raw | None, str]]:
    """The inputs of a table, without targets: for each row its name, and what a model is given, or why not."""
    columns = read_columns(path) if columns is None else columns
    cells_of = column if reading.reads == "words" else plain_column
    entries = zip(*(cells_of(columns, name, "--input", path) for name in reading.inputs), strict=True)
    return [_input(path, reading, row, entry) for row, entry in enumerate(entries, start=1)]


def _input(path: Path, reading: Reading, row: int, entry: tuple[Any, ...]) -> tuple[str, Raw | None, str]:
    name = f"row {row}"
    if reason := _missing(reading.inputs, entry):
        return name, None, reason
    if reading.modality == "image":
        return str(entry[0]), path.parent / str(entry[0]), ""
    if reading.reads == "words":
        words = as_words(entry[0])
        return (name, None, "an empty word") if "" in words else (name, join_words(words), "")
    if len(entry) == 2:
        return name, (str(entry[0]), str(entry[1])), ""
    return name, str(entry[0]), ""


def _missing(names: Sequence[str], cells: Sequence[Any]) -> str:
    """Which column has nothing in it, or ""."""
    empty = (
        name for name, cell in zip(names, cells, strict=True) if cell is None or cell == [] or not str(cell).strip()
    )
    return next((f"the column {name} is empty" for name in empty), "")


def _split_of(text: object, path: Path, name: str) -> Split | None:
    if text is None or not str(text).strip():
        return None
    try:
        return _SPLIT_FOLDERS[str(text).strip().lower()]
    except KeyError:
        known = ", ".join(get_args(Split))
        raise BadData(f"{path}, {name}: the split is {str(text)!r}; it must be one of {known}.") from None
