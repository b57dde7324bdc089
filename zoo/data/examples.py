"""What a person's data is read into: examples, and the inputs that had to be left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Split = Literal["train", "validation", "test"]
Raw = Path | str | tuple[str, str]  # the file of a picture or text, a text, two texts
Target = str | tuple[str, ...]  # one, or those of several columns, or the tags of all words


@dataclass(slots=True)
class Example:
    """One input and its target.

    input    what the person calls it: the path as seen from the data folder or table, or the row of a text
    raw      what a model is given; a text's file is replaced by what it holds when it is checked
    target   as written by the person
    split    where the person put it, or None where `zoo` is to choose
    content  fingerprint of what is in it (not of its name or format), set when it is read
    """

    input: str
    raw: Raw
    target: Target
    split: Split | None = None
    content: str = ""


@dataclass(slots=True)
class Skipped:
    """An input that was left out, and why."""

    input: str
    reason: str


@dataclass
class Examples:
    """The examples of one data set, in a fixed order, and what was left out of it."""

    source: Path
    items: list[Example] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def of(self, split: Split) -> list[Example]:
        """The examples of one split."""
        return [example for example in self.items if example.split == split]
