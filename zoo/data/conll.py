"""CoNLL files: one word per line, a blank line between sentences, columns separated by tabs or spaces."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from zoo.data.tables import Row, Table, encoding_of
from zoo.errors import BadData

_LOOKED_AT = 1000  # lines, to find out what separates the columns
_COMMENT = re.compile(r"# *(?:newdoc|newpar|sent_id|sentence|text|id|global\.columns)\b", re.IGNORECASE)


class Conll(Table):
    """A row is a sentence, with lists of `tokens` (the first column), `tags` (the last), and the columns in between as
    `2`, `3`, ... Any space but tab and the ordinary one is part of a word."""

    def __init__(self, path: Path) -> None:
        self._encoding = encoding_of(path)
        with path.open(encoding=self._encoding) as file:
            lines = [line.rstrip("\n") for line, _ in zip(file, range(_LOOKED_AT), strict=False) if line.strip()]
        lines = [line for line in lines if not line.startswith("-DOCSTART-")]
        tabs = sum("\t" in line for line in lines) * 2 > len(lines)
        self._between = re.compile("\t" if tabs else "[ \t]+")
        widths = Counter(len(self._cells(line)) for line in lines if not _COMMENT.match(line))
        self._width = widths.most_common(1)[0][0] if widths else 0
        if self._width < 2:
            first = f": {lines[0].strip()!r} is no such line" if lines else ""
            raise BadData(f"{path} has no lines with a word and its tag{first}.")
        names = ["tokens", *(str(place) for place in range(2, self._width)), "tags"]
        super().__init__(path, names, f"CoNLL separated by {'tabs' if tabs else 'spaces'}")

    def _cells(self, line: str) -> list[str]:
        return self._between.split(line.strip(" \t\r"))

    def _is_comment(self, line: str, cells: list[str]) -> bool:
        """Whether a line at the start of a sentence is none of its words: "# O" is a word, with a tag."""
        return len(cells) != self._width or _COMMENT.match(line) is not None

    def _read(self, places: Sequence[int]) -> Iterator[Row]:
        sentence: list[list[str]] = []
        comments = 0
        with self.path.open(encoding=self._encoding, newline="\n") as file:
            for number, line in enumerate(file, start=1):
                line = line.rstrip("\n")
                blank = not line.strip(" \t\r") or line.startswith("-DOCSTART-")
                cells = [] if blank else self._cells(line)
                if not sentence and line.startswith("# ") and self._is_comment(line, cells):
                    comments += 1
                    continue
                if blank and sentence:
                    yield tuple([cells[place] for cells in sentence] for place in places)
                    sentence = []
                elif len(cells) == self._width:
                    sentence.append(cells)
                elif not blank:
                    raise BadData(
                        f"{self.path}, line {number}: {line.strip()!r} does not have {self._width} columns like the "
                        "lines before it."
                    )
        if sentence:
            yield tuple([cells[place] for cells in sentence] for place in places)
        if comments:
            self._note(f"{comments} lines that begin with # are comments")
