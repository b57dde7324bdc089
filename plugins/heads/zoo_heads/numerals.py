"""Numbers in the cells of a table: plain ones are read, others are left out, or asked for where there is a doubt."""

import re
import unicodedata
from collections.abc import Sequence

import zoo

MARKS = (".", ",")  # the decimal marks
LARGEST, SMALLEST = 1e30, 1e-30  # the size of targets: metrics are shown as float32

_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_BLANKS = " _'’\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}"
_WITH_MARKS = re.compile(rf"[+-]?[\d.,][\d.,{_BLANKS}]*(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_WITH_MORE = re.compile(rf"[^\d]{{0,8}}(?:[\d.,][\d.,{_BLANKS}]*)?\d[.,]?(?:e[+-]?\d+)?[^\d]{{0,8}}", re.ASCII)
_THREE_DECIMALS = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_NOTHING = {"", "na", "n/a", "n.a.", "n.a", "<na>", "nan", "nat", "nil", "null", "none", "missing", "unknown"}
_NOTHING |= {"?", ".", "-", "--", "---", "–", "—", "\\n"}
_NOTHING |= {"#n/a", "#na", "#value!", "#div/0!", "#num!", "#ref!", "#null!", "#name?"}  # of spreadsheets
_INFINITE = re.compile(r"[+-]?(?:inf|infinity|∞)", re.IGNORECASE)


class NotANumber(zoo.BadData):
    """A text that is no number, nor the usual sign for a missing one."""


def number(text: str, mark: str = "") -> float:
    """The number in a text, with the decimal mark `mark`; "": only plain numbers are certain, with a point.

    Raises `BadData` if there is none (`NotANumber` if there is something else), and `ZooError` if there is a doubt.

    >>> number("-1.5e3"), number("1.234,5", ","), number("1 234.5", ".")
    (-1500.0, 1234.5, 1234.5)
    """
    written = _usual(text)
    if written.casefold() in _NOTHING:
        raise zoo.BadData(f"the target {text!r} stands for no number")
    if _INFINITE.fullmatch(written):
        raise zoo.BadData(f"the target {text!r} is not finite")
    value = _reading(written, mark) if mark else float(written) if _PLAIN.fullmatch(written) else None
    if value is None:
        _explain(text, written, mark)
        raise NotANumber(f"the target {text!r} is not a number")
    if abs(value) > LARGEST:
        raise zoo.ZooError(f"the target {text!r} is too large to compute with. Use another unit.")
    return value


def decimals(text: str, mark: str = "") -> int:
    """How many digits a number has after the decimal mark, without zeros at the end.

    >>> decimals("3.50"), decimals("1.5e-3"), decimals("1700000000")
    (1, 4, 0)
    """
    digits, _, power = _usual(text).lower().partition("e")
    fraction = digits.partition(mark or ".")[2].rstrip("0")
    return max(0, len(fraction) - int(power or 0))


def thousands(texts: Sequence[str]) -> str:
    """A plain number whose point may separate thousands, because no number has anything else after a point; or "".

    >>> thousands(["950", "1.200", "12.500"]), thousands(["950", "1.200", "12.5"])
    ('1.200', '')
    """
    pointed = [text for text in texts if "." in text]
    if not pointed or not all(_THREE_DECIMALS.fullmatch(_usual(text)) for text in pointed):
        return ""
    whole = [text for text in texts if "." not in text]
    small = all(_WHOLE.fullmatch(_usual(text)) and abs(int(_usual(text))) < 1000 for text in whole)
    return pointed[0] if small and (whole or all(text.rstrip().endswith("0") for text in pointed)) else ""


def _usual(text: str) -> str:
    """The text without blanks around it, with ASCII digits and signs."""
    stripped = text.strip().replace("\N{MINUS SIGN}", "-")
    if stripped.isascii():
        return stripped
    return "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in stripped)


def _reading(written: str, mark: str) -> float | None:
    """The number if `mark` is its decimal mark, and groups of digits are separated by the other one or by blanks."""
    others = "".join(other for other in MARKS if other != mark) + _BLANKS
    point = re.escape(mark)
    whole = rf"(?:\d+|[1-9]\d{{0,2}}(?P<by>[{others}])(?:\d{{2,3}}(?P=by))*\d{{3}})"
    form = rf"(?P<sign>[+-]?)(?P<whole>{whole})?(?:{point}(?P<rest>\d*))?(?P<power>e[+-]?\d+)?"
    match = re.fullmatch(form, written, re.ASCII | re.IGNORECASE)
    if match is None or not (match["whole"] or match["rest"]):
        return None
    digits = re.sub(r"\D", "", match["whole"] or "")
    return float(f"{match['sign']}{digits or 0}.{match['rest'] or 0}{match['power'] or ''}")


def _explain(text: str, written: str, mark: str) -> None:
    """Raise `ZooError` for a text that may be a number, if one knew how it is meant."""
    if _WITH_MARKS.fullmatch(written):
        if mark:
            raise zoo.ZooError(f"the target {text!r} is not a number with the decimal mark {mark!r} (--set decimal).")
        readings = {mark: value for mark in MARKS if (value := _reading(written, mark)) is not None}
        if readings:
            said = ", and ".join(f"with --set decimal={mark} it is {value:.15g}" for mark, value in readings.items())
            raise zoo.ZooError(f"the target {text!r} is not a plain number: {said}. Set it, or write plain numbers.")
    elif _WITH_MORE.fullmatch(written):
        raise zoo.ZooError(
            f"the target {text!r} is not a number alone. Write only the number, all in the same unit, or name another "
            "column with --target."
        )
