"""The inputs that a finished model is given: values, files, folders of files, and tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from zoo.data.folders import files_below
from zoo.data.layout import Layout
from zoo.data.reader import Raw, Reader
from zoo.data.sources import read_inputs
from zoo.data.tables import TABLES
from zoo.errors import BadData
from zoo.places import exists, is_address, is_place, place

Input = Any  # a place or its text, a text, a tuple of two texts, bytes, or a value such as an array of pixels
_BYTES = (bytes, bytearray, memoryview)
Entry = tuple[str, Raw, str]  # its name, the raw that the model reads, and why it cannot be read ("" if it can)


def as_inputs(given: Any, layout: Layout) -> list[Input]:
    """The inputs in what a caller gave: one, such as a text, a place, bytes or pixels, or any collection of them.

    An array of numbers with one dimension more than a value has is a collection of values. A tuple is one input if the
    model reads as many values as it has, and none of them is a table.

    Raises `BadData` for a table, whose column of inputs has to be named.
    """
    if getattr(given, "shape", None) == () and hasattr(given, "item"):  # an array that holds one value
        return [given.item()]
    if getattr(getattr(given, "dtype", None), "kind", "O") in "biuf":
        several = len(layout.inputs) == 1 and given.ndim == len(layout.reader.shape) + 1
        return list(given) if several else [given]
    if isinstance(given, (str, *_BYTES)) or is_place(given) or _is_one_tuple(given, layout):
        return [given]
    if isinstance(given, Mapping) or hasattr(given, "columns"):
        raise BadData(f"A {type(given).__name__} is not a list of inputs. Give its column of inputs.")
    if hasattr(given, "to_pylist"):  # a column of Arrow
        return list(given.to_pylist())
    return list(given) if isinstance(given, Iterable) else [given]


def _is_one_tuple(given: Any, layout: Layout) -> bool:
    if not isinstance(given, tuple) or len(given) != len(layout.inputs) or len(given) == 1:
        return False
    return not any(isinstance(part, tuple) or str(part).lower().endswith(tuple(TABLES)) for part in given)


def read_entries(inputs: Sequence[Input], layout: Layout) -> list[Entry]:
    """One entry for each input, in order: a value or file, each file below a folder, each row of a table.

    Raises `BadData` for an input that the model cannot take, for a table that does not exist, and if nothing is left.
    """
    entries = [entry for given in inputs for entry in _entries(given, layout)]
    if not entries:
        where = f" in {', '.join(map(str, inputs))}" if inputs else ": there are no inputs"
        raise BadData(f"There is nothing to read{where}.")
    return entries


def _entries(given: Input, layout: Layout) -> Iterator[Entry]:
    if not isinstance(given, str) and not is_place(given):
        yield _of_value(given, layout)
        return
    if isinstance(given, str) and _is_text(given, layout.reader):
        yield _typed(given, given, layout)
        return
    path = place(given)
    if path.suffix.lower() in TABLES:
        if not exists(path):
            raise BadData(f"{given} does not exist.")
        for name, raw, reason in read_inputs(path, layout):
            yield (str(raw) if is_place(raw) else f"{given}: {name}"), raw, reason
    elif not layout.reader.in_memory:
        for file in files_below(path) if path.is_dir() else [path]:
            yield str(file), file, ""
    elif exists(path):
        for file in files_below(path) if path.is_dir() else [path]:
            yield _typed(str(file), file, layout)
    elif isinstance(given, str):
        yield _typed(given, given, layout)
    else:
        raise BadData(f"{given} does not exist.")


def _is_text(given: str, reader: Reader) -> bool:
    """Whether a string is an example itself, before it is known what is on the disk.

    A text may contain an address, or be one: only one that ends like a file of examples or a table is opened.
    """
    if not reader.in_memory:
        return False
    if not is_address(given):
        return not given.strip()
    return len(given.split()) > 1 or not given.lower().endswith((*reader.suffixes, *TABLES))


def _of_value(given: Input, layout: Layout) -> Entry:
    if len(layout.inputs) > 1 and isinstance(given, Iterable) and not isinstance(given, _BYTES):
        given = tuple(given)  # also a list, or a row of an array
    parts = given if isinstance(given, tuple) else (given,)
    kinds = ("bytes" if isinstance(part, _BYTES) else type(part).__name__ for part in parts)
    name = " | ".join(map(str, given)) if isinstance(given, tuple) else f"({next(kinds)})"
    reader, wanted = layout.reader, len(layout.inputs)
    if len(parts) != wanted:
        unit = reader.unit if wanted > 1 else "value, not a tuple"
        return name, None, f"this model reads {wanted} {unit}"
    if wanted == 1 and reader.in_memory and layout.form.from_text is not None:
        return _typed(name, given, layout)
    try:
        for part in parts:
            if not isinstance(part, _BYTES) and not is_place(part):
                reader.checked(part)
        return name, reader.read(given) if reader.in_memory else given, ""
    except BadData as error:
        return name, None, str(error)


def _typed(name: str, given: Raw, layout: Layout) -> Entry:
    """The entry of one text: typed, or the content of bytes or of a file, which is treated like typed text."""
    if layout.form.from_text is None:
        wanted = " and ".join(layout.inputs)
        return name, None, f"this model reads {len(layout.inputs)} {layout.reader.unit}; give a table with {wanted}"
    try:
        return name, layout.form.from_text(layout.reader.read(given)), ""
    except BadData as error:
        return name, None, str(error)
