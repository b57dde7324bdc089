"""Tables whose cells have types (JSON, Parquet, Excel), as the texts that a CSV file would have."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.data.tables import BadRow, Cell, Row, Table, encoding_of
from zoo.errors import BadData
from zoo.places import is_local

if TYPE_CHECKING:
    import pyarrow as pa

_LOOKED_AT = 1000  # objects, for the names of the columns
_BLOCK = 1 << 20  # letters
_ROWS = 1000


class JsonTable(Table):
    """An object on each line, or one array of objects. Numbers stay as they are written."""

    def __init__(self, path: Path, wanted: Sequence[str]) -> None:
        self._encoding = encoding_of(path)
        with path.open(encoding=self._encoding) as file:
            start = file.read(4096).lstrip()
        self._array = start.startswith("[")
        super().__init__(path, [], "a JSON array" if self._array else "JSON Lines")
        names: dict[str, None] = {}
        for count, found in enumerate(self._objects()):
            if isinstance(found, Mapping):
                names |= dict.fromkeys(map(str, found))
            if count >= _LOOKED_AT and all(name in names for name in wanted):
                break
        self.names = list(names)

    def _read(self, places: Sequence[int]) -> Iterator[Row]:
        names = [self.names[place] for place in places]
        for found in self._objects():
            if isinstance(found, Mapping):
                yield tuple(as_written(found.get(name)) for name in names)
            else:
                yield BadRow(f"it is {json.dumps(found)[:40]}, not an object")

    def _objects(self) -> Iterator[Any]:
        with self.path.open(encoding=self._encoding, newline="\n") as file:
            yield from self._of_array(file) if self._array else self._of_lines(file)

    def _of_lines(self, file: Any) -> Iterator[Any]:
        for number, line in enumerate(file, start=1):
            if line.strip():
                try:
                    yield _DECODER.decode(line)
                except (ValueError, RecursionError) as error:
                    raise BadData(f"{self.path}, line {number} is not JSON: {_reason(error)}.") from None

    def _of_array(self, file: Any) -> Iterator[Any]:
        """The objects of an array, which is read in blocks."""
        text, at = file.read(_BLOCK).lstrip()[1:], 0
        count = 0
        while True:
            while text[at : at + 1] in tuple(" \t\r\n,") and at < len(text):
                at += 1
            if text[at : at + 1] == "]":
                return
            try:
                found, after = _DECODER.raw_decode(text, at)
                if after < len(text):  # otherwise a number may go on
                    yield found
                    at, count = after, count + 1
                    continue
                error: Exception = ValueError("it ends too early")
            except (ValueError, RecursionError) as fault:
                error = fault
            more = file.read(max(_BLOCK, len(text) - at))
            if not more:
                raise BadData(f"{self.path} is not a JSON array: after element {count}, {_reason(error)}.") from None
            text, at = text[at:] + more, 0


class ParquetTable(Table):
    """A Parquet file, read in batches of the columns that are asked for."""

    def __init__(self, path: Path) -> None:
        import pyarrow
        from pyarrow import parquet

        try:
            self._file = parquet.ParquetFile(path if is_local(path) else path.open("rb"))
        except (pyarrow.ArrowException, OSError) as error:
            raise BadData(f"{path} cannot be read as a Parquet table: {str(error).partition(chr(10))[0]}") from None
        super().__init__(path, self._file.schema_arrow.names, "Parquet")

    def _read(self, places: Sequence[int]) -> Iterator[Row]:
        import pyarrow

        names = [self.names[place] for place in places]
        try:
            for batch in self._file.iter_batches(_ROWS, columns=list(dict.fromkeys(names))):
                yield from zip(*(_as_texts(batch.column(name)) for name in names), strict=True)
        except (pyarrow.ArrowException, OSError) as error:
            raise BadData(f"{self.path} is damaged: {str(error).partition(chr(10))[0]}") from None


class ExcelTable(Table):
    """The first sheet of an Excel file that has any cells; its first row has the names of the columns."""

    def __init__(self, path: Path) -> None:
        try:
            from python_calamine import CalamineError, load_workbook
        except ImportError:
            raise BadData(
                f"{path}: Excel files need the package python-calamine: pip install 'tfzoo[excel]'. "
                "Or save the sheet as CSV UTF-8."
            ) from None
        try:
            with path.open("rb") as file:
                book = load_workbook(file)
                sheets = {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}
        except (CalamineError, OSError, ValueError) as error:
            raise BadData(f"{path} cannot be read as an Excel file: {error}") from None
        full = {name: rows for name, rows in sheets.items() if rows}
        if not full:
            raise BadData(f"{path} has no cells.")
        sheet, rows = next(iter(full.items()))
        super().__init__(path, [as_written(cell) or "" for cell in rows[0]], f"the sheet {sheet!r} of an Excel file")
        self._rows = [row for row in rows[1:] if any(cell not in ("", None) for cell in row)]
        if others := [name for name in full if name != sheet]:
            self._note(f"sheets that are not read: {', '.join(others)}")

    def _read(self, places: Sequence[int]) -> Iterator[Row]:
        for row in self._rows:
            yield tuple(_of_excel(row[place]) for place in places)


def as_written(value: Any) -> Cell:
    """A value with a type as a cell: the text that a CSV file would have, or a list of such; None if it is missing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return [as_written(part) if not isinstance(part, str) else part for part in value]
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time() and value.tzinfo is None
        return str(value.date() if midnight else value)
    return value if isinstance(value, (bytes, dict)) else str(value)


def _of_excel(value: Any) -> Cell:
    """Excel has only decimal numbers, and shows those without a fraction as whole numbers."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else as_written(value)


def _as_texts(column: pa.Array) -> list[Cell]:
    import pyarrow as pa

    if pa.types.is_float16(column.type) or pa.types.is_float32(column.type):
        numbers = column.to_numpy(zero_copy_only=False)  # a float32 as text has fewer digits than its float64
        return [None if math.isnan(number) else str(number) for number in numbers]
    return [as_written(value) for value in column.to_pylist()]


def _no_number(text: str) -> None:
    return None


_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_no_number)


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos + 1}"
    return str(error).partition("\n")[0] or type(error).__name__
