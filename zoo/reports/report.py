"""The report of a run: one page, in the order in which people look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from zoo.catalog import catalog
from zoo.data.texts import words_of
from zoo.errors import ZooError
from zoo.prediction.drawing import evidence
from zoo.progress import say
from zoo.reports.data import Census, about_data, census
from zoo.reports.facts import headline, learning, made_with
from zoo.reports.page import Part, page, write_page
from zoo.reports.section import Section
from zoo.reports.shown import Shelf, card, cards, marked
from zoo.reports.suspicious import Suspects
from zoo.runs.mistakes import Mistake, Mistakes, read_mistakes

if TYPE_CHECKING:
    from zoo.runs.judging import Evaluation
    from zoo.runs.run import Run

FILE = "report.html"
_MISTAKES, _EXPLAINED = 48, 8


def write_report(run: Run, out: Path | None = None, data: str = "") -> Path:
    """Write the report of a run, on its own validation examples or on other data; returns the file.

    Raises `BadRun` if the file cannot be written, and what `Run.evaluate` raises.
    """
    judged = run.evaluate(data) if data else None
    path = out if out is not None else run.path / (f"report-{Path(data).stem}.html" if data else FILE)
    title = f"{run.path.name}: {run.summary['backbone']}"
    content = page(title, headline(run, judged, data), [*_parts(run, judged, data), made_with(run)])
    write_page(path, content)
    return path


def _parts(run: Run, judged: Evaluation | None, data: str) -> list[Part]:
    """All parts but the last. What examples they show is found out before the data is read, which may be large."""
    figures = {"validation": judged.figures} if judged is not None else run.figures
    mistakes = judged.mistakes if judged is not None else read_mistakes(run.folder).get("validation")
    counted = census(run) if judged is None else Census()
    suspects = Suspects.of(run) if judged is None else Suspects()
    wanted = {one.input for one in mistakes.worst} if mistakes is not None else set()
    wanted |= {*counted.sampled, *suspects.names}
    own = [Section("How good it is, by part", figures.get("validation", ()))]
    if judged is None:
        own.append(Section("On the test examples", figures.get("test", ())))
    with closing(Shelf(run, wanted, data)) as shelf:
        parts = [_mistakes(run, mistakes, shelf), *map(Part.of, own), Part.of(learning(run))]
        if judged is None:
            parts += [Part.of(about_data(run, counted, shelf)), suspects.part(shelf)]
    return [*parts, *_of_plugins(run)]


def _of_plugins(run: Run) -> Iterator[Part]:
    """The sections of plugins; what is none is said, and left out."""
    for given in catalog().host.call("zoo_report_sections", run=run):
        try:
            for section in given:
                yield Part.of(section)
        except Exception as error:  # whatever a plugin gives
            say(f"A plugin's section is left out of the report: {type(error).__name__}: {error}")


def _mistakes(run: Run, mistakes: Mistakes | None, shelf: Shelf) -> Part:
    """The mistakes, the worst first; of the first ones also why they were made."""
    if mistakes is None:
        return Part("Mistakes", Markup(""))
    worst, wide = mistakes.worst[:_MISTAKES], shelf.reader.in_memory
    shown = f"the {len(worst)} worst are shown"
    if mistakes.count is None:
        note, title = f"Of {mistakes.examples} answers, {shown}.", "The farthest off"
    else:
        note, title = f"{mistakes.count} of {mistakes.examples} answers are wrong", "The most confident"
        note += f"; {shown}." if len(worst) < mistakes.count else "."
    why, reason = _explained(run, worst[:_EXPLAINED], shelf)
    first = [_card(one, shelf, why.get(place)) for place, one in enumerate(worst[:_EXPLAINED])]
    content = cards(title, first, " ".join(filter(None, (note, reason))), wide or bool(why))
    if len(worst) > _EXPLAINED:
        content += cards("More", [_card(one, shelf) for one in worst[_EXPLAINED:]], wide=wide)
    return Part("Mistakes", content)


def _explained(run: Run, worst: Sequence[Mistake], shelf: Shelf) -> tuple[dict[int, Markup], str]:
    """Why some mistakes were made, by their position; and a sentence on how that was found out, or why it was not."""
    places, inputs = [], []
    for place, one in enumerate(worst):
        with suppress(ZooError):  # it is not in the data any more
            raw = shelf.raw((one.input, one.content))
            inputs.append(words_of(raw) if run.card.reads == "words" else raw)
            places.append(place)
    if not inputs:
        return {}, ""
    try:
        found = run.explain(inputs)
    except ZooError as error:
        return {}, f"They are not explained: {error}"
    why = {place: Markup(evidence(one)) for place, one in zip(places, found, strict=True) if not one.error}
    methods = " and ".join(dict.fromkeys(one.method for one in found if one.method))
    return why, f"What speaks for the answer that was given is shown by {methods}." if methods else ""


def _card(one: Mistake, shelf: Shelf, why: Markup | None = None) -> Markup:
    given = " · ".join(one.in_words.split("  "))
    words, tags = one.answer.get("words"), one.answer.get("tags")
    if isinstance(words, list) and isinstance(tags, list):
        return card(marked(words, one.target.split(" "), tags), {}, one.input, why)
    shown = shelf.show((one.input, one.content)) if why is None else why
    return card(shown, {"true": one.target, "given": given}, one.input)
