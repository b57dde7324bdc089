"""Tables whose cells have types (JSON, Parquet, Excel), as the texts that a CSV file would have."""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.data.tables import MISSING, BadRow, Cell, Row, Table, encoding_of
from zoo.errors import BadData

if TYPE_CHECKING:
    import pyarrow as pa

_BLOCK = 1 << 20  # letters
_BLANKS = re.compile(r"[ \t\r\n]*")
_ROWS = 1000


class JsonTable(Table):
    """An object on each line, or one array of objects. Numbers stay as they are written."""

    def __init__(self, path: Path, wanted: Sequence[str]) -> None:
        self._encoding = encoding_of(path)
        with path.open(encoding=self._encoding) as file:
            self._array = file.read(_BLOCK).lstrip().startswith("[")
        super().__init__(path, [], "a JSON array" if self._array else "JSON Lines")
        names: dict[str, None] = {}
        alone: Any = None
        for number, found in enumerate(self._objects()):
            alone = found if number == 0 else None
            if isinstance(found, Mapping):
                names |= dict.fromkeys(found)
        self.names = list(names)
        within = not self._array and isinstance(alone, Mapping) and any(map(_is_table, alone.values()))
        if not names or (within and not set(wanted) <= set(names)):
            has = f"one object with {', '.join(names)}" if names else "no object"
            raise BadData(f"{path} has {has}. It must be an array of objects, or have an object on each line.")

    def _read(self, places: Sequence[int]) -> Iterator[Row]:
        names = [self.names[place] for place in places]
        for found in self._objects():
            if isinstance(found, Mapping):
                yield tuple(as_written(found.get(name)) for name in names)
            else:
                kind = "an array" if isinstance(found, list) else "a text or a number"
                yield BadRow(f"it is {kind}, not an object")

    def _objects(self) -> Iterator[Any]:
        with self.path.open(encoding=self._encoding, newline="\n") as file:
            yield from self._of_array(file) if self._array else self._of_lines(file)

    def _of_lines(self, file: Any) -> Iterator[Any]:
        for number, line in enumerate(file, start=1):
            if line.strip():
                try:
                    yield _DECODER.decode(line)
                except (ValueError, RecursionError) as error:
                    raise BadData(
                        f"{self.path}, line {number} is not JSON: {_reason(error)}. There must be an object on each "
                        "line, or one array of objects."
                    ) from None

    def _of_array(self, file: Any) -> Iterator[Any]:
        """The objects of an array, which is read in blocks."""
        text, at, count = file.read(_BLOCK).lstrip(), 1, 0
        wanted = "["  # what came last: "[" or "," before an element, "" after one
        while True:
            at = _BLANKS.match(text, at).end()  # type: ignore[union-attr]
            if wanted != "," and text.startswith("]", at):
                if (text[at + 1 :] + file.read()).strip():
                    raise self._no_array(count, "something follows the end of the array")
                return
            if not wanted and text.startswith(",", at):
                wanted, at = ",", at + 1
                continue
            if at < len(text) and not wanted:
                raise self._no_array(count, "there is no comma")
            try:
                found, after = _DECODER.raw_decode(text, at)
                if after < len(text):  # otherwise a number may go on
                    yield found
                    at, count, wanted = after, count + 1, ""
                    continue
                reason = "it ends too early"
            except (ValueError, RecursionError) as fault:
                reason = _reason(fault)
            more = file.read(max(_BLOCK, len(text) - at))
            if not more:
                raise self._no_array(count, reason)
            text, at = text[at:] + more, 0

    def _no_array(self, count: int, reason: str) -> BadData:
        return BadData(f"{self.path} is not a JSON array of objects: after element {count}, {reason}.")


class ParquetTable(Table):
    """A Parquet file, read in batches of the columns that are asked for."""

    def __init__(self, path: Path) -> None:
        with self._opened(path) as file:
            super().__init__(path, file.schema_arrow.names, "Parquet")

    def _read(self, places: Sequence[int]) -> Iterator[Row]:
        unique = len(set(self.names)) == len(self.names)
        names = [self.names[place] for place in dict.fromkeys(places)]
        with self._opened(self.path) as file:
            for batch in file.iter_batches(_ROWS, columns=names if unique else None):
                columns = [batch.column(self.names[place] if unique else place) for place in places]
                yield from zip(*map(_as_texts, columns), strict=True)

    @contextmanager
    def _opened(self, path: Path) -> Iterator[Any]:
        import pyarrow
        from pyarrow import parquet

        try:
            with path.open("rb") as source, parquet.ParquetFile(source) as file:
                yield file
        except (pyarrow.ArrowException, OSError) as error:
            reason = str(error).partition("\n")[0]
            raise BadData(f"{path} cannot be read as a Parquet table: {reason}") from None


class ExcelTable(Table):
    """The sheet of an Excel file with the wanted columns; its first row has the names. It is read into memory."""

    def __init__(self, path: Path, wanted: Sequence[str]) -> None:
        try:
            from python_calamine import CalamineError, SheetVisibleEnum, load_workbook
        except ImportError:
            raise BadData(
                f"{path}: Excel files need the package python-calamine: pip install 'tfzoo[excel]'. "
                "Or save the sheet as CSV UTF-8."
            ) from None
        try:
            with path.open("rb") as file:
                book = load_workbook(file)
                shown = [s.name for s in book.sheets_metadata if s.visible == SheetVisibleEnum.Visible]
                rows = {name: book.get_sheet_by_name(name).to_python() for name in shown}
        except (CalamineError, OSError, ValueError) as error:
            raise BadData(f"{path} cannot be read as an Excel file: {error}") from None
        rows = {name: some for name, some in rows.items() if any(map(_is_full, some))}
        if not rows:
            raise BadData(f"{path} has no visible sheet with cells.")
        heads = {name: [str(_of_excel(cell) or "") for cell in some[0]] for name, some in rows.items()}
        fitting = [name for name, head in heads.items() if set(wanted) <= {cell.strip() for cell in head}]
        if len(fitting) > 1 and wanted:
            raise BadData(f"{path}: the sheets {' and '.join(fitting)} have these columns. Save one of them as CSV.")
        sheet = next(iter(fitting or rows))
        others = [name for name in rows if name != sheet]
        besides = f", which also has {', '.join(others)}" if others else ""
        super().__init__(path, heads[sheet], f"the sheet {sheet!r} of an Excel file{besides}")
        self._rows = [row for row in rows[sheet][1:] if _is_full(row)]

    def _read(self, places: Sequence[int]) -> Iterator[Row]:
        for row in self._rows:
            yield tuple(_of_excel(row[place]) for place in places)


def _is_full(row: Sequence[Any]) -> bool:
    return any(cell not in ("", None) for cell in row)


def as_written(value: Any) -> Cell:
    """A value with a type as a cell: the text that a CSV file would have, or a list of such; None if it is missing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str):
        return value if value.strip() and value.strip() not in MISSING else None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return [json.loads(part) if isinstance(part, _Number) else part for part in value]
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
    if pa.types.is_timestamp(column.type):  # Python's own type has fewer years and digits
        return [None if text is None else _short(text) for text in column.cast(pa.string()).to_pylist()]
    return [as_written(value) for value in column.to_pylist()]


def _short(moment: str) -> str:
    """A moment without zeros at the end: 2020-01-01 instead of 2020-01-01 00:00:00.000."""
    return re.sub(r" 00:00:00$", "", re.sub(r"\.(\d*?)0+(?=Z?$)", lambda m: f".{m[1]}" if m[1] else "", moment))


class _Number(str):
    """A number in JSON, as it is written."""


def _is_table(value: Any) -> bool:
    """Whether a value is objects by their number, or a list of objects: a table inside of an object."""
    if isinstance(value, dict):
        return "0" in value
    return isinstance(value, list) and bool(value) and all(isinstance(part, (dict, list)) for part in value)


def _no_number(text: str) -> None:
    return None


_DECODER = json.JSONDecoder(parse_float=_Number, parse_int=_Number, parse_constant=_no_number)


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos + 1}"
    return str(error).partition("\n")[0] or type(error).__name__
