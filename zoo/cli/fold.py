"""Folding the texts of a table, so that it fits onto a narrow terminal and nothing is cut off."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NARROW = (12, 10, 8, 6, 4)  # the longest pieces of words, tried one after the other, if whole words do not fit
_TRIED = 100  # cells of a column, the longest ones, that decide how narrow it can be
_WORD = re.compile(r"[^ _/-]+[_/-]?")


def narrowed_to(
    columns: Sequence[Sequence[str]], widths: Sequence[int], foldable: Sequence[bool], room: int
) -> list[int]:
    """Widths for columns of texts that fit into `room`: if possible without breaking words, and for the fewest lines.

    widths    of the columns as they are
    foldable  which of them may become narrower
    room      for all columns together; where it is less than the narrowest widths need, they exceed it
    """
    longest = [sorted(set(column), key=len)[-_TRIED:] for column in columns]
    words = [max(len(word) for cell in cells for word in _WORD.findall(cell) or [""]) for cells in longest]
    for narrowest in (words, *([min(width, word) for word in words] for width in _NARROW)):
        narrowed = [*widths]
        for most in range(2, max(widths) + 1):
            for number, fold in enumerate(foldable):
                if fold:
                    narrowed[number] = _least(longest[number], narrowed[number], narrowest[number], most)
            if sum(narrowed) <= room:
                return _widened(narrowed, widths, room)
    return narrowed


def _least(cells: Sequence[str], width: int, narrowest: int, most: int) -> int:
    """The least width from `narrowest` to `width` at which no cell takes more than `most` lines."""
    while width > narrowest and all(len(folded(cell, width - 1)) <= most for cell in cells):
        width -= 1
    return width


def _widened(narrowed: list[int], widths: Sequence[int], room: int) -> list[int]:
    """The same with the rest of the room, which goes to the columns that lost most."""
    for number in sorted(range(len(widths)), key=lambda number: narrowed[number] - widths[number]):
        narrowed[number] += min(widths[number] - narrowed[number], room - sum(narrowed))
    return narrowed


def folded(text: str, width: int) -> list[str]:
    """The text in pieces of at most this width: broken at a space, after "_", "-" or "/", or else anywhere."""
    pieces, width = [], max(1, width)
    while len(text) > width:
        end = max(text.rfind(" ", 0, width + 1), *(text.rfind(sign, 0, width) + 1 for sign in "_-/"))
        end = end if end > 0 else width
        pieces.append(text[:end].rstrip())
        text = text[end:].lstrip()
    return [*pieces, text]


def hanging(text: str, first: int, rest: int) -> tuple[str, list[str]]:
    """The text in a piece of at most `first` columns and others of at most `rest`; words stay whole if they fit."""
    lines: list[str] = []
    line, width = "", first
    for word in text.split():
        if (line and len(line) + 1 + len(word) > width) or (not line and not lines and len(word) > width):
            lines.append(line)
            line, width = "", rest
        *pieces, line = folded(f"{line} {word}".lstrip(), width)
        if pieces:
            lines += pieces
            width = rest
    first_line, *others = [*lines, line]
    return first_line, others
