"""What a person's data is read into: examples, and the inputs that had to be left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from zoo.data.reader import Raw

Split = Literal["train", "validation", "test"]
Target = Any  # what a head made of the cells of its columns; the host compares the text that the head makes of it


@dataclass(slots=True)
class Example:
    """One input and its target.

    input    what the person calls it: the path as seen from the data folder or table, or the row of a text
    raw      what a model is given: a place, or a value
    target   what the head learns from it
    split    where the person put it, or None where `zoo` chooses
    content  fingerprint of what is in it (not of its name or format), set when it is read
    written  the target as text, by which targets are compared
    """

    input: str
    raw: Raw
    target: Target
    split: Split | None = None
    content: str = ""
    written: str = ""


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
