"""CSV and TSV files: finds out what separates the cells, and what quotation marks mean."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from zoo.data.tables import BadRow, Dialect, Row, Table, encoding_of
from zoo.errors import BadData

Style = Literal["doubled", "escaped", "text"]  # a quotation mark in a quoted cell is "", or \"; or none is special

_NAMES = {",": "','", ";": "';'", "\t": "tabs", "|": "'|'"}
_STYLES: dict[str, Style | None] = {"cells": "doubled", "text": "text", "auto": None}
_NONE = "\x1f"  # what separates nothing
_LOOKED_AT = 200  # lines, to choose the separator
_MISSING = frozenset(("NaN", "nan", "null", "NULL", "<NA>"))
_LONGEST = 2**31 - 1  # letters in a cell; Python's own limit is 131,072


@dataclass
class _Record:
    """The cells of a row, the line it starts at, and how many it takes.

    broken    a quotation mark that opens a cell does not close properly, so the line was read without quoting
    doubtful  it takes several lines, and each of them looks like a row
    proper    quoting was needed to read it
    """

    line: int
    cells: list[str]
    lines: int = 1
    broken: bool = False
    doubtful: bool = False
    proper: bool = False


class Delimited(Table):
    """A delimited file with a header.

    Quoting is as RFC 4180 has it, or with \\" inside quoted cells. A cell that begins with a quotation mark that never
    closes swallows no rows: it is text, and so is every quotation mark if none is used for quoting.
    """

    def __init__(self, path: Path, wanted: Sequence[str], dialect: Dialect) -> None:
        csv.field_size_limit(_LONGEST)
        self._encoding = encoding_of(path)
        self._style = _STYLES[dialect.quotes]
        self._separator, self._skip, self._spaces, self._width = ",", 0, False, 0
        self._swallows = False  # whether a quoted cell whose lines look like rows is taken for several rows
        with path.open(encoding=self._encoding, newline="") as file:
            head = list(islice(file, _LOOKED_AT))
        blank = next((n for n, line in enumerate(head) if line.strip("\r\n\ufeff")), len(head))
        first = head[blank].strip("\r\n") if blank < len(head) else ""
        given = dialect.separator
        if first[:4].lower() == "sep=" and len(first) <= 5:
            given, self._skip = given or first[4:] or "\t", blank + 1
        sample = head[self._skip :]
        if not any(line.strip("\r\n") for line in sample):
            raise BadData(f"{path} is empty: it has no header with the names of its columns.")
        self._separator = given or self._likely(sample, wanted, path.suffix.lower() == ".tsv")
        names = next(self._records(iter(sample), self._style or "doubled")).cells
        self._spaces = len(names) > 1 and all(name[:1] == " " for name in names[1:])
        self._width = len(names)
        by = _NAMES.get(self._separator, repr(self._separator))
        kind = path.suffix[1:].upper() + ("" if self._separator == _NONE else f" separated by {by}")
        kind += "" if self._encoding == "utf-8-sig" else f" in {self._encoding.upper()}"
        super().__init__(path, [name.strip() if self._spaces else name for name in names], kind)

    def _likely(self, sample: Sequence[str], wanted: Sequence[str], tabs: bool) -> str:
        """The separator with which the header has the wanted columns, and the rows are as long as the header."""

        def fit(separator: str) -> tuple[int, float, bool]:
            self._separator = separator
            records = list(self._records(iter(sample), "doubled"))
            names = [name.strip() for name in records[0].cells]
            self._width = len(names)
            same = sum(len(record.cells) == len(names) for record in records) / len(records)
            return sum(name in names for name in wanted), round(same, 1), len(names) > 1

        candidates = ["\t", ",", ";", "|"] if tabs else [",", ";", "\t", "|"]
        best = max(candidates, key=fit)  # the first of the best
        return best if fit(best)[2] else _NONE

    def _read(self, places: Sequence[int]) -> Iterator[Row]:
        if self._style is None:
            self._style = self._settled()
        with self.path.open(encoding=self._encoding, newline="") as file:
            records = self._records(islice(file, self._skip, None), self._style)
            next(records)
            for number, record in enumerate(records, start=1):
                if record.broken:
                    self._note(f"row {number} has a quotation mark that does not close, which is read as text")
                yield self._row(record.cells, places)

    def _row(self, cells: list[str], places: Sequence[int]) -> Row:
        if len(cells) > self._width and any(cell.strip() for cell in cells[self._width :]):
            return BadRow(f"it has {len(cells)} cells, but the table has {self._width} columns")
        if len(cells) <= max(places, default=0):
            return BadRow(f"it has only {len(cells)} of {self._width} cells")
        return tuple(None if not (c := cells[place]).strip() or c.strip() in _MISSING else c for place in places)

    def _settled(self) -> Style:
        """What quotation marks mean in this file; raises `BadData` if both would make sense."""
        first: dict[str, _Record] = {}
        proper = escaped = False
        for number, record in enumerate(self._all("doubled")):
            proper |= record.proper
            for kind in ("broken", "doubtful"):
                if getattr(record, kind):
                    first.setdefault(kind, record)
                    first.setdefault("any", _Record(number, record.cells, record.lines))
            escaped |= record.broken and any('\\"' in cell for cell in record.cells)
        if not first or ("broken" not in first and proper):
            return "doubled"
        if escaped and not any(record.broken for record in self._all("escaped")):
            self._note('\\" in a quoted cell is read as "')
            return "escaped"
        if "broken" not in first:
            at, row = first["doubtful"], first["any"].line
            raise BadData(
                f"{self.path}, row {row}: a quotation mark opens at line {at.line} and closes at line "
                f"{at.line + at.lines - 1}, and each of these {at.lines} lines looks like a row. Is it one cell? "
                "--quotes cells reads it so, and --quotes text reads every line as a row."
            )
        self._swallows = "doubtful" in first
        if not proper and all(len(record.cells) == self._width for record in self._all("text")):
            self._note("quotation marks are read as text, because not all of them close")
            return "text"
        return "doubled"

    def _all(self, style: Style) -> Iterator[_Record]:
        with self.path.open(encoding=self._encoding, newline="") as file:
            yield from self._records(islice(file, self._skip, None), style)

    def _records(self, lines: Iterator[str], style: Style) -> Iterator[_Record]:
        """The rows, the header among them; blank lines are passed over."""
        number = self._skip
        waiting: list[str] = []  # lines that were read too early, the next one last

        def following() -> Iterator[str]:
            while True:
                if waiting:
                    yield waiting.pop()
                else:
                    line = next(lines, None)
                    if line is None:
                        return
                    yield line

        source = following()
        for line in source:
            number += 1
            if not line.strip("\r\n"):
                continue
            if style == "text" or '"' not in line:
                yield _Record(number, self._split(line))
                continue
            taken = [line]
            record = self._quoted(taken, source, style, number)
            if record.broken:
                waiting.extend(reversed(taken[1:]))
                source = following()
            number += record.lines - 1
            yield record

    def _quoted(self, taken: list[str], source: Iterator[str], style: Style, number: int) -> _Record:
        """A row whose first line has a quotation mark; the lines that it needs are added to `taken`."""

        def feed() -> Iterator[str]:
            yield taken[0]
            for line in source:
                taken.append(line)
                yield line

        escape = {"escapechar": "\\", "doublequote": False} if style == "escaped" else {}
        spaces = self._spaces
        reader = csv.reader(feed(), delimiter=self._separator, strict=True, skipinitialspace=spaces, **escape)  # type: ignore[arg-type]
        try:
            cells = next(reader)
        except (csv.Error, StopIteration):
            return _Record(number, self._split(taken[0]), broken=True)
        several = len(taken) > 1
        rows = several and self._width > 1 and all(len(self._split(line)) == self._width for line in taken)
        needed = cells != self._split(taken[0]) and any(self._separator in cell or '"' in cell for cell in cells)
        if rows and self._swallows:
            return _Record(number, self._split(taken[0]), broken=True)
        proper = not rows and (several or needed)
        return _Record(number, cells, len(taken), doubtful=rows, proper=proper)

    def _split(self, line: str) -> list[str]:
        cells = line.rstrip("\r\n").split(self._separator)
        return [cells[0], *(cell.removeprefix(" ") for cell in cells[1:])] if self._spaces else cells
