"""Cells of a table as text, or as lists where something wants lists."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

from zoo.errors import BadData

_PART = re.compile(
    r"""'(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" | [-+]?\d[\w.+-]* | (?:True|False|None|true|false|null)\b""",
    re.VERBOSE | re.DOTALL,
)
_BARE = {"True": "true", "False": "false", "None": "", "null": ""}
_NOT_WORDS = {True: "true", False: "false", None: ""}
_ARRAY = re.compile(r"array\((?P<list>\[.*\])(?:,\s*dtype=.+)?\)", re.DOTALL)


def plain(cell: Any) -> str:
    """The text of a cell that holds a text or a number; raises `BadData` for anything else."""
    for kind, word in ((bytes, "bytes"), (list, "a list"), (dict, "an object")):
        if isinstance(cell, kind):
            raise BadData(f"{word}, where a text or a number was expected")
    return str(cell)


def list_of(cell: Any) -> list[str] | None:
    """The parts of a cell that is a list, or a text that is a list as JSON, Python or NumPy print it; otherwise None.

    Raises `BadData` for a list that NumPy has cut short in printing, or whose parts are not texts or numbers.

    >>> list_of("['EU', \\"Germany's\\"]"), list_of("['EU' 'rejects']"), list_of("[1, 0]"), list_of("[sic]")
    (['EU', "Germany's"], ['EU', 'rejects'], ['1', '0'], None)
    """
    if isinstance(cell, (list, tuple)):
        return [plain(part) for part in cell]
    if not isinstance(cell, str):
        return None
    text = cell.strip()
    if match := _ARRAY.fullmatch(text):
        text = match["list"]
    if (text[:1], text[-1:]) not in (("[", "]"), ("(", ")"), ("{", "}")):
        return None
    if (parts := _as_json(text)) is not None:
        return parts
    body = text[1:-1]
    between = _PART.sub("\0", body)
    if re.search(r"\0[\s,]*\.\.\.", between):
        raise BadData("a list that was cut short when it was printed ('...'), so its middle is lost")
    if re.fullmatch(r"\s*(?:\0\s*,\s*)*\0?\s*|\s*(?:\0\s+)*\0\s*", between) is None:
        return None
    return [_part(part) for part in _PART.findall(body)]


def _as_json(text: str) -> list[str] | None:
    try:
        parts = json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None
    if not isinstance(parts, list) or any(isinstance(part, (list, dict)) for part in parts):
        return None
    return [part if isinstance(part, str) else _NOT_WORDS[part] for part in parts]


def _part(written: str) -> str:
    if written[0] in "'\"":
        try:
            return str(ast.literal_eval(written))
        except (ValueError, SyntaxError):  # an unknown escape, or a line break inside
            return written[1:-1]
    return _BARE.get(written, written)
