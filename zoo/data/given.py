"""What a caller in Python gave, taken apart into single inputs; what is none is refused with its position and type.

For a model that reads texts, a string is a text, whatever is on the disk; for any other, it is the path of a file. A
`Path` is a file, a folder or a table for both.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.data.layout import Layout
from zoo.data.reader import Reader
from zoo.data.tables import TABLES
from zoo.data.texts import as_words
from zoo.errors import BadData
from zoo.places import is_place

Input = Any  # a text, a place or its path, a tuple of two texts, bytes, or a value such as an array of pixels
BYTES = (bytes, bytearray, memoryview)
_NO_VALUE = ("NAType", "NaTType")  # what pandas has for a missing cell, besides None and NaN
_SHOWN = 40  # letters of a wrong input


@dataclass(frozen=True)
class Missing:
    """A row of a data frame that has no input: its name, and the reason."""

    name: str
    reason: str


def reads_text(layout: Layout) -> bool:
    """Whether an input is a text, so that a string is the input itself and not a path."""
    return layout.reader.dtype == "string"


def as_inputs(given: Any, layout: Layout) -> list[Input]:
    """The inputs in what a caller gave: one of them, any collection of them, or a data frame with a column of them.

    An array of numbers with one dimension more than a value has is a collection of values. What has as many parts as
    the model reads is one input, if they are texts, files or bytes.

    Raises `BadData` for the first that is no input, with its position, and for a data frame without the column.
    """
    given = _simple(given)
    if (names := _column_names(given)) is not None:
        inputs = _rows(given, names, layout)
    elif (cells := _cells(given)) is not None:
        name = str(getattr(given, "name", None) or " and ".join(layout.inputs))
        inputs = [_of_cells((cell,), (name,), row, layout) for row, cell in enumerate(cells, start=1)]
    else:
        inputs = [given] if _is_one(given, layout) else list(_whole(given, layout))
    return [_checked(_simple(one), number, layout) for number, one in enumerate(inputs, start=1)]


def _whole(given: Any, layout: Layout) -> Any:
    """A batch of pixels that are decimals up to 255, as whole numbers: a dark one in it is not one from 0 to 1."""
    pixels = layout.reader.dtype == "uint8" and getattr(getattr(given, "dtype", None), "kind", "") == "f"
    if not pixels or not given.size or not (given.min() >= 0 and 1 < given.max() <= 255):
        return given
    return given.round().astype("uint8")


def _simple(given: Any) -> Any:
    """The same in the simplest type: strings, lists of them, places, and arrays of numbers."""
    if isinstance(given, str):
        return str.__str__(given)
    if isinstance(given, os.PathLike) and not is_place(given):
        return Path(os.fsdecode(given))
    if hasattr(given, "as_py"):  # a scalar of Arrow
        return given.as_py()
    if callable(getattr(given, "numpy", None)):  # a tensor
        with contextlib.suppress(RuntimeError, TypeError):  # one on a GPU, or part of a graph: refused by its type
            given = given.numpy()
    elif hasattr(given, "__array__") and hasattr(given, "dtype") and not _is_of_data_frames(given):
        import numpy as np

        given = np.asarray(given)
    elif callable(getattr(given, "read", None)) and not isinstance(given, io.TextIOBase) and not is_place(given):
        content = given.read()  # an open file; as text it is refused, because it might be a text in each line
        return content if isinstance(content, BYTES) else given
    kind = getattr(getattr(given, "dtype", None), "kind", "")
    if kind and (kind in "USOT" or given.shape == ()) and not _is_of_data_frames(given):
        return given.tolist()
    return given


def _is_of_data_frames(given: Any) -> bool:
    return hasattr(given, "to_list") or hasattr(given, "to_pylist") or hasattr(given, "columns")


def _is_one(given: Any, layout: Layout) -> bool:
    if isinstance(given, (str, *BYTES)) or is_place(given):
        return True
    if hasattr(given, "ndim"):
        several = len(layout.inputs) == 1 and given.ndim == len(layout.reader.shape) + 1
        return reads_text(layout) or not several
    if isinstance(given, tuple) and 1 < len(given) == len(layout.inputs):
        return all(_is_part(part) for part in map(_simple, given))
    return isinstance(given, Mapping) or hasattr(given, "read") or not isinstance(given, Iterable)


def _is_part(part: Any) -> bool:
    """Whether this is a part of one input, and not an input of its own."""
    if is_place(part):
        return part.suffix.lower() not in TABLES and not is_folder(part)
    return not isinstance(part, (tuple, list)) and part is not None


def is_folder(path: Path) -> bool:
    """Whether a place is a folder; False for what cannot be a path, or lies where nothing can be looked up."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _column_names(given: Any) -> list[Any] | None:
    """The names of the columns of a data frame of any library; None if it is something else."""
    if hasattr(given, "dtypes") and hasattr(given, "columns"):
        return list(given.columns)
    names = getattr(given, "column_names", None)
    return list(names) if names is not None and not isinstance(given, Mapping) else None


def _cells(column: Any) -> list[Any] | None:
    """The cells of a column of a data frame; None if it is something else."""
    for name in ("to_pylist", "to_list"):
        if callable(cells := getattr(column, name, None)):
            return list(cells())
    return None


def _rows(frame: Any, names: Sequence[Any], layout: Layout) -> list[Input]:
    kind = type(frame).__name__
    for name in layout.inputs:
        if names.count(name) != 1:
            known = ", ".join(map(str, names)) or "no columns at all"
            how = "several columns" if name in names else "no column"
            raise BadData(f"The {kind} has {how} {name!r}. It has {known}. Name one with input_column.")
    try:
        columns = [frame[name] for name in layout.inputs]
        rows = list(zip(*(_cells(column) or list(column) for column in columns), strict=True))
    except TypeError:
        raise BadData(f"The {kind} has columns, but no rows yet. Collect them first.") from None
    return [_of_cells(cells, layout.inputs, row, layout) for row, cells in enumerate(rows, start=1)]


def _of_cells(cells: Sequence[Any], names: Sequence[str], row: int, layout: Layout) -> Input:
    """The input in the cells of a row."""
    for name, cell in zip(names, cells, strict=True):
        if cell is None or (isinstance(cell, float) and cell != cell) or type(cell).__name__ in _NO_VALUE:
            return Missing(f"row {row}", f"the column {name} is empty")
        if isinstance(cell, str) and not cell.strip() and not reads_text(layout):
            return Missing(f"row {row}", f"the column {name} is empty")
    cells = [_simple(cell) for cell in cells]
    if len(cells) == 1 and isinstance(cells[0], (str, Mapping)) and not reads_text(layout):
        try:
            return layout.form.from_cells(cells, Path())
        except BadData as error:
            return Missing(f"row {row}", str(error))
    if layout.form_name == "words" and isinstance(cells[0], (str, list, tuple)):
        try:
            return list(as_words(cells[0]))
        except BadData as error:
            return Missing(f"row {row}", str(error))
    return tuple(cells) if len(cells) > 1 else cells[0]


def _checked(given: Input, number: int, layout: Layout) -> Input:
    """An input whose type is right; raises `BadData` if it is not."""
    wanted, reader = len(layout.inputs), layout.reader
    if isinstance(given, Missing) or is_place(given):
        return given
    if wanted == 1 and layout.form_name == "words" and isinstance(given, (list, tuple)) and given:
        if all(isinstance(word, str) for word in given):
            return list(given)
    elif wanted == 1:
        _check_part(given, number, reader)
        return given
    elif isinstance(given, (list, tuple)) or (hasattr(given, "ndim") and len(given) == wanted):
        parts = tuple(map(_simple, given))
        if len(parts) == wanted:
            for place, part in enumerate(parts, start=1):
                _check_part(part, number, reader, f" in part {place}")
            return parts
    _check_part(given, number, reader)
    if wanted == 1:
        return given
    raise BadData(
        f"Input {number} is {_shown(given)}, but this model reads {wanted} {reader.unit}: "
        f"give tuples of {wanted}, or a table with the columns {' and '.join(layout.inputs)}."
    )


def _check_part(part: Any, number: int, reader: Reader, where: str = "") -> None:
    """Raise `BadData` unless this is a string, bytes, a place, or a value that the reader takes."""
    if isinstance(part, (str, *BYTES)) or is_place(part):
        return
    what, one = f"Input {number} is {_shown(part)}{where}", reader.unit.removesuffix("s")
    if hasattr(part, "read") or isinstance(part, Mapping):
        wanted = "its Path, or what it holds" if hasattr(part, "read") else f"its {reader.unit} as a list"
        raise BadData(f"{what}, which is no {one}. Give {wanted}.")
    if reader.dtype == "string":
        raise BadData(f"{what}, which is no {one}. Give a str, or the Path of a file.")
    try:
        reader.checked(part)
    except (BadData, TypeError, ValueError, AttributeError) as error:
        raise BadData(f"{what}, which is no {one} ({error}).") from None


def _shown(given: Any) -> str:
    """A wrong input and its type, in a few words."""
    kind = type(given).__name__
    if hasattr(given, "shape") and hasattr(given, "dtype"):
        return f"an array {given.dtype} {tuple(given.shape)} ({kind})"
    text = " ".join(repr(given).split())
    return f"{text if len(text) <= _SHOWN else text[: _SHOWN - 1] + '…'} ({kind})"
