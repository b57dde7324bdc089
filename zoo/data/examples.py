"""The examples of a data set, and the inputs that were left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from zoo.data.reader import Raw

Split = Literal["train", "validation", "test"]
Target = Any  # what a head makes of the cells in its columns; the host compares targets by the text the head writes


@dataclass(slots=True)
class Example:
    """One input and its target.

    input    its name for the user: the path relative to the data folder or table, or the row of a text
    raw      the place or the value that a model reads
    target   what the head learns to answer
    split    the split the user put it in, or None to let `zoo` choose
    content  fingerprint of the content (not of the name or format), set when it is read
    written  the target as text; targets are compared by it
    facts    what it says about how its data set is read, until that is settled
    """

    input: str
    raw: Raw
    target: Target
    split: Split | None = None
    content: str = ""
    written: str = ""
    facts: Any = None


@dataclass(slots=True)
class Skipped:
    """An input that was left out, and why."""

    input: str
    reason: str


@dataclass
class Examples:
    """The examples of one data set, in a fixed order, and the inputs that were left out."""

    source: Path
    items: list[Example] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def of(self, split: Split) -> list[Example]:
        """The examples of one split."""
        return [example for example in self.items if example.split == split]
