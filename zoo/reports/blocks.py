"""Turns the figures of a section into HTML. Everything in them is escaped."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from zoo.harmless import harmless
from zoo.reports.plots import DRAWN, cut_bars, drawn, label

Figure = Mapping[str, Any]

_IN_TABLE = 20  # classes of a matrix that is a table
_OPEN_ROWS = 30  # of a table; more are behind a click
_CONFUSIONS = 15
_SHORT = 20  # letters


def rendered(figure: Figure) -> Markup:
    """The HTML of a figure; of one of an unknown kind, or that lacks something, a sentence that says so."""
    kind = str(figure.get("kind")) if isinstance(figure, Mapping) else type(figure).__name__
    try:
        if kind in _WRITTEN:
            return _WRITTEN[kind](figure)
        if kind in DRAWN:
            return _framed(figure, drawn(figure), cut_bars(figure) if kind == "bars" else "")
    except Exception as error:  # whatever a stranger's figure leads to
        return Markup("<p class=note>A figure of the kind {} cannot be drawn: {}.</p>").format(
            text(kind), text(f"{type(error).__name__}: {error}")
        )
    return Markup("<p class=note>A figure of the unknown kind {} is left out.</p>").format(text(kind))


def text(value: Any) -> Markup:
    """Text from anywhere, as a page can show it: escaped, and without characters that turn the direction of writing."""
    return escape(harmless(str(value), lines=True))


def number(value: Any, digits: int = 3) -> Markup:
    """A number rounded for people, with all its digits for programs; a dash for what is none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return Markup('<span title="no value">–</span>')
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Markup('<data value="{}">{}</data>').format(repr(value), rounded(value, digits))
    return Markup("<bdi>{}</bdi>").format(text(value))


def rounded(value: float, digits: int = 3) -> str:
    """A number with so many decimals, fewer where it is large, and significant digits where it is tiny.

    >>> rounded(0.80345), rounded(17), rounded(52.6), rounded(1234567.0), rounded(0.0000123)
    ('0.803', '17', '52.60', '1,234,567', '1.23e-05')
    """
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return str(value)
    if value and abs(value) < 10 ** -(digits - 1):
        return f"{value:.{digits}g}"
    places = digits - math.floor(math.log10(abs(value))) if abs(value) >= 1 else digits
    return f"{value:,.{max(0, places)}f}"


def _framed(figure: Figure, content: Markup, more: str = "") -> Markup:
    notes = Markup(" ").join(text(note) for note in (figure.get("note", ""), more) if note)
    note = Markup("<p class=note>{}</p>").format(notes) if notes else ""
    return Markup("<figure><figcaption>{}</figcaption>{}{}</figure>").format(
        text(figure.get("title", "")), content, note
    )


def _text(figure: Figure) -> Markup:
    return Markup("<p>{}</p>").format(text(figure["text"]))


def _facts(figure: Figure) -> Markup:
    rows = Markup("").join(
        Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(text(name), number(value))
        for name, value in figure["facts"].items()
    )
    title = Markup("<h3>{}</h3>").format(text(figure["title"])) if "title" in figure else Markup("")
    return title + Markup("<dl class=facts>{}</dl>").format(rows)


def _table(figure: Figure) -> Markup:
    columns, rows = list(figure["columns"]), list(figure["rows"])
    plain = [
        all(row[place] is None or isinstance(row[place], (int, float)) for row in rows) for place in range(len(columns))
    ]
    head = Markup("").join(
        Markup("<th scope=col{}>{}</th>").format(_right(is_number), text(name))
        for name, is_number in zip(columns, plain, strict=True)
    )
    body = [
        Markup("<tr>{}</tr>").format(
            Markup("").join(
                Markup("<{}{}>{}</{}>").format(
                    tag := _cell(place), _kind(plain[place], cell), number(cell), tag.split()[0]
                )
                for place, cell in enumerate(row)
            )
        )
        for row in rows
    ]
    whole = Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>")
    shown = _scrolled(figure, whole.format(head, Markup("").join(body[:_OPEN_ROWS])))
    if len(body) > _OPEN_ROWS:
        more = Markup("<details><summary>All {} rows</summary>{}</details>")
        shown = _scrolled(figure, whole.format(head, Markup("").join(body[:_OPEN_ROWS]))) + more.format(
            len(body), _scrolled(figure, whole.format(head, Markup("").join(body)))
        )
    return _framed(figure, shown)


def _cell(place: int) -> Markup:
    return Markup("th scope=row") if place == 0 else Markup("td")


def _right(is_number: bool) -> Markup:
    return Markup(" class=number") if is_number else Markup("")


def _kind(is_number: bool, cell: Any) -> Markup:
    """How a cell is set: numbers to the right, and nothing short is broken into lines."""
    short = isinstance(cell, str) and len(cell) <= _SHORT
    return _right(is_number) or Markup(" class=short" if short else "")


def _scrolled(figure: Figure, table: Markup) -> Markup:
    """A table that scrolls in its own box, also by the keyboard."""
    return Markup('<div class=scrolls role=region tabindex=0 aria-label="{}">{}</div>').format(
        text(figure.get("title", "Table")), table
    )


def _matrix(figure: Figure) -> Markup:
    """A table of counts where there is room, else a picture; and what is confused most often."""
    labels, counts = list(figure["labels"]), figure["values"]
    if len(labels) <= _IN_TABLE:
        shown = _scrolled(figure, _counted(labels, counts))
        figure = {"note": "Rows: the true class; columns: the answer. Outlined: right.", **figure}
    else:
        shown = drawn(figure)
        figure = {
            "note": "Rows: the true class; columns: the answer. The darker, the larger the share of the row.",
            **figure,
        }
    return _framed(figure, shown) + _confusions(labels, counts)


def _counted(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> Markup:
    names = Markup("").join(Markup("<th scope=col><span>{}</span></th>").format(label(name)) for name in labels)
    rows = []
    for place, (name, row) in enumerate(zip(labels, counts, strict=True)):
        total = max(sum(row), 1)
        cells = Markup("").join(
            Markup('<td class="{}" style="--share:{:.0f}%">{}</td>').format(
                "right" if column == place else "wrong" if count else "none", 55 * count / total, f"{count:,}"
            )
            for column, count in enumerate(row)
        )
        rows.append(Markup("<tr><th scope=row>{}</th>{}</tr>").format(label(name), cells))
    head = Markup("<tr><td class=corner><span aria-hidden=true>true ↓ given →</span></td>{}</tr>").format(names)
    return Markup("<table class=matrix><thead>{}</thead><tbody>{}</tbody></table>").format(head, Markup("").join(rows))


def _confusions(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> Markup:
    wrong = [
        (int(count), true, given)
        for true, row in zip(labels, counts, strict=True)
        for given, count in zip(labels, row, strict=True)
        if count and true != given
    ]
    if len(labels) < 3 or not wrong:
        return Markup("")
    wrong.sort(key=lambda one: -one[0])
    rows = [[true, given, count] for count, true, given in wrong[:_CONFUSIONS]]
    return _table({"title": "Confused most often", "columns": ["true", "given", "examples"], "rows": rows})


_WRITTEN = {"text": _text, "facts": _facts, "table": _table, "matrix": _matrix}
