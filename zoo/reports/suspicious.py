"""The part of a report on what may be wrong with the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from zoo.errors import ZooError
from zoo.progress import counted
from zoo.reports.blocks import rounded, text
from zoo.reports.features import kept_features
from zoo.reports.page import Part
from zoo.reports.problems import Problem, problems
from zoo.reports.shown import Shelf, card, cards

if TYPE_CHECKING:
    from zoo.runs.run import Run

TITLE = "What may be wrong with the data"
_LABELS, _PAIRS, _OUTLIERS = 24, 12, 8


def suspicious(run: Run, shelf: Shelf) -> Part:
    """Labels that look wrong, near-duplicates and outliers; or why they are not known."""
    try:
        found = problems(run, kept_features(run), run.task)
    except ZooError as error:
        return Part(TITLE, Markup("<p class=note>{}</p>").format(text(error)))
    wide = shelf.reader.in_memory
    by_kind = {kind: [one for one in found if one.problem == kind] for kind in ("label", "leak", "copy", "outlier")}
    content = Markup("")
    for kind, title, note, most in (
        ("label", "Labels that look wrong", "Judged by all other examples, from the features of the backbone", _LABELS),
        ("leak", "Nearly the same in training and validation", "They make the figures look too good", _PAIRS),
        ("copy", "Nearly the same in one split", "The cosine of their features is the similarity", _PAIRS),
        ("outlier", "Like no other example", "Perhaps they do not belong here", _OUTLIERS),
    ):
        some = by_kind[kind]
        shown = f"{note}. The first {most} of {len(some)} are shown." if len(some) > most else f"{note}."
        if some:
            content += cards(title, [_card(one, shelf) for one in some[:most]], shown, wide or bool(some[0].other))
    if not content:
        return Part(TITLE, Markup("<p>Nothing looks wrong.</p>"))
    again = Markup("<p>To go through all {} in a spreadsheet:</p><pre>{} --csv errors.csv</pre>")
    return Part(TITLE, content + again.format(counted(len(found), "problems"), text(run.folder.command("errors"))))


def _card(one: Problem, shelf: Shelf) -> Markup:
    shown, name = shelf.show((one.input, one.content)), f"{one.input} ({one.split})"
    facts = {"target": one.target}
    if one.problem == "label":
        facts |= {"rather": one.suggested, "score": rounded(one.score)}
    elif one.other:
        shown = Markup("<div class=pair>{}{}</div>").format(shown, shelf.show((one.other, one.other_content)))
        both = one.target if one.target == one.other_target else f"{one.target}, and {one.other_target}"
        facts = {"target": both, "cosine": rounded(one.score)}
        name = f"{name} and {one.other} ({one.other_split})"
    return card(shown, facts, name)
