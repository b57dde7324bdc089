"""The examples of a data set, and the inputs that were left out."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from zoo.data.reader import Raw, Target, Targets
from zoo.data.spool import Spool, held
from zoo.errors import BadData, ZooError

Split = Literal["train", "validation", "test"]


@dataclass(slots=True)
class Example:
    """One input and its target.

    input    its name for the user: the path relative to the data folder or table, or the row of a text
    kept     the place or the value that a model reads; a text is in a file, and `raw` reads it back
    target   what the head learns to answer
    split    the split the user put it in, or None to let `zoo` choose
    content  fingerprint of the content (not of the name or format), set when it is read
    written  the target as text; targets are compared by it
    group    what it belongs to, such as a patient; "" if that does not matter
    facts    what it says about how its data set is read, until that is settled
    """

    input: str
    kept: Raw
    target: Target
    split: Split | None = None
    content: str = ""
    written: str = ""
    group: str = ""
    facts: Any = None

    @property
    def raw(self) -> Raw:
        return held(self.kept)


@dataclass(slots=True)
class Skipped:
    """An input that was left out, and why."""

    input: str
    reason: str


@dataclass
class Examples:
    """The examples of one data set, in a fixed order, and the inputs that were left out.

    columns  the columns of the target
    kind     the format of a table in words; "" for a folder
    notes    what was guessed, in words
    lost     classes without any example that can be used, and why
    spool    keeps what is not in files of its own
    """

    source: Path
    items: list[Example] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    columns: tuple[str, ...] = ("label",)
    kind: str = ""
    notes: list[str] = field(default_factory=list)
    lost: dict[str, str] = field(default_factory=dict)
    spool: Spool = field(default_factory=Spool)

    def of(self, split: Split) -> list[Example]:
        """The examples of one split."""
        return [example for example in self.items if example.split == split]


def add_example(
    examples: Examples,
    name: str,
    raw: Raw,
    cells: Sequence[Any],
    split: Split | None,
    targets: Targets,
    group: str = "",
) -> None:
    """Add an example with the target in its cells, or leave it out with the reason.

    Raises `BadData` if the head asks back.
    """
    try:
        target = targets.read_target(cells, raw)
    except BadData as error:
        examples.skipped.append(Skipped(name, str(error)))
    except ZooError as error:
        raise BadData(f"{examples.source}, {name}: {error}") from None
    else:
        written = targets.write_target(target)
        raw, target = examples.spool.keep(raw), written if target == written else target  # one object, not two
        examples.items.append(Example(name, raw, target, split, "", sys.intern(written), group))
