"""Texts: reads files and cells as strings, pairs of strings, and words."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from zoo.data.cells import is_missing, list_of, plain
from zoo.data.reader import Form, Reader, Shown, digest
from zoo.data.words import words_in
from zoo.errors import BadData, ZooError

_SHOWN = 60  # letters of a cell in a message
_SEPARATORS = (",", "|", ";", "/")  # between tags of a cell that has no spaces
_BARE_WORDS = re.compile(r"[\[{]\s*[^\s,]+(?:,\s*[^\s,]*)+[\]}]")  # commas follow words without a space
_BARE_TAGS = re.compile(r"[\[{](?:[^\[\]{}]*[,;|][^\[\]{}]*|(?=\S)[^\[\]{}]*\s[^\[\]{}]*(?<=\S))[\]}]")


class Texts(Reader):
    """Strings; a pair is two strings, and words are a string in which white space separates them."""

    unit = "texts"
    dtype = "string"
    suffixes = (".txt",)
    in_memory = True
    together = True

    @functools.cached_property
    def forms(self) -> Mapping[str, Form]:
        return {
            "single": Form(("text",), "label", lambda cells, _: plain(cells[0]), from_text=str),
            "pair": Form(("text", "text_b"), "label", lambda cells, _: tuple(map(plain, cells)), folders=False),
            "words": Form(("tokens",), "tags", _words_of_cell, from_text=split_words, folders=False),
        }

    def decode(self, file: BinaryIO, wanted: Any = None) -> str:
        """The text of a UTF-8 file, with or without a byte order mark."""
        try:
            return self.checked(file.read().decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise BadData(f"not UTF-8 text (byte 0x{error.object[error.start]:02x} at {error.start})") from None

    def checked(self, value: Any) -> str:
        if not isinstance(value, str):
            raise BadData(f"not a text but {type(value).__name__}")
        if not value.strip():
            raise BadData("empty text")
        return value

    def fingerprint(self, value: str | tuple[str, str]) -> str:
        return digest(repr(value).encode("utf-8", "surrogatepass"))

    def length(self, raw: str | tuple[str, str]) -> int:
        return len(raw) if isinstance(raw, str) else sum(map(len, raw))

    def sizes(self, raw: str | tuple[str, str]) -> Mapping[str, float]:
        value = self.read(raw)
        parts = value if isinstance(value, tuple) else (value,)
        return {"words": sum(len(words_of(part)) for part in parts)}

    def samples(self, count: int) -> list[str]:
        fixed = [
            "The quick brown fox, 1234.5 times; naïve Ångström & 日本語!",
            "A short text.",
            "Zoo keepers feed the seals at three; the penguins come later, or not at all.",
            "x",
        ]
        return [*fixed, *(f"Text number {number}." for number in range(len(fixed), count))][:count]

    def show(self, value: str | tuple[str, str]) -> Shown:
        text = value if isinstance(value, str) else "\n".join(value)
        return Shown("text/plain", text.encode("utf-8", "replace"))


def words_of(text: str) -> list[str]:
    """The words of a text, separated at ASCII white space as `tf.strings.split` does."""
    return re.findall(r"[^ \t\n\v\f\r]+", text)


def join_words(words: Sequence[str]) -> str:
    """A text that `words_of` splits into these words again; white space inside a word becomes a no-break space."""
    return " ".join(re.sub(r"[ \t\n\v\f\r]", "\N{NO-BREAK SPACE}", word) for word in words)


def as_words(cell: object) -> tuple[str, ...]:
    """The words in a cell of a table: a list, also as text, or a text in which ASCII white space separates them."""
    words = list_of(cell)
    if _has_missing(cell):
        raise BadData("a missing word")
    if words is None and _BARE_WORDS.fullmatch(str(cell).strip()):
        raise BadData(
            f"{_start(cell)} looks like a list, but its words are not in quotes. Write them as in ['red', 'house'], or "
            "with spaces between them and without brackets"
        )
    return tuple(words_of(plain(cell)) if words is None else words)


def tags_of_words(cells: Sequence[Any], raw: str) -> tuple[str, ...]:
    """The tags in the cell of a table, one for each word of `raw`.

    Raises `BadData` if a tag is missing or their numbers differ, and `ZooError` for a cell whose tags are in doubt.
    """
    cell, count = cells[0], len(words_of(raw))
    if list_of(cell) is None and _BARE_TAGS.fullmatch(str(cell).strip()):
        raise ZooError(
            f"{_start(cell)} looks like a list, but its tags are not in quotes. Write them as in ['NN', 'VB'], or with "
            "spaces between them and without brackets"
        )
    if _has_missing(cell) or "" in (tags := as_words(cell)):
        raise BadData("a missing tag")
    if len(tags) != count:
        by = next((by for by in _SEPARATORS if len(tags) == 1 and len(tags[0].split(by)) == count), "")
        if by:
            raise ZooError(
                f"{count} words, but one tag, {_start(tags[0])}, which seems to be {count} tags with {by!r} between "
                "them. Write spaces between tags, or lists"
            )
        raise BadData(f"{count} words, but {len(tags)} tags")
    return tags


def _has_missing(cell: object) -> bool:
    return isinstance(cell, (list, tuple)) and any(map(is_missing, cell))


def _start(cell: object) -> str:
    text = str(cell).strip()
    return repr(text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…")


def split_words(text: str) -> str:
    """An ordinary text, with spaces put between its words and punctuation marks."""
    return join_words(words_in(text))


def _words_of_cell(cells: Sequence[Any], folder: Path) -> str:
    words = as_words(cells[0])
    if "" in words:
        raise BadData("an empty word")
    return join_words(words)
