"""From the bytes of a file to a text, and from a text to its words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from zoo.errors import BadData


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, with or without a mark (BOM) at its start.

    Raises `BadData` with the reason where the file is not one, or holds nothing but white space.
    """
    if path.suffix.lower() != ".txt":
        raise BadData("not a .txt file")
    if path.exists() and not path.is_file():
        raise BadData("not a file")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadData(f"not UTF-8 text (byte 0x{error.object[error.start]:02x} at {error.start})") from None
    except OSError as error:
        raise BadData(f"cannot be read: {error.strerror or error}") from None
    if not text.strip():
        raise BadData("empty text")
    return text


def words_of(text: str) -> list[str]:
    """What stands between the ASCII white space of a text, as `tf.strings.split` parts it."""
    return re.findall(r"[^ \t\n\v\f\r]+", text)


def join_words(words: Sequence[str]) -> str:
    """A text out of which `words_of` gets the words again; white space inside of one becomes a no-break space."""
    return " ".join(re.sub(r"[ \t\n\v\f\r]", "\N{NO-BREAK SPACE}", word) for word in words)


def as_words(cell: object) -> tuple[str, ...]:
    """The words in a cell of a table: a list of them, or a text, at whose white space it is parted."""
    return tuple(str(word) for word in cell) if isinstance(cell, (list, tuple)) else tuple(str(cell).split())


def part_words(text: str) -> str:
    """A text as people write it, with spaces between its words and punctuation marks."""
    return join_words(re.findall(r"\w+(?:[-'’.]\w+)*|[^\w\s]", text))
