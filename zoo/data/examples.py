"""The examples of a data set, and the inputs that were left out."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal

import msgspec

from zoo.data.reader import Raw, Target, Targets
from zoo.data.spool import Kept, Spool, held
from zoo.errors import BadData, ZooError

Split = Literal["train", "validation", "test"]


class Example(msgspec.Struct, gc=False):
    """One input and its target. A data set may have millions of these, so they are small.

    name     the path relative to the data folder or table, or the number of the row; None: the row of what is `kept`
    kept     the place or the value that a model reads; a text is in a file, and `raw` reads it back
    target   what the head learns to answer
    split    the split the user put it in, or None to let `zoo` choose
    content  fingerprint of the content (not of the name or format), set when it is read
    written  the target as text; targets are compared by it
    group    what it belongs to, such as a patient; "" if that does not matter
    facts    what it says about how its data set is read, until that is settled
    """

    name: str | int | None
    kept: Raw
    target: Target
    split: Split | None = None
    content: str = ""
    written: str = ""
    group: str = ""
    facts: Any = None

    @property
    def input(self) -> str:
        """Its name for the user."""
        return named(_first(self.kept).row if self.name is None else self.name)

    @property
    def raw(self) -> Raw:
        return held(self.kept)


def _first(raw: Raw) -> Any:
    return raw[0] if isinstance(raw, tuple) else raw


def same_content(examples: Iterable[Example]) -> Iterator[list[Example]]:
    """The examples, those with the same content together, in the order of their fingerprints."""
    content = attrgetter("content")
    return (list(same) for _, same in groupby(sorted(examples, key=content), content))


def named(name: str | int) -> str:
    """The name of an input, or of the row with a number."""
    return name if isinstance(name, str) else f"row {name}"


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
    name: str | int,
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
        examples.skipped.append(Skipped(named(name), str(error)))
    except ZooError as error:
        raise BadData(f"{examples.source}, {named(name)}: {error}") from None
    else:
        written = sys.intern(targets.write_target(target))
        target = written if target == written else target  # one object for all that are equal
        raw = examples.spool.keep(raw, name if isinstance(name, int) else 0)
        own = None if isinstance(name, int) and isinstance(_first(raw), Kept) else name  # the spool has it
        examples.items.append(Example(own, raw, target, split, "", written, sys.intern(group)))
