"""The user's data, ready for training: read, checked, split, and its targets learnt. Done once per training."""

from __future__ import annotations

import functools
import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from unicodedata import normalize

from zoo.compose.task import Task
from zoo.data.check import check
from zoo.data.examples import Example, Skipped, Split
from zoo.data.layout import Layout
from zoo.data.settle import settle
from zoo.data.sources import read_source
from zoo.data.split import assign
from zoo.errors import BadData, ZooError
from zoo.places import place
from zoo.plan import Plan
from zoo.progress import say


@dataclass(frozen=True)
class Dataset:
    """The examples of a training, each with its split, and the inputs that were left out."""

    layout: Layout
    examples: list[Example]
    skipped: list[Skipped]

    def of(self, split: Split) -> list[Example]:
        """The examples of one split."""
        return [example for example in self.examples if example.split == split]

    @functools.cached_property
    def fingerprint(self) -> str:
        """A checksum of contents, targets and splits that does not depend on the order of the examples."""
        lines = sorted(f"{e.content}\t{_stable(e)}\t{e.split}" for e in self.examples)
        return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()

    def counts(self) -> dict[str, int]:
        """The number of examples in each split, and of those left out."""
        counts = {split: len(self.of(split)) for split in ("train", "validation", "test")}
        return {name: n for name, n in counts.items() if n or name != "test"} | {"skipped": len(self.skipped)}


def read_dataset(plan: Plan, layout: Layout, task: Task) -> Dataset:
    """Read the data and the validation data, split them, and let the task learn its targets. Raises `BadData`."""
    validation = check(read_source(place(plan.val), layout, task), layout.reader) if plan.val else None
    examples = check(read_source(place(plan.data), layout, task), layout.reader)
    layout = settle([examples, *([validation] if validation else [])], layout, plan.depth)
    skipped = examples.skipped + (validation.skipped if validation else [])
    if skipped:
        say(f"Inputs left out: {len(skipped)}, see skipped.csv ({skipped[0].input}: {skipped[0].reason}, ...).")
    task.learn([e.target for e in examples.items], layout.targets)
    assign(examples, validation, plan.seed, task.strata)
    _warn_of_targets(examples.items, task)
    for split in ("train", "validation"):
        if not examples.of(split):
            raise BadData(f"{plan.data} has no readable examples for {split}.")
    task.learn([e.target for e in examples.of("train")], layout.targets)
    task.encode([e.target for e in examples.items])
    _require_json(task)
    return Dataset(layout, examples.items, examples.skipped)


def _require_json(task: Task) -> None:
    """Raise `ZooError` for a state that could not be written."""
    try:
        json.dumps(task.state())
    except (TypeError, ValueError) as error:
        raise ZooError(
            f"The state of the head cannot be kept: {error}. Report this to the author of its plugin."
        ) from None


def _warn_of_targets(examples: list[Example], task: Task) -> None:
    """Warn about targets that may be meant to be the same, and about examples in several strata."""
    alike: dict[str, set[str]] = defaultdict(set)
    by_content: dict[str, dict[Any, str]] = defaultdict(dict)
    for example, stratum in zip(examples, task.strata([example.target for example in examples]), strict=True):
        if stratum is not None:
            by_content[example.content][stratum] = example.written
        for text in _texts(example):
            alike[" ".join(normalize("NFKC", text).casefold().split())].add(text)
    for targets in (sorted(some) for some in alike.values() if len(some) > 1):
        names = ", ".join(map(repr, targets))
        say(f"Warning: {names} differ only in upper case or spaces, but count as different targets.")
    if torn := [sorted(strata.values()) for strata in by_content.values() if len(strata) > 1]:
        say(f"Warning: examples with several targets: {len(torn)} ({' and '.join(torn[0][:2])}, ...).")


def _texts(example: Example) -> Sequence[str]:
    """The texts in a target that may be meant to be the same as another's: each tag, or the cell of each column."""
    target = example.target
    return target if isinstance(target, tuple) and all(isinstance(part, str) for part in target) else [example.written]


def _stable(example: Example) -> str:
    """The target for the fingerprint; tuples are written as in version 0.1, so that its runs can be resumed."""
    target = example.target
    return str(target) if isinstance(target, tuple) and all(type(part) is str for part in target) else example.written
