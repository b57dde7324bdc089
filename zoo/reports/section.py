"""The parts of a page as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Figure = Mapping[str, Any]  # as `Task.report_figures` gives it


@dataclass(frozen=True)
class Section:
    """A part of a report, with a heading.

    figures  as `Task.report_figures` gives them; besides its kinds there are
             text  "text": a paragraph
             facts "facts": {name: value}
    """

    title: str
    figures: Sequence[Figure] = ()
