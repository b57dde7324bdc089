"""Tables on disk (CSV, TSV, JSONL, Parquet, CoNLL) as named columns."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Any

from zoo.errors import BadData
from zoo.places import is_local

CONLL = (".conll", ".bio", ".iob")
TABLES = (".csv", ".tsv", ".jsonl", ".parquet", *CONLL)

Columns = dict[str, list[Any]]


def read_columns(path: Path) -> Columns:
    """The columns of a table by name, with one value for each row; cells of CSV and TSV stay strings, as written.

    CoNLL (one word per line, a blank line between sentences, columns separated by white space): a row is a sentence,
    with lists of `tokens` (the first column), `tags` (the last), and the columns in between as `2`, `3`, ...
    Raises `BadData` for a file that cannot be read, is not UTF-8, or has two columns with the same name.
    """
    suffix = path.suffix.lower()
    if suffix != ".parquet":
        _refuse_other_encodings(path)
    return _read_conll(path) if suffix in CONLL else _read_arrow(path, suffix)


def column(columns: Columns, name: str, option: str, path: Path) -> list[Any]:
    """One column; raises `BadData` with the names of the others if it is missing."""
    if name not in columns:
        known = ", ".join(known if known == known.strip() != "" else repr(known) for known in columns)
        raise BadData(f"{path} has no column {name!r}. It has {known}. Name one with {option}.")
    return columns[name]


def _read_arrow(path: Path, suffix: str) -> Columns:
    import pyarrow
    from pyarrow import csv, json, parquet

    source = path if is_local(path) else path.open("rb")
    try:
        if suffix == ".parquet":
            table = parquet.read_table(source)
        elif suffix == ".jsonl":
            content = path.read_bytes()
            table = json.read_json(pyarrow.BufferReader(content.removeprefix(codecs.BOM_UTF8)))
        else:
            parse = csv.ParseOptions(delimiter="\t" if suffix == ".tsv" else ",", newlines_in_values=True)
            with csv.open_csv(source, parse_options=parse) as reader:
                names = reader.schema.names
            as_written = csv.ConvertOptions(
                column_types=dict.fromkeys(names, pyarrow.string()), strings_can_be_null=False, null_values=[]
            )
            source = path if is_local(path) else path.open("rb")
            table = csv.read_csv(source, parse_options=parse, convert_options=as_written)
    except (pyarrow.ArrowException, OSError) as error:
        raise BadData(f"{path} cannot be read as a {suffix[1:].upper()} table: {str(error).splitlines()[0]}") from None
    if len(set(table.column_names)) != table.num_columns:
        raise BadData(f"{path} has two columns with the same name: {', '.join(table.column_names)}. Rename one.")
    return {name: table.column(name).to_pylist() for name in table.column_names}


def _read_conll(path: Path) -> Columns:
    sentences: list[list[list[str]]] = [[]]
    width = 0
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").split("\n"), start=1):
        cells = line.split()
        if not cells or cells[0] == "-DOCSTART-":
            sentences.append([])
            continue
        width = width or len(cells)
        if len(cells) != width or width < 2:
            wanted = f"{width} columns like the lines before it" if width > 1 else "a word and its tag"
            raise BadData(f"{path}, line {number}: {line.strip()!r} does not have {wanted}.")
        sentences[-1].append(cells)
    names = ["tokens", *(str(place) for place in range(2, width)), "tags"]
    by_column = [list(zip(*sentence, strict=True)) for sentence in sentences if sentence]
    return {name: [list(sentence[place]) for sentence in by_column] for place, name in enumerate(names)}


def _refuse_other_encodings(path: Path) -> None:
    """Raise `BadData` at the first byte that is not UTF-8; a byte order mark at the start is allowed."""
    decoder, place = codecs.getincrementaldecoder("utf-8")(), 0
    try:
        with path.open("rb") as file:
            while True:
                block = file.read(1 << 20)
                try:
                    decoder.decode(block, final=not block)
                except UnicodeDecodeError as error:
                    utf16 = place == 0 and block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
                    likely = "utf-16" if utf16 else "latin1"
                    raise BadData(
                        f"{path} is not UTF-8 text (byte 0x{error.object[error.start]:02x} near byte "
                        f"{place + error.start}). Save it as UTF-8, for example: iconv -f {likely} -t utf-8"
                    ) from None
                if (nul := block.find(0)) >= 0:
                    raise BadData(f"{path} is not a text table: it has a NUL byte at byte {place + nul}.")
                if not block:
                    return
                place += len(block)
    except OSError as error:
        raise BadData(f"{path} cannot be read: {error.strerror}.") from None
