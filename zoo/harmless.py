"""Text from anywhere, such as names of files, classes and plugins, so that no terminal and no spreadsheet obeys it."""

from __future__ import annotations

import re
from typing import Any

# Control characters, which begin the sequences that terminals obey, separators of lines, and what turns the direction
# of writing, so that a text looks like another one. Joiners stay: emoji and several scripts are written with them.
_OBEYED = r"\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
_IN_A_LINE = re.compile(f"[{_OBEYED}]")
_IN_LINES = re.compile(f"(?![\n\t])[{_OBEYED}]")


def harmless(text: str, lines: bool = False) -> str:
    r"""The text with each character escaped that a terminal would obey; with `lines`, new lines and tabs stay.

    >>> harmless("\x1b]0;mine\x07 gpj.\u202egnp")
    '\\x1b]0;mine\\x07 gpj.\\u202egnp'
    """
    return (_IN_LINES if lines else _IN_A_LINE).sub(_escaped, text)


def harmless_json(text: str) -> str:
    """A JSON document that means the same, in which nothing is left that a terminal would obey."""
    return _IN_LINES.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # a spreadsheet computes what begins so
_NUMBER = re.compile(r"[+-](?:[0-9]+(?:[.,][0-9]+)*|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?\s?%?")


def uncomputed(cell: Any) -> Any:
    """A cell of a table; a text that is neither a number nor a single sign, but begins like a formula, is quoted."""
    if isinstance(cell, str) and len(cell) > 1 and cell.startswith(_FORMULA) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell
