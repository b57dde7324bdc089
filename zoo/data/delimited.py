"""CSV and TSV files: finds out what separates the cells, and what quotation marks mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from zoo.data.tables import MISSING, BadRow, Cell, Dialect, Row, Table, encoding_of
from zoo.errors import BadData

Style = Literal["doubled", "escaped", "text"]  # a quotation mark in a quoted cell is "", or \"; or none is special

_NAMES = {",": "','", ";": "';'", "\t": "tabs", "|": "'|'"}
_STYLES: dict[str, Style | None] = {"cells": "doubled", "text": "text", "auto": None}
_INSIDE = {"doubled": r'[^"]*(?:""[^"]*)*', "escaped": r'[^"\\]*(?:(?:\\.|"")[^"\\]*)*'}  # a quoted cell
_QUOTED = {style: re.compile(rf'"({inside})"(?!")', re.DOTALL) for style, inside in _INSIDE.items()}
_CLOSES = {style: re.compile(rf'{inside}"(?!")', re.DOTALL) for style, inside in _INSIDE.items()}  # one that is open
_SPACES = re.compile(r' +"')  # before a cell that is quoted
_NONE = "\x1f"  # what separates nothing
_LOOKED_AT = 200  # lines, to choose the separator
_LONGEST = 100_000  # lines of one cell


@dataclass(slots=True)
class _Record:
    """The cells of a row, the line it starts at, and how many it takes.

    broken    a quotation mark that opens a cell does not close properly, so the line was read without quoting
    doubtful  it takes several lines, and each of them looks like a row
    proper    quoting was needed to read it, or all of its cells are quoted
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
        self._encoding = encoding_of(path)
        self._style = _STYLES[dialect.quotes]
        self._separator, self._skip, self._spaces, self._width = ",", 0, False, 0
        self._swallows = False  # whether a quoted cell whose lines look like rows is taken for several rows
        with path.open(encoding=self._encoding, newline="") as file:
            head = list(islice(file, _LOOKED_AT))
        blank = next((n for n, line in enumerate(head) if line.strip()), len(head))
        first = head[blank].strip("\r\n") if blank < len(head) else ""
        given = dialect.separator
        if re.fullmatch(r'(?i:sep=)[^"\\]?', first):
            given, self._skip = given or first[4:] or "\t", blank + 1
        sample = [line for line in head[self._skip :] if line.strip("\r\n")]
        if not sample:
            raise BadData(f"{path} is empty: it has no header with the names of its columns.")
        names = self._use(given or self._likely(sample, wanted, path.suffix.lower() == ".tsv"), sample)[0].cells
        by = _NAMES.get(self._separator, repr(self._separator))
        kind = path.suffix[1:].upper() + ("" if self._separator == _NONE else f" separated by {by}")
        kind += "" if self._encoding == "utf-8-sig" else f" in {self._encoding.upper()}"
        super().__init__(path, names, kind)

    def place_of(self, name: str, option: str = "--input or --target") -> int:
        try:
            return super().place_of(name, option)
        except BadData as error:
            hint = "The first line must have the names of the columns, and --separator says what is between them."
            raise BadData(f"{error} {hint}" if "has no column" in str(error) else str(error)) from None

    def _use(self, separator: str, sample: Sequence[str]) -> list[_Record]:
        """The rows of a sample with this separator, which is used from now on."""
        others = sample[0].split(separator)[1:]
        self._separator, self._spaces = separator, bool(others) and all(cell[:1] == " " for cell in others)
        records = list(self._records(iter(sample), self._style or "doubled"))
        self._width = len(records[0].cells)
        return records

    def _likely(self, sample: Sequence[str], wanted: Sequence[str], tabs: bool) -> str:
        """The separator with which the header has the wanted columns, and the rows are as long as the header."""

        def fit(separator: str) -> tuple[int, float, bool]:
            records = self._use(separator, sample)
            names = [name.strip() for name in records[0].cells]
            same = sum(len(record.cells) == len(names) for record in records) / len(records)
            return sum(name in names for name in wanted), round(same, 1), len(names) > 1

        candidates = ["\t", ",", ";", "|"] if tabs else [",", ";", "\t", "|"]
        best = max(candidates, key=fit)  # the first of the best
        return best if fit(best)[2] else _NONE

    def _read(self, places: Sequence[int]) -> Iterator[Row]:
        broken: list[int] = []
        for number, record in enumerate(self._rows(), start=1):
            if record.broken:
                broken.append(number)
            yield self._row(record.cells, places)
        if broken:
            count = f"; such rows: {len(broken)}" if len(broken) > 1 else ""
            self._note(f"row {broken[0]} has a quotation mark that does not close, which is read as text{count}")

    def every_row(self) -> Iterator[list[Cell]]:
        for record in self._rows():
            yield [*record.cells, *[None] * (self._width - len(record.cells))]

    def _rows(self) -> Iterator[_Record]:
        """The rows, without the header."""
        if self._style is None:
            self._style = self._settled()
        yield from islice(self._all(self._style), 1, None)

    def _row(self, cells: list[str], places: Sequence[int]) -> Row:
        if len(cells) > self._width and any(cell.strip() for cell in cells[self._width :]):
            return BadRow(f"it has {len(cells)} cells, but the table has {self._width} columns")
        if len(cells) <= max(places, default=0):
            return BadRow(f"it has only {len(cells)} of {self._width} cells")
        return tuple(None if not (c := cells[place]).strip() or c.strip() in MISSING else c for place in places)

    def _settled(self) -> Style:
        """What quotation marks mean in this file; raises `BadData` if both would make sense."""
        doubt: tuple[int, _Record] | None = None
        broken = proper = escaped = False
        for number, record in enumerate(self._all("doubled")):
            proper |= record.proper
            broken |= record.broken
            escaped |= record.broken and any('\\"' in cell for cell in record.cells)
            if record.doubtful and doubt is None:
                doubt = number, record
        if not broken and (doubt is None or proper):
            return "doubled"
        if escaped and not any(record.broken for record in self._all("escaped")):
            self._note('\\" in a quoted cell is read as "')
            return "escaped"
        if doubt is not None and not broken:
            row, at = doubt
            raise BadData(
                f"{self.path}, row {row}: a quotation mark opens at line {at.line} and closes at line "
                f"{at.line + at.lines - 1}, and each of these {at.lines} lines looks like a row. Is it one cell? "
                "--quotes cells reads it so, and --quotes text reads every line as a row."
            )
        self._swallows = doubt is not None
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

        def take() -> str | None:
            return waiting.pop() if waiting else next(lines, None)

        while (line := take()) is not None:
            number += 1
            if not line.strip("\r\n"):
                continue
            if style == "text" or '"' not in line:
                yield _Record(number, self._split(line))
                continue
            record, ahead = self._quoted(line, take, style, number)
            waiting.extend(reversed(ahead))
            yield record
            number += record.lines - 1

    def _quoted(
        self, line: str, take: Callable[[], str | None], style: Style, number: int
    ) -> tuple[_Record, list[str]]:
        """A row whose first line has a quotation mark, and the lines that were read but do not belong to it."""
        taken = [line]
        cells: list[str] = []
        rest = line
        while (opened := self._add_cells(cells, rest, style)) is not None:
            lines = [rest[opened:]]  # those of the cell that is open, which are read again only when it closes
            while len(taken) < _LONGEST and (more := take()) is not None:
                taken.append(more)
                lines.append(more)
                if '"' in more and _CLOSES[style].match(more):
                    break
            else:
                cells.clear()
                break
            rest = "".join(lines)
        plain = self._split(line)
        rows = len(taken) > 1 and self._width > 1 and all(len(self._split(one)) == self._width for one in taken)
        if not cells or (rows and self._swallows):
            return _Record(number, plain, broken=True), taken[1:]
        needed = cells != plain and any(self._separator in cell or '"' in cell for cell in cells)
        every = len(plain) > 1 and all(len(cell) > 1 and cell[0] == cell[-1] == '"' for cell in plain)
        proper = not rows and (len(taken) > 1 or needed or every)
        return _Record(number, cells, len(taken), doubtful=rows, proper=proper), []

    def _add_cells(self, cells: list[str], text: str, style: Style) -> int | None:
        """Add the cells in the rest of a row, and return the place of a quoted one that does not close in it.

        None: all of them close; if something follows one that has closed, `cells` is empty.
        """
        text = text.rstrip("\r\n")
        at = 0
        while True:
            if self._spaces and cells:
                at += text.startswith(" ", at)
            if cells and (spaces := _SPACES.match(text, at)) is not None:
                at = spaces.end() - 1
            if text.startswith('"', at):
                match = _QUOTED[style].match(text, at)
                if match is None:
                    return at
                cell, at = match[1].replace('""', '"'), match.end()
                cells.append(re.sub(r'\\(["\\])', r"\1", cell) if style == "escaped" else cell)
                if at < len(text) and not text.startswith(self._separator, at):
                    cells.clear()
                    return None
            else:
                end = text.find(self._separator, at)
                end = len(text) if end < 0 else end
                cells.append(text[at:end])
                at = end
            if at >= len(text):
                return None
            at += 1

    def _split(self, line: str) -> list[str]:
        cells = line.rstrip("\r\n").split(self._separator)
        return [cells[0], *(cell.removeprefix(" ") for cell in cells[1:])] if self._spaces else cells
