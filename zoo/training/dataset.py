"""The user's data, ready for training: read, checked, split, and its targets learnt. Done once per training."""

from __future__ import annotations

import copy
import functools
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from unicodedata import category, normalize

from zoo.compose.task import Task
from zoo.data.check import Feed, check
from zoo.data.examples import Example, Examples, Skipped, Split, same_content
from zoo.data.layout import Layout
from zoo.data.settle import settle
from zoo.data.sources import read_source
from zoo.data.split import FRACTION, assign
from zoo.errors import BadData, ZooError
from zoo.places import place
from zoo.plan import Plan
from zoo.progress import counted, say

_QUOTES = ("''", '""', "‘’", "“”", "«»")


@dataclass(frozen=True)
class Dataset:
    """The examples of a training, each with its split, and the inputs that were left out.

    targets  the columns of the target
    """

    layout: Layout
    examples: list[Example]
    skipped: list[Skipped]
    targets: tuple[str, ...] = ("label",)

    def of(self, split: Split) -> list[Example]:
        """The examples of one split."""
        return [example for example in self.examples if example.split == split]

    @functools.cached_property
    def fingerprint(self) -> str:
        """A checksum of contents, targets and splits that does not depend on the order of the examples."""
        whole, between = hashlib.sha256(), ""
        for _, same in groupby(sorted(self.examples, key=attrgetter("content")), attrgetter("content")):
            for line in sorted(f"{e.content}\t{_stable(e)}\t{e.split}" for e in same):
                whole.update(f"{between}{line}".encode("utf-8", "surrogateescape"))
                between = "\n"
        return whole.hexdigest()

    def counts(self) -> dict[str, int]:
        """The number of examples in each split, and of those left out."""
        counts = {split: len(self.of(split)) for split in ("train", "validation", "test")}
        return {name: n for name, n in counts.items() if n or name != "test"} | {"skipped": len(self.skipped)}


def read_dataset(plan: Plan, layout: Layout, task: Task, feed: Feed | None = None) -> Dataset:
    """Read the data and the validation data, split them, and let the task learn its targets. Raises `BadData`.

    What the data was taken for is said in two lines.
    """
    read = [read_source(place(data), layout, task) for data in (plan.data, plan.val) if data]
    sets = [check(one, layout.reader, feed) for one in read]
    layout = settle(sets, layout, plan.depth)
    examples, validation = sets[0], sets[1] if plan.val else None
    looking = _copied(task)  # learns all examples, while the task itself must see those for training alone
    looking.learn([e.target for e in examples.items], examples.columns)
    for before, after in zip(read, sets, strict=True):
        _note_lost(before, after)
        _say_what_is_read(after, layout, looking)
    marked = bool(examples.of("validation"))
    assign(examples, validation, plan.seed, looking.strata, plan.val_fraction)
    if examples.skipped:
        first = examples.skipped[0]
        say(f"Inputs left out: {len(examples.skipped)}, see skipped.csv ({first.input}: {first.reason}, ...).")
    _warn_of_targets(examples.items, looking)
    for split in ("train", "validation"):
        if not examples.of(split):
            raise BadData(f"{plan.data} has no readable examples for {split}.")
    how = plan.val or "as marked in the data" if plan.val or marked else f"{plan.val_fraction or FRACTION:.0%}"
    _say_splits(examples, how, plan)
    task.learn([e.target for e in examples.of("train")], examples.columns)
    _refuse_what_was_not_learnt(examples, task)
    _require_json(task)
    return Dataset(layout, examples.items, examples.skipped, examples.columns)


def _copied(task: Task) -> Task:
    """A copy of the task; the task itself if it holds something that cannot be copied, such as a lock."""
    try:
        return copy.deepcopy(task)
    except Exception:  # whatever a plugin's object raises
        return task


def _note_lost(before: Examples, after: Examples) -> None:
    """Note the classes of which none of the examples can be read."""
    found = Counter(example.written for example in before.items)
    gone = found.keys() - {example.written for example in after.items}
    if gone and (not after.kind or 2 * len(found) <= len(before.items)):  # classes, and not numbers
        reasons = {skipped.input: skipped.reason for skipped in after.skipped}
        for example in before.items:
            if example.written in gone:
                count = found[example.written]
                after.lost[example.written] = f"{count} inputs, none can be read: {reasons[example.input]}"


def _say_what_is_read(examples: Examples, layout: Layout, task: Task) -> None:
    unit = "rows" if examples.kind else layout.reader.unit
    how = f"{examples.kind}; {', '.join(examples.columns)}: " if examples.kind else ""
    described = task.describe([example.target for example in examples.items])
    say(f"Reads {counted(len(examples.items), unit)} of {examples.source}: {how}{described}.")
    for note in examples.notes:
        say(f"Note: {note}.")
    if examples.lost:
        named = ", ".join(f"{name} ({reason})" for name, reason in examples.lost.items())
        say(f"Warning: classes without any example are left out: {named}.")


def _say_splits(examples: Examples, how: str, plan: Plan) -> None:
    counts = {split: len(examples.of(split)) for split in ("train", "validation", "test")}
    tests = f", tests on {counts['test']}" if counts["test"] else ""
    group = f", each {plan.group} on one side" if plan.group else ""
    say(f"Trains on {counts['train']}, validates on {counts['validation']} ({how}{group}){tests}.")


def _refuse_what_was_not_learnt(examples: Examples, task: Task) -> None:
    """Raise `BadData` for a target outside of the training set that the task cannot encode, with its input."""
    try:
        task.encode([example.target for example in examples.items])
    except BadData as error:
        for example in examples.items:
            try:
                task.encode([example.target])
            except BadData:
                way_on = f"Add examples of it to the training set, or remove it from {example.split}."
                raise BadData(f"{example.input} ({example.split}): {error} {way_on}") from None
        raise


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
    for text in _single_targets(examples, task):
        alike[_as_read(text)].add(text)
    for targets in (sorted(some) for some in alike.values() if len(some) > 1):
        names = ", ".join(map(repr, targets))
        say(
            f"Warning: {names} differ only in upper case, spaces, quotation marks or signs that are not seen, but "
            "count as different targets."
        )
    repeated = {same[0].content for same in same_content(examples) if len(same) > 1}
    strata = task.strata([example.target for example in examples]) if repeated else []
    seen: dict[str, int] = {}
    torn: dict[str, tuple[str, str]] = {}
    for row, (example, stratum) in enumerate(zip(examples, strata, strict=False)):
        if stratum is not None and example.content in repeated:
            first = seen.setdefault(example.content, row)
            if strata[first] != stratum:
                torn.setdefault(example.content, (examples[first].written, example.written))
    if torn:
        names = " and ".join(sorted(next(iter(torn.values()))))
        say(f"Warning: examples with several targets: {len(torn)} ({names}, ...).")


def _single_targets(examples: list[Example], task: Task) -> set[str]:
    """The texts that may be meant to be the same: what the head has learnt as `labels`, each tag, or each target."""
    labels = getattr(task, "labels", None)
    if isinstance(labels, (list, tuple)) and labels and all(isinstance(label, str) for label in labels):
        return set(labels)
    return {text for example in examples for text in _texts(example)}


def _as_read(text: str) -> str:
    """A text without what is easily overlooked: upper case, spaces, quotation marks around it, signs without width."""
    seen = "".join(char for char in normalize("NFKC", text) if category(char) != "Cf").casefold()
    words = " ".join(seen.split())
    quoted = len(words) > 2 and f"{words[0]}{words[-1]}" in _QUOTES
    return words[1:-1].strip() if quoted else words


def _texts(example: Example) -> Sequence[str]:
    """The texts in a target that may be meant to be the same as another's: each tag, or the cell of each column."""
    target = example.target
    return target if isinstance(target, tuple) and all(isinstance(part, str) for part in target) else [example.written]


def _stable(example: Example) -> str:
    """The target for the fingerprint; tuples are written as in version 0.1, so that its runs can be resumed."""
    target = example.target
    return str(target) if isinstance(target, tuple) and all(type(part) is str for part in target) else example.written
