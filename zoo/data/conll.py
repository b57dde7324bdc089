"""CoNLL files: one word per line, a blank line between sentences, columns separated by tabs or spaces."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from zoo.data.tables import Row, Table, encoding_of
from zoo.errors import BadData

_LOOKED_AT = 1000  # lines, to find out what the columns are
_NEARLY_ALL = 0.9
_FEW = 4  # lines that show what a column is
_LONGEST = 300  # words of a sentence, if the file has no blank lines
_DOCUMENT = "-DOCSTART-"
_UNSEEN = ("Cc", "Cf", "Zl", "Zp", "Zs")  # white space, and signs without width
_COMMENT = re.compile(r"# *(?:newdoc|newpar|sent_id|sentence|text|id|global\.columns)\b", re.IGNORECASE)
_TAG = re.compile(r"O|[BIESLUM]-\S+")
_NUMBER = re.compile(r"\d+")
_OF_CONLLU = 10  # columns
_RANGE = re.compile(r"\d+[-.]\d+")  # of CoNLL-U: several words in one (1-2), or a word that is not there (8.1)
_OF_WORDS = {"token", "tokens", "word", "words", "form"}
_OF_TAGS = {"tag", "tags", "ner", "ner_tag", "ner_tags", "pos", "pos_tag", "pos_tags", "upos", "label", "labels"}
_OF_TAGS |= {"iob", "bio", "entity", "entities"}
_OF_OTHERS = {"id", "index", "lemma", "chunk", "chunk_tag", "xpos", "feats", "head", "deprel", "deps", "misc"}


class Conll(Table):
    """A row is a sentence, with lists of `tokens` (the first column), `tags` (the last), and the columns in between as
    `2`, `3`, ... Any space but tab and the ordinary one is part of a word."""

    def __init__(self, path: Path) -> None:
        self._encoding = encoding_of(path)
        with path.open(encoding=self._encoding, newline="\n") as file:
            looked = [line.rstrip("\n") for line, _ in zip(file, range(_LOOKED_AT), strict=False)]
        lines = [line for line in looked if not _is_blank(line)]
        tabs = sum("\t" in line for line in lines) * 2 > len(lines)
        self._between = re.compile("\t" if tabs else "[ \t]+")
        widths = Counter(len(self._cells(line)) for line in lines if not _COMMENT.match(line))
        self._width = widths.most_common(1)[0][0] if widths else 0
        if self._width < 2:
            first = f": {lines[0].strip()!r} is no such line" if lines else ""
            raise BadData(f"{path} has no lines with a word and its tag{first}.")
        names = ["tokens", *(str(place) for place in range(2, self._width)), "tags"]
        super().__init__(path, names, f"CoNLL separated by {'tabs' if tabs else 'spaces'}")
        self._look(looked)

    def _look(self, lines: Sequence[str]) -> None:
        """Find out what the columns are: `_head`, a line that names them, `_tags`, `_counts`, `_tags_first`."""
        rows = [cells for line in lines if len(cells := self._cells(line)) == self._width and not _COMMENT.match(line)]
        self._head = rows[0] if rows and _names_columns(rows[0], [row[-1] for row in rows[1:]]) else None
        rows = rows[self._head is not None :]
        self._example = rows[0][0] if rows else ""
        self._tags = {"O", *(row[-1] for row in rows if not row[0].startswith("#"))}
        first, last = [row[0] for row in rows], [row[-1] for row in rows]
        enough = len(rows) >= _FEW
        tags = enough and any("-" in cell for cell in first) and _share(map(_is_tag, first)) >= _NEARLY_ALL
        self._tags_first = tags and _share(map(_is_tag, last)) <= 1 - _NEARLY_ALL
        self._counts = enough and _share(map(_goes_on, ["", *first[:-1]], first)) >= _NEARLY_ALL

    def rows(self, columns: Sequence[str]) -> Iterator[Row]:
        """The sentences; raises `BadData` where the first column is asked for as words, but holds something else."""
        if columns and columns[0] == "tokens":
            trained = len(columns) > 1
            if self._tags_first:
                way = "--input tags --target tokens" if trained else "--input tags"
                raise BadData(
                    f"{self.path}: the first column has tags such as {self._example!r}, and the last one words. Say "
                    f"so: {way} (they are the names of the last and the first column)."
                )
            if self._counts:
                raise BadData(self._without_numbers(trained))
        return super().rows(columns)

    def _without_numbers(self, trained: bool) -> str:
        """What to say if the first column has running numbers."""
        numbers = f"{self.path}: the first column has running numbers"
        if self._width == _OF_CONLLU:
            what = "words and their parts of speech: --input 2 --target 4" if trained else "words: --input 2"
            return f"{numbers}, as in CoNLL-U. For {what}"
        names = self.names[1:]
        target = f" --target {names[-1]}" if trained and len(names) > 1 else ""
        return f"{numbers}. Name the columns, as in --input {names[0]}{target}. There are: {', '.join(names)}"

    def _cells(self, line: str) -> list[str]:
        return self._between.split(line.strip(" \t\r"))

    def _is_comment(self, line: str, cells: list[str]) -> bool:
        """Whether a line with # at the start of a sentence is none of its words: "# O" is a word, with a tag."""
        if len(cells) != self._width or _COMMENT.match(line):
            return True
        return not cells[0].strip("#") and cells[-1] not in self._tags

    def _read(self, places: Sequence[int]) -> Iterator[Row]:
        sentence: list[list[str]] = []
        comments = ranges = words = 0
        blanks = parted = False
        head = self._head
        with self.path.open(encoding=self._encoding, newline="\n") as file:
            for number, line in enumerate(file, start=1):
                line = line.rstrip("\n")
                blank = _is_blank(line)
                cells = [] if blank else self._cells(line)
                if not sentence and line.startswith("#") and self._is_comment(line, cells):
                    comments += 1
                elif head and cells == head:
                    self._note(f"line {number} names the columns ({' '.join(head)}), and is no word")
                    head = None
                elif blank and sentence:
                    blanks = not line.startswith(_DOCUMENT)
                    yield tuple([cells[place] for cells in sentence] for place in places)
                    sentence = []
                elif self._counts and len(cells) == self._width and _RANGE.fullmatch(cells[0]):
                    ranges += 1
                elif len(cells) == self._width:
                    parted = parted or blanks
                    sentence.append(cells)
                    words = max(words, len(sentence))
                elif not blank:
                    raise BadData(
                        f"{self.path}, line {number}: {line.strip()!r} does not have {self._width} columns like the "
                        "lines before it."
                    )
        if words > _LONGEST and not parted:
            raise BadData(
                f"{self.path} has no blank lines between sentences, so {words} words would be one sentence. Put a "
                "blank line after each sentence."
            )
        if sentence:
            yield tuple([cells[place] for cells in sentence] for place in places)
        if comments:
            self._note(f"lines that begin with # and are comments: {comments}")
        if ranges:
            self._note(f"{ranges} lines with a number such as 1-2 or 8.1 stand for no word of their own")


def _is_blank(line: str) -> bool:
    """Whether a line ends a sentence: there is nothing in it, or only signs that are not seen."""
    return line.startswith(_DOCUMENT) or not any(unicodedata.category(c) not in _UNSEEN for c in line)


def _is_tag(cell: str) -> bool:
    return _TAG.fullmatch(cell) is not None


def _names_columns(cells: Sequence[str], last: Sequence[str]) -> bool:
    """Whether a first line has names of columns, and not a word whose tag occurs again in the `last` column."""
    names = {cell.strip().lower() for cell in cells}
    known = names <= _OF_WORDS | _OF_TAGS | _OF_OTHERS
    return known and bool(names & _OF_WORDS) and bool(names & _OF_TAGS) and cells[-1] not in last


def _goes_on(before: str, cell: str) -> bool:
    """Whether a cell is the number after the one before, or the same, or begins to count."""
    numbers = [_NUMBER.match(text) for text in (before, cell)]
    if numbers[1] is None or not (numbers[1][0] == cell or _RANGE.fullmatch(cell)):
        return False
    return int(numbers[1][0]) < 2 or (numbers[0] is not None and 0 <= int(numbers[1][0]) - int(numbers[0][0]) <= 1)


def _share(found: Iterable[bool]) -> float:
    values = list(found)
    return sum(values) / max(len(values), 1)
