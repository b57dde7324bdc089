"""Draws figures as SVG that stands inside of a page, and takes its colours from there."""

from __future__ import annotations

import html
import io
import re
import textwrap
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from zoo.filters import filtered
from zoo.harmless import harmless

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Figure = Mapping[str, Any]

_WIDTH = 6.4  # inches, of 72 units
_ROW = 0.26  # inches for each bar
_LABEL = 26  # letters
_MOST_BARS = 40
_MOST_POINTS = 5_000
# Colours that are in the page's style instead, as light and dark pages need others; the left ones mean nothing.
_INK, _GRID = "#010203", "#040506"
_SERIES = ("#0a0101", "#0a0102", "#0a0103", "#0a0104", "#0a0105", "#0a0106")
_VARIABLES = {_INK: "var(--ink)", _GRID: "var(--line)"} | {c: f"var(--c{n})" for n, c in enumerate(_SERIES, start=1)}
_STYLES = ("-", "--", ":", "-.")
_MARKERS = ("o", "s", "^", "D")

_alone = threading.Lock()  # matplotlib's settings are those of the whole process


def drawn(figure: Figure) -> Markup:
    """A figure of a kind in `DRAWN` as an <svg> element, which says in words what it shows."""
    import matplotlib
    from cycler import cycler
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure as Canvas

    draw, size = DRAWN[figure["kind"]]
    settings = {
        "svg.fonttype": "none",
        "svg.hashsalt": "zoo",
        "text.parse_math": False,
        "font.size": 10,
        "text.color": _INK,
        "axes.edgecolor": _GRID,
        "axes.labelcolor": _INK,
        "xtick.color": _INK,
        "ytick.color": _INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.prop_cycle": cycler(color=_SERIES),
    }
    file = io.StringIO()
    with _alone, filtered("ignore"), matplotlib.rc_context(settings):  # it warns of letters that its own font lacks
        canvas = Canvas(figsize=(_WIDTH, size(figure)), layout="constrained")
        FigureCanvasSVG(canvas)
        draw(canvas.add_subplot(), figure)
        canvas.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _for_page(file.getvalue(), figure)


def _for_page(svg: str, figure: Figure) -> Markup:
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font: [^;\"]*?(\d+(?:\.\d+)?)px [^;\"]*", r"font: \1px var(--font)", svg)
    for color, variable in _VARIABLES.items():
        svg = svg.replace(color, variable)
    named = html.escape(harmless(f"{figure.get('title', 'Figure')}. {figure.get('note', '')}".strip(". ")))
    box = re.search(r'viewBox="[^"]*"', svg)
    start = f'<svg {box[0] if box else ""} role="img" aria-label="{named}">'
    return Markup(start + svg[svg.index(">") + 1 :])


def label(text: Any) -> str:
    """A label as a plot has room for it."""
    plain = harmless(str(text))
    plain = f" {plain}" if plain.startswith("_") else plain  # which matplotlib would leave out of a legend
    return plain if len(plain) <= _LABEL else f"{plain[: _LABEL - 1]}…"


def _bars(axes: Axes, figure: Figure) -> None:
    labels, values = _largest(figure)
    thick = 0.8 / len(values)
    for number, (name, series) in enumerate(values.items()):
        places = [place + (number - (len(values) - 1) / 2) * thick for place in range(len(labels))]
        bars = axes.barh(places, series, thick, label=label(name), alpha=0.9)
        axes.bar_label(bars, fmt=_written, padding=2, fontsize=8)
    axes.set_yticks(range(len(labels)), [label(name) for name in labels])
    axes.invert_yaxis()
    axes.margins(y=0.02)
    if len(values) > 1:
        axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 1), ncols=len(values))


def _largest(figure: Figure) -> tuple[list[Any], dict[str, list[float]]]:
    """Labels and values of at most `_MOST_BARS` bars, the largest of them in their order."""
    labels, values = list(figure["labels"]), {name: list(some) for name, some in figure["values"].items()}
    if len(labels) <= _MOST_BARS:
        return labels, values
    totals = [sum(series[place] or 0 for series in values.values()) for place in range(len(labels))]
    kept = sorted(sorted(range(len(labels)), key=lambda place: -totals[place])[:_MOST_BARS])
    return [labels[place] for place in kept], {name: [some[place] for place in kept] for name, some in values.items()}


def _scatter(axes: Axes, figure: Figure) -> None:
    import numpy as np

    x, y = np.asarray(figure["x"], "float64"), np.asarray(figure["y"], "float64")
    if len(x) > _MOST_POINTS:
        rows = np.linspace(0, len(x) - 1, _MOST_POINTS).astype(int)
        x, y = x[rows], y[rows]
    many = len(x) > 500
    axes.scatter(x, y, s=8 if many else 18, alpha=0.35 if many else 0.6, linewidths=0, rasterized=many)
    if "level" in figure:
        axes.axhline(figure["level"], color=_INK, linewidth=0.8, linestyle="--")
    _named(axes, figure)


def _curve(axes: Axes, figure: Figure) -> None:
    for number, (name, line) in enumerate(figure["lines"].items()):
        style, marker = _STYLES[number % len(_STYLES)], _MARKERS[number % len(_MARKERS)]
        few = len(line["x"]) <= 40
        axes.plot(line["x"], line["y"], style, marker=marker if few else "", markersize=4, label=label(name))
    for place in figure.get("marks", ()):
        axes.axvline(place, color=_INK, linewidth=0.8, linestyle=":")
    if len(figure["lines"]) > 1:
        axes.legend(frameon=False)
    _named(axes, figure)


def _named(axes: Axes, figure: Figure) -> None:
    if figure.get("diagonal"):
        both = [*axes.get_xlim(), *axes.get_ylim()]
        ends = [0, 1] if figure["kind"] == "curve" else [min(both), max(both)]  # curves are of shares
        axes.plot(ends, ends, color=_INK, linewidth=0.8, linestyle="--", zorder=0)
    x, y = figure.get("names", ("", ""))
    axes.set_xlabel(textwrap.shorten(harmless(str(x)), 80))
    axes.set_ylabel(textwrap.shorten(harmless(str(y)), 40))
    axes.grid(color=_GRID, linewidth=0.5)


def _histogram(axes: Axes, figure: Figure) -> None:
    for name, values in figure["values"].items():
        axes.hist(values, bins=min(40, max(5, len(set(values)))), label=label(name), alpha=0.75)
    if len(figure["values"]) > 1:
        axes.legend(frameon=False)
    _named(axes, figure)


def _matrix(axes: Axes, figure: Figure) -> None:
    """Shares of the rows, for more classes than a table has room for; labels only as far as they can be read."""
    import numpy as np
    from matplotlib.colors import LinearSegmentedColormap

    counts = np.asarray(figure["values"], "float64")
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    blue = (0.0, 0.45, 0.7)
    fading = LinearSegmentedColormap.from_list("fading", [(*blue, 0.0), (*blue, 1.0)])
    axes.imshow(shares, cmap=fading, vmin=0, vmax=1, interpolation="nearest")
    labels = [label(name) for name in figure["labels"]]
    size = 8 if len(labels) <= 40 else max(3.0, 320 / len(labels))
    axes.set_yticks(range(len(labels)), labels, fontsize=size)
    axes.set_xticks(range(len(labels)), labels, fontsize=size, rotation=90)
    axes.tick_params(length=0)
    axes.set_xlabel("given")
    axes.set_ylabel("true")


def _written(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.3f}"


def _of_bars(figure: Figure) -> float:
    count = min(len(figure["labels"]), _MOST_BARS)
    return max(1.2, _ROW * count * max(1, 0.75 * len(figure["values"])) + 0.6)


DRAWN: dict[str, tuple[Callable[[Any, Figure], None], Callable[[Figure], float]]] = {
    "bars": (_bars, _of_bars),
    "scatter": (_scatter, lambda _: 4.2),
    "curve": (_curve, lambda _: 3.2),
    "histogram": (_histogram, lambda _: 2.4),
    "matrix": (_matrix, lambda _: 6.4),
}


def cut_bars(figure: Figure) -> str:
    """What a plot of bars leaves out, in words."""
    left = len(figure["labels"]) - _MOST_BARS
    return f"The {_MOST_BARS} largest of {len(figure['labels'])} are shown." if left > 0 else ""


def sampled(values: Sequence[float], most: int) -> list[float]:
    """At most so many of the values, evenly spread."""
    step = max(1, -(-len(values) // most))
    return list(values[::step])
