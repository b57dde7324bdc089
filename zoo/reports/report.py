"""The report of a run: one page, in the order in which people look."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from zoo.atomic import atomic_path
from zoo.catalog import catalog
from zoo.errors import BadRun
from zoo.reports.data import about_data
from zoo.reports.facts import headline, learning, made_with
from zoo.reports.page import Part, page
from zoo.reports.section import Section
from zoo.reports.shown import Shelf, card, cards, marked
from zoo.reports.suspicious import suspicious
from zoo.runs.mistakes import Mistake, Mistakes, read_mistakes

if TYPE_CHECKING:
    from zoo.runs.run import Evaluation, Run

FILE = "report.html"
_MISTAKES = 48


def write_report(run: Run, out: Path | None = None, data: str = "") -> Path:
    """Write the report of a run, on its own validation examples or on other data; returns the file.

    Raises `BadRun` if the file cannot be written, and what `Run.evaluate` raises.
    """
    judged = run.evaluate(data) if data else None
    path = out if out is not None else run.path / (f"report-{Path(data).stem}.html" if data else FILE)
    with closing(Shelf(run, data)) as shelf:
        content = page(
            f"{run.path.name}: {run.summary['backbone']}", headline(run, judged, data), _parts(run, judged, shelf)
        )
    try:
        with atomic_path(path) as beside:
            beside.write_text(content, encoding="utf-8", errors="xmlcharrefreplace")
    except OSError as error:
        raise BadRun(f"Cannot write {path}: {error.strerror or error}. Name another file with --out.") from None
    return path


def _parts(run: Run, judged: Evaluation | None, shelf: Shelf) -> list[Part]:
    figures = {"validation": judged.figures} if judged is not None else run.figures
    mistakes = judged.mistakes if judged is not None else read_mistakes(run.folder).get("validation")
    own = [Section("How good it is, by part", figures.get("validation", ()))]
    if judged is None and figures.get("test"):
        own.append(Section("On the test examples", figures["test"]))
    plugins = [section for some in catalog().host.call("zoo_report_sections", run=run) for section in some]
    return [
        _mistakes(run, mistakes, shelf),
        *map(Part.of, own),
        Part.of(learning(run)),
        *([] if judged is not None else [Part.of(about_data(run, shelf)), suspicious(run, shelf)]),
        *map(Part.of, plugins),
        made_with(run),
    ]


def _mistakes(run: Run, mistakes: Mistakes | None, shelf: Shelf) -> Part:
    """The mistakes, the worst first."""
    if mistakes is None:
        return Part("Mistakes", Markup(""))
    made = [_card(one, shelf) for one in mistakes.worst[:_MISTAKES]]
    note = f"{mistakes.count} of {mistakes.examples} answers are wrong"
    note += f"; the {len(made)} worst are shown, the most confident first." if len(made) < mistakes.count else "."
    return Part("Mistakes", cards("The most confident first", made, note, wide=shelf.reader.in_memory))


def _card(one: Mistake, shelf: Shelf) -> Markup:
    words, tags = one.answer.get("words"), one.answer.get("tags")
    if isinstance(words, list) and isinstance(tags, list):
        return card(marked(words, one.target.split(" "), tags), {}, one.input)
    given = " · ".join(one.in_words.split("  "))
    return card(shelf.show((one.input, one.content)), {"true": one.target, "given": given}, one.input)
