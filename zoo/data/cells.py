"""Cells of a table as text, or as lists where something wants lists."""

from __future__ import annotations

import ast
import json
import math
import re
from typing import Any

from zoo.errors import BadData

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.+-])"
_TEXT = r"""[uU]?'(?:[^'\\]|\\.)*' | [uU]?"(?:[^"\\]|\\.)*" """
_VALUE = rf"{_TEXT} | {_NUMBER} | (?:True|False|None|true|false|null|nan)\b"
_NUMPY = r"(?:np|numpy)\.(?:str_|bool_?|u?int\d*|float\d*)"  # as NumPy 2 prints values: np.str_('EU'), np.True_
_PART = re.compile(
    rf"{_NUMPY}\(\s*(?:{_VALUE})\s*\) | (?:np|numpy)\.(?:True|False)_ | {_VALUE}", re.VERBOSE | re.DOTALL
)
_AROUND = re.compile(rf"{_NUMPY}\((?P<value>.*)\)", re.DOTALL)
_BARE = {"True": "true", "False": "false", "None": "", "null": "", "nan": ""}
_NOT_WORDS = {True: "true", False: "false", None: ""}
_CALL = re.compile(
    r"(?:array|list|tuple|set|frozenset)\((?P<list>\[.*\]|\{.*\}|\(.*\))(?:,\s*dtype=.+)?\)|(?:set|frozenset)\(\)",
    re.DOTALL,
)


def plain(cell: Any) -> str:
    """The text of a cell that holds a text or a number; raises `BadData` for anything else."""
    for kind, word in ((bytes, "bytes"), (list, "a list"), (dict, "an object")):
        if isinstance(cell, kind):
            raise BadData(f"{word}, where a text or a number was expected")
    return str(cell)


def list_of(cell: Any) -> list[str] | None:
    """The parts of a cell that is a list, or a text that is a list as JSON, Python or NumPy print it; otherwise None.

    A set is a list, too. A part that is missing is "".

    Raises `BadData` for a list that NumPy has cut short in printing, or whose parts are not texts or numbers.

    >>> list_of("['EU', \\"Germany's\\"]"), list_of("['EU' 'rejects']"), list_of("[1, 0]"), list_of("[sic]")
    (['EU', "Germany's"], ['EU', 'rejects'], ['1', '0'], None)
    """
    if isinstance(cell, (list, tuple)):
        return ["" if is_missing(part) else plain(part) for part in cell]
    if not isinstance(cell, str):
        return None
    text = cell.strip()
    if match := _CALL.fullmatch(text):
        text = match["list"] or "[]"
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


def is_missing(part: Any) -> bool:
    """Whether a part of a list is null, or not a number (NaN)."""
    return part is None or (isinstance(part, float) and math.isnan(part))


def _as_json(text: str) -> list[str] | None:
    try:
        parts = json.loads(text, parse_int=str, parse_float=str, parse_constant=_constant)
    except (ValueError, RecursionError):
        return None
    if not isinstance(parts, list) or any(isinstance(part, (list, dict)) for part in parts):
        return None
    return [part if isinstance(part, str) else _NOT_WORDS[part] for part in parts]


def _constant(name: str) -> str:
    return "" if name == "NaN" else name


def _part(written: str) -> str:
    if match := _AROUND.fullmatch(written):
        written = match["value"].strip()
    elif written.endswith("_") and "." in written:  # np.True_
        written = written.partition(".")[2].rstrip("_")
    if written[-1] in "'\"":
        try:
            return str(ast.literal_eval(written))
        except (ValueError, SyntaxError):  # an unknown escape, or a line break inside
            return written.lstrip("uU")[1:-1]
    return _BARE.get(written, written)
