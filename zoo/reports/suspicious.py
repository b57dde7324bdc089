"""The part of a report on what may be wrong with the data."""

from __future__ import annotations

from dataclasses import dataclass, field
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
_MOST = 10_000  # examples
# Of each kind of problem: its heading, what it means, and how many are shown.
_KINDS = {
    "label": ("Labels that look wrong", "Judged by all other examples, from the features of the backbone", 24),
    "leak": ("Nearly the same in training and validation", "They make the figures look too good", 12),
    "copy": ("Nearly the same in one split", "The cosine of their features is the similarity", 12),
    "outlier": ("Like no other example", "Perhaps they do not belong here", 8),
}


@dataclass(frozen=True)
class Suspects:
    """Labels that look wrong, near-duplicates and outliers, by kind; or why they are not known.

    left  how many examples were not looked at
    """

    command: str = ""
    found: dict[str, list[Problem]] = field(default_factory=dict)
    left: int = 0
    reason: str = ""

    @classmethod
    def of(cls, run: Run) -> Suspects:
        """Those among the first 10,000 examples; none of their files is read."""
        command = run.folder.command("errors")
        try:
            kept = kept_features(run, most=_MOST)
            every = problems(run, kept, run.task)
        except ZooError as error:
            return cls(command, reason=str(error))
        return cls(command, {kind: [one for one in every if one.problem == kind] for kind in _KINDS}, kept.left)

    @property
    def names(self) -> set[str]:
        """The names of the examples that are shown."""
        shown = [one for kind, some in self.found.items() for one in some[: _KINDS[kind][2]]]
        return {name for one in shown for name in (one.input, one.other) if name}

    def part(self, shelf: Shelf) -> Part:
        """They, as a part of a page."""
        if self.reason:
            return Part(TITLE, Markup("<p class=note>{}</p>").format(text(self.reason)))
        content, count = Markup(""), sum(map(len, self.found.values()))
        for kind, some in self.found.items():
            title, note, most = _KINDS[kind]
            if some:
                shown = f"{note}. The first {most} of {len(some)} are shown." if len(some) > most else f"{note}."
                wide = shelf.reader.in_memory or bool(some[0].other)
                content += cards(title, [_card(one, shelf) for one in some[:most]], shown, wide)
        if self.left:
            content += Markup("<p class=note>{} were not looked at.</p>").format(counted(self.left, "examples"))
        if not count:
            return Part(TITLE, content + Markup("<p>Nothing looks wrong.</p>"))
        again = Markup("<p>To go through all {} in a spreadsheet:</p><pre>{} --csv errors.csv</pre>")
        return Part(TITLE, content + again.format(counted(count, "problems"), text(self.command)))


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
