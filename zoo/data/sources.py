"""From what a person points at (a folder of classes, or a table) to a list of examples, their files unopened."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from zoo.catalog.specs import Modality, Reads
from zoo.data.examples import Example, Examples, Raw, Skipped, Split
from zoo.errors import BadData

TABLES = (".csv", ".tsv", ".jsonl", ".parquet")
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

    input_column   "": `image` (paths of pictures, seen from the table's own folder) or `text`; of pairs `text,text_b`
    target_column  "": `label`
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
        return (self.input_column or self.modality,)

    @property
    def target(self) -> str:
        """The column of the target."""
        return self.target_column or "label"


def read_source(data: Path, reading: Reading = Reading()) -> Examples:
    """The examples that `data` names.

    A folder: each sub-folder is a class, at any depth below it; or `train/`, `val/`, `test/` folders of such folders.
    A table (CSV, TSV, JSONL, Parquet): the columns that `reading` names, and optionally a column `split` with train,
    validation or test. Raises `BadData` when there is nothing to learn from.
    """
    if not data.exists():
        raise BadData(f"{data} does not exist; give a folder with a sub-folder for each class, or a table.")
    if data.is_dir():
        if reading.reads == "pair":
            raise BadData(f"{data} is a folder; pairs of texts stand in a table ({', '.join(TABLES)}).")
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
    columns = _columns(path)
    targets = _column(columns, reading.target, "--target", path)
    splits = columns.get("split", [None] * len(targets))
    examples = Examples(path)
    for (name, raw, reason), target, split in zip(read_inputs(path, reading, columns), targets, splits, strict=True):
        if reason or raw is None:
            examples.skipped.append(Skipped(name, reason))
        elif target is None or not str(target).strip():
            examples.skipped.append(Skipped(name, f"the column {reading.target} is empty"))
        else:
            examples.items.append(Example(name, raw, str(target), _split_of(split, path, name)))
    if not examples.items:
        raise BadData(f"{path} has no row with both {' and '.join(reading.inputs)} and {reading.target}.")
    return examples


def read_inputs(
    path: Path, reading: Reading, columns: dict[str, list[Any]] | None = None
) -> list[tuple[str, Raw | None, str]]:
    """The inputs of a table, without targets: for each row its name, and what a model is given, or why not."""
    columns = _columns(path) if columns is None else columns
    entries = zip(*(_column(columns, name, "--input", path) for name in reading.inputs), strict=True)
    return [_input(path, reading, row, entry) for row, entry in enumerate(entries, start=1)]


def _input(path: Path, reading: Reading, row: int, entry: tuple[Any, ...]) -> tuple[str, Raw | None, str]:
    for name, value in zip(reading.inputs, entry, strict=True):
        if value is None or not str(value).strip():
            return f"row {row}", None, f"the column {name} is empty"
    if reading.modality == "image":
        return str(entry[0]), path.parent / str(entry[0]), ""
    if len(entry) == 2:
        return f"row {row}", (str(entry[0]), str(entry[1])), ""
    return f"row {row}", str(entry[0]), ""


def _column(columns: dict[str, list[Any]], name: str, option: str, path: Path) -> list[Any]:
    if name not in columns:
        raise BadData(f"{path} has no column {name!r}; it has {', '.join(columns)}. Name one with {option}.")
    return columns[name]


def _split_of(text: object, path: Path, name: str) -> Split | None:
    if text is None or not str(text).strip():
        return None
    try:
        return _SPLIT_FOLDERS[str(text).strip().lower()]
    except KeyError:
        known = ", ".join(get_args(Split))
        raise BadData(f"{path}, {name}: the split is {str(text)!r}; it must be one of {known}.") from None


def _columns(path: Path) -> dict[str, list[Any]]:
    import pyarrow
    from pyarrow import csv, json, parquet

    suffix = path.suffix.lower()
    if suffix != ".parquet":
        _refuse_other_encodings(path)
    try:
        if suffix == ".parquet":
            table = parquet.read_table(path)
        elif suffix == ".jsonl":
            content = path.read_bytes()
            table = json.read_json(pyarrow.BufferReader(content.removeprefix(codecs.BOM_UTF8)))
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


def _refuse_other_encodings(path: Path) -> None:
    """Raise `BadData` at the first byte that is not UTF-8; a mark at the start (BOM) is as good as none."""
    decoder, place = codecs.getincrementaldecoder("utf-8")(), 0
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                try:
                    decoder.decode(block)
                except UnicodeDecodeError as error:
                    raise BadData(
                        f"{path} is not UTF-8 text (byte 0x{error.object[error.start]:02x} near byte "
                        f"{place + error.start}); save it as UTF-8, for example: iconv -f latin1 -t utf-8."
                    ) from None
                place += len(block)
    except OSError as error:
        raise BadData(f"{path} cannot be read: {error.strerror}.") from None
