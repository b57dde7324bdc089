"""The inputs that a finished model is given, as the entries that it reads: values, files, and rows of tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from zoo.data.folders import files_below
from zoo.data.given import BYTES, Input, Missing, as_inputs, is_folder, reads_text
from zoo.data.layout import Layout
from zoo.data.reader import Raw
from zoo.data.sources import read_inputs
from zoo.data.tables import TABLES
from zoo.errors import BadData
from zoo.places import exists, is_place, place

__all__ = ["Entry", "Input", "as_inputs", "read_entries"]

Entry = tuple[str, Raw, str]  # its name, the raw that the model reads, and why it cannot be read ("" if it can)


def read_entries(inputs: Sequence[Input], layout: Layout) -> list[Entry]:
    """One entry for each input of `as_inputs`, in order; for each file below a folder; for each row of a table.

    Raises `BadData` for a table that does not exist, and if nothing is left.
    """
    entries = [entry for given in inputs for entry in _entries(given, layout)]
    if not entries:
        where = f" in {', '.join(map(str, inputs))}" if inputs else ": there are no inputs"
        raise BadData(f"There is nothing to read{where}.")
    return entries


def _entries(given: Input, layout: Layout) -> Iterator[Entry]:
    if isinstance(given, Missing):
        yield given.name, None, given.reason
    elif is_place(given):
        yield from _of_place(place(given), layout)
    elif not isinstance(given, str):
        yield _of_value(given, layout)
    elif reads_text(layout):
        yield _typed(given, given, layout)
    elif not given.strip() or "\0" in given:
        yield given, None, "not the path of a file" if given.strip() else "an empty path"
    else:
        yield from _of_place(place(given), layout)


def _of_place(path: Path, layout: Layout) -> Iterator[Entry]:
    if "\0" in str(path):
        yield str(path), None, "not the path of a file"
    elif path.suffix.lower() in TABLES:
        if not exists(path):
            raise BadData(f"{path} does not exist.")
        for name, raw, reason in read_inputs(path, layout):
            yield (str(raw) if is_place(raw) else f"{path}: {name}"), raw, reason
    elif layout.reader.in_memory and not exists(path):
        yield str(path), None, "does not exist"
    else:
        files = list(files_below(path)) if is_folder(path) else [path]
        if not files:
            yield str(path), None, "an empty folder"
        for file in files:
            yield _typed(str(file), file, layout) if layout.reader.in_memory else (str(file), file, "")


def _of_value(given: Input, layout: Layout) -> Entry:
    reader, parts = layout.reader, given if isinstance(given, tuple) else (given,)
    if isinstance(given, list):
        return _of_words(given, layout)
    if isinstance(given, tuple) and reads_text(layout):
        name = " | ".join(_text_of(part) if isinstance(part, BYTES) else str(part) for part in parts)
    elif isinstance(given, BYTES) and reads_text(layout):
        name = _text_of(given)
    else:
        name = f"({' | '.join('bytes' if isinstance(part, BYTES) else type(part).__name__ for part in parts)})"
    if len(parts) == 1 and reader.in_memory and layout.form.from_text is not None:
        return _typed(name, given, layout)
    try:
        return name, reader.read(given) if reader.in_memory else given, ""
    except BadData as error:
        return name, None, str(error)


def _text_of(content: bytes | bytearray | memoryview) -> str:
    return bytes(content).decode("utf-8-sig", "backslashreplace")


def _of_words(words: list[str], layout: Layout) -> Entry:
    """The entry of a text whose words are given one by one."""
    name = " ".join(words)
    try:
        return name, layout.form.from_cells((words,), Path()), ""
    except BadData as error:
        return name, None, str(error)


def _typed(name: str, given: Raw, layout: Layout) -> Entry:
    """The entry of one text: given as such, or the content of bytes or of a file, which is treated alike."""
    if layout.form.from_text is None:
        wanted = " and ".join(layout.inputs)
        return name, None, f"this model reads {len(layout.inputs)} {layout.reader.unit}; give a table with {wanted}"
    try:
        return name, layout.form.from_text(layout.reader.read(given)), ""
    except BadData as error:
        return name, None, str(error)
