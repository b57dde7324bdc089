"""The inputs that a finished model is given: values, files, folders of files, and tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from zoo.data.layout import Layout
from zoo.data.reader import Raw
from zoo.data.sources import files_below, read_inputs
from zoo.data.tables import TABLES
from zoo.errors import BadData
from zoo.places import exists, is_place, place

Input = Any  # a place or its text, a text, a tuple of two texts, bytes, or a value such as an array of pixels
Entry = tuple[str, Raw, str]  # its name, the raw that the model reads, and why it cannot be read ("" if it can)


def read_entries(inputs: Sequence[Input], layout: Layout) -> list[Entry]:
    """One entry for each input, in order: a value or file, each file below a folder, each row of a table.

    Raises `BadData` for an input that the model cannot take, for a table that does not exist, and if nothing is left.
    """
    entries = [entry for given in inputs for entry in _entries(given, layout)]
    if not entries:
        raise BadData(f"There is nothing to read in {', '.join(map(str, inputs))}.")
    return entries


def _entries(given: Input, layout: Layout) -> Iterator[Entry]:
    if not isinstance(given, str) and not is_place(given):
        yield _of_value(given)
        return
    typed = isinstance(given, str) and layout.reader.in_memory and len(given.split()) > 1
    path = Path(given) if typed else place(given)  # a text may begin with an address
    if path.suffix.lower() in TABLES:
        if not exists(path):
            raise BadData(f"{given} does not exist.")
        for name, raw, reason in read_inputs(path, layout):
            yield (str(raw) if is_place(raw) else f"{given}: {name}"), raw, reason
    elif not layout.reader.in_memory:
        for file in files_below(path) if path.is_dir() else [path]:
            yield str(file), file, ""
    elif not str(given).strip():
        yield str(given), None, "empty text"
    elif exists(path):
        yield from _contents(path, layout)
    elif isinstance(given, str):
        yield _typed(given, layout)
    else:
        raise BadData(f"{given} does not exist.")


def _of_value(given: Input) -> Entry:
    if isinstance(given, tuple):
        return " | ".join(map(str, given)), given, ""
    kind = "bytes" if isinstance(given, (bytes, bytearray, memoryview)) else type(given).__name__
    return f"({kind})", given, ""


def _contents(path: Path, layout: Layout) -> Iterator[Entry]:
    """The entries of files that are kept in memory: read here, because their content is treated like typed text."""
    for file in files_below(path) if path.is_dir() else [path]:
        try:
            yield str(file), _typed(layout.reader.read(file), layout)[1], ""
        except BadData as error:
            yield str(file), None, str(error)


def _typed(text: str, layout: Layout) -> Entry:
    if layout.form.from_text is None:
        wanted = " and ".join(layout.inputs)
        raise BadData(f"{text!r}: this model reads {len(layout.inputs)} texts. Give a table with {wanted}.")
    return text, layout.form.from_text(text), ""
