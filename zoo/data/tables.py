"""Tables on disk as rows of the columns that are asked for, with each cell as it is written."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from zoo.errors import BadData, ZooError
from zoo.places import is_local

Cell = Any  # a text, a list, bytes or an object; None if it is missing
Quotes = Literal["auto", "cells", "text"]

DELIMITED = (".csv", ".tsv")
JSON = (".jsonl", ".ndjson", ".json")
CONLL = (".conll", ".bio", ".iob")
TABLES = (*DELIMITED, *JSON, ".parquet", ".xlsx", *CONLL)

_WHOLE = re.compile(r"-?\d+\.0")
_TRUTH = re.compile("True|False")
MISSING = frozenset(("NaN", "nan", "null", "NULL", "<NA>", "#N/A", "\\N"))  # as programs write it
_MOST_BAD = 0.5  # share of rows


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be read, and why."""

    reason: str


Row = tuple[Cell, ...] | BadRow


@dataclass(frozen=True)
class Dialect:
    """How to read a delimited file, as far as the user has said it.

    separator  the character between cells; "": found out
    quotes     "cells": quotation marks can enclose a cell; "text": they belong to the text; "auto": found out
    """

    separator: str = ""
    quotes: Quotes = "auto"

    @classmethod
    def of(cls, separator: str, quotes: Quotes) -> Dialect:
        """A dialect from settings, which write a tab as "tab" or "\\t"."""
        return cls("\t" if separator in ("tab", "\\t") else separator, quotes)


AUTO = Dialect()


class Table:
    """A table that is read row by row, in batches; only of an Excel file is more than a batch in memory.

    names  the columns as they are written in the file; some may be empty or the same
    kind   the format in words: "CSV separated by ';'"
    notes  what was guessed, and has to be said; complete once the rows have been read
    """

    def __init__(self, path: Path, names: Sequence[str], kind: str) -> None:
        self.path, self.names, self.kind = path, list(names), kind
        self.notes: list[str] = []

    def rows(self, columns: Sequence[str]) -> Iterator[Row]:
        """The cells of these columns, row by row; empty texts, NaN and null are None.

        In a column of whole numbers that became decimal numbers because some are missing, 1.0 is read as 1. In one of
        nothing but True and False these are true and false, as in the formats that have a type for them.

        Raises `BadData` for a column that does not exist, and if most rows cannot be read.
        """
        places = [self.place_of(name) for name in columns]
        changes = [self._change(name, place) for name, place in zip(columns, places, strict=True)]
        count, bad, first = 0, 0, ""
        for count, row in enumerate(self._read(places), start=1):
            if isinstance(row, BadRow):
                bad, first = bad + 1, first or f"row {count}: {row.reason}"
                yield row
            elif any(changes):
                pairs = zip(row, changes, strict=True)
                yield tuple(change(cell) if change and isinstance(cell, str) else cell for cell, change in pairs)
            else:
                yield row
        if bad > _MOST_BAD * count:
            raise BadData(f"{self.path} cannot be read as {self.kind}: {bad} of {count} rows do not fit ({first}).")

    def every_row(self) -> Iterator[Sequence[Cell]]:
        """All cells of each row as they are, also those that could not be asked for by name, or have no column."""
        for row in self._read(range(len(self.names))):
            yield () if isinstance(row, BadRow) else row

    def place_of(self, name: str, option: str = "--input or --target") -> int:
        """The position of a column; raises `BadData` if there is none of this name, or several."""
        found = [place for place, known in enumerate(self.names) if known == name]
        found = found or [place for place, known in enumerate(self.names) if known.strip() == name]
        if len(found) == 1:
            return found[0]
        if found:
            raise BadData(f"{self.path} has {len(found)} columns called {name!r}. Rename all but one of them.")
        known = ", ".join(known if known == known.strip() != "" else repr(known) for known in self.names)
        raise BadData(f"{self.path} has no column {name!r}. It has {known} ({self.kind}). Name one with {option}.")

    def _read(self, places: Sequence[int]) -> Iterator[Row]:
        raise NotImplementedError

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def _change(self, name: str, place: int) -> Callable[[str], str] | None:
        """How the texts of a column are changed, if all of them are of one kind; reads up to the first other cell."""
        missing = False
        kinds = {_WHOLE, _TRUTH}
        for row in self._read([place]):
            cell = None if isinstance(row, BadRow) else row[0]
            missing |= cell is None
            if cell is not None:
                kinds = {kind for kind in kinds if isinstance(cell, str) and kind.fullmatch(cell)}
                if not kinds:
                    return None
        if kinds == {_WHOLE} and missing:
            self._note(f"the numbers in {name} are whole, and some are missing, so 1.0 is read as 1")
            return lambda text: text.partition(".")[0]
        return str.lower if kinds == {_TRUTH} else None


def open_table(path: Path, wanted: Sequence[str] = (), dialect: Dialect = AUTO, words: bool = False) -> Table:
    """Open a table by its suffix.

    wanted  columns that will be asked for: they help to find the separator of a delimited file
    words   whether a text file is CoNLL: one word per line

    Raises `BadData` for a file that cannot be read as what its suffix says.
    """
    suffix = path.suffix.lower()
    try:
        if suffix in CONLL or (suffix == ".txt" and words):
            from zoo.data.conll import Conll

            return Conll(path)
        if suffix in JSON:
            from zoo.data.records import JsonTable

            return JsonTable(path, wanted)
        if suffix == ".parquet":
            from zoo.data.records import ParquetTable

            return ParquetTable(path)
        if suffix == ".xlsx":
            from zoo.data.records import ExcelTable

            return ExcelTable(path, wanted)
        from zoo.data.delimited import Delimited

        return Delimited(path, wanted, dialect)
    except ZooError:
        raise
    except Exception as error:
        if is_local(path) and not isinstance(error, OSError):
            raise
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0] or type(error).__name__
        raise BadData(f"{path} cannot be read: {reason}.") from None  # whatever the package for its address raises


def encoding_of(path: Path) -> str:
    """The encoding of a text file: UTF-8, or what its byte order mark says.

    Raises `BadData` at the first byte that is not text in this encoding.
    """
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(b"\x1f\x8b") or start == b"PK\3\4":
        raise BadData(f"{path} is compressed. Unpack it first.")
    encoding = _marked(start)
    decoder, place = codecs.getincrementaldecoder(encoding)(), 0
    with path.open("rb") as file:
        while True:
            block = file.read(1 << 20)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                at = place + error.start
                if encoding != "utf-8-sig":
                    raise BadData(f"{path} is damaged: it is not {encoding.upper()} text near byte {at}.") from None
                raise BadData(
                    f"{path} is not UTF-8 text (byte 0x{error.object[error.start]:02x} near byte {at}). "
                    "Save it as UTF-8, for example: iconv -f latin1 -t utf-8"
                ) from None
            if "\0" in text:
                raise BadData(
                    f"{path} is not a text table: it has a NUL byte at byte {place + block.find(0)}. If it is UTF-16, "
                    "save it as UTF-8."
                )
            if not block:
                return encoding
            place += len(block)


def _marked(start: bytes) -> str:
    marks = {codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32"}
    marks |= {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
    return next((encoding for mark, encoding in marks.items() if start.startswith(mark)), "utf-8-sig")
