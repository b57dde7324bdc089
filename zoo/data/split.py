"""Splits examples into training and validation: stratified by target, decided only by content and seed."""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from zoo.data.examples import Example, Examples, Skipped, Split, same_content
from zoo.data.reader import Target
from zoo.errors import BadData
from zoo.progress import say

FRACTION = 0.2

Strata = Callable[[Sequence[Target]], Sequence[Any]]


def assign(
    examples: Examples,
    validation: Examples | None,
    seed: int,
    strata: Strata = list,
    fraction: float | None = None,
) -> None:
    """Assign each example to a split: training, validation or test.

    The user's choice is kept: split folders, a column `split`, or a whole data set given as `validation`, which
    replaces the validation examples in the data. If none of them gives validation examples, a fifth of each stratum is
    used. Rows that are marked `train` are not among these, unless the user gives a `fraction`.

    strata  gives the stratum of each target, or None for a target that must stay in training
    """
    if validation is not None:
        _replace_validation(examples, validation)
    elif marked := examples.of("validation"):
        if fraction is not None:
            raise BadData(
                f"--val-fraction {fraction:g}: {examples.source} has validation examples of its own ({len(marked)}). "
                "Leave the option out, or name other validation data with --val."
            )
    else:
        _split_off(examples, seed, strata, fraction)
    for example in examples.items:
        example.split = example.split or "train"
    _warn_of_leaks(examples)


def _replace_validation(examples: Examples, validation: Examples) -> None:
    if marked := examples.of("validation"):
        examples.items = [example for example in examples.items if example.split != "validation"]
        reason = "for validation, in place of which --val is given"
        examples.skipped += [Skipped(example.input, reason) for example in marked]
        say(f"The {len(marked)} validation examples in {examples.source} are left out, because --val is given.")
    if meant := validation.of("validation"):
        if len(meant) < len(validation.items):
            say(f"Of {validation.source}, the {len(meant)} examples that are marked for validation are used.")
        validation.items = meant
    for example in validation.items:
        example.split = "validation"
    examples.items += validation.items
    examples.skipped += validation.skipped


def _split_off(examples: Examples, seed: int, strata: Strata, fraction: float | None) -> None:
    free = [example for example in examples.items if example.split is None]
    marked = examples.of("train")
    in_table = bool(examples.kind)
    if fraction is None and in_table and marked and not free:
        raise BadData(
            f"{examples.source} marks no row for validation ({len(marked)} are marked train). To take a fifth of "
            "these: --val-fraction 0.2. To validate on other data: --val DATA"
        )
    only_free = fraction is None and in_table and bool(marked)
    if only_free:
        free = _without_those_of_a_group(free, examples)
    split(free if only_free else free + marked, fraction or FRACTION, seed, strata, lonely=only_free)


def _without_those_of_a_group(free: list[Example], examples: Examples) -> list[Example]:
    """The examples without a split that may be parted; others go where their content or group is already."""
    there: dict[str, Split] = {}

    def note(example: Example) -> None:
        if example.split is not None:
            there.setdefault(f"content {example.content}", example.split)
            there.setdefault(f"group {example.group}" if example.group else "", example.split)

    for example in examples.items:
        note(example)
    rest, before = free, -1
    while len(rest) != before:  # what follows its group may take others of its content along, and these their groups
        before = len(rest)
        for example in rest:
            beside = there.get(f"group {example.group}") if example.group else None
            example.split = beside or there.get(f"content {example.content}")
            note(example)
        rest = [example for example in rest if example.split is None]
    if not rest:
        raise BadData(
            f"{examples.source} leaves no row for validation: the rows without a split belong to groups, or have "
            "contents, of rows with one. To validate on other data: --val DATA"
        )
    return rest


def split(examples: list[Example], fraction: float, seed: int, strata: Strata = list, *, lonely: bool = False) -> None:
    """Assign `fraction` of each stratum's examples to validation, and the rest to training.

    Neither the order nor the names of the files matter: within a stratum, the examples are ranked by a hash of seed and
    content, and the first ones go to validation. Examples with the same content, or in the same group, stay together.
    Adding examples moves at most as many others to the other split. Raises `BadData` if a stratum has only one example,
    unless `lonely` ones may stay in training.
    """
    first = [min(same, key=attrgetter("written")) for same in same_content(examples)]
    known = zip((e.content for e in first), strata([e.target for e in first]), strict=True)
    if together := _groups(examples):
        chosen = _choose_groups(together, dict(known), fraction, seed)
    else:
        chosen = _choose(known, fraction, seed, lonely)
    for example in examples:
        example.split = "validation" if example.content in chosen else "train"


def _choose(known: Iterable[tuple[str, Any]], fraction: float, seed: int, lonely: bool) -> set[str]:
    """The contents for validation, of contents with their strata."""
    import numpy as np

    by_target: dict[Any, list[str]] = defaultdict(list)
    for content, stratum in known:
        if stratum is not None:
            by_target[stratum].append(content)
    if not lonely:
        _refuse_single_examples(by_target)
    chosen: set[str] = set()
    for contents in by_target.values():
        count = min(max(round(fraction * len(contents)), 1), len(contents) - 1)
        ranks = np.fromiter((_rank(seed, content) for content in contents), "uint64", len(contents))
        chosen.update(contents[place] for place in np.argsort(ranks, kind="stable")[:count])
    return chosen


def _rank(seed: int, content: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}/{content}".encode()).digest()[:8])


def _groups(examples: Sequence[Example]) -> list[list[str]]:
    """The contents that must stay together, because of their groups; [] if there are no groups."""
    if not any(example.group for example in examples):
        return []
    above: dict[str, str] = {}

    def top(name: str) -> str:
        while above.setdefault(name, name) != name:
            above[name] = above[above[name]]
            name = above[name]
        return name

    for example in examples:
        above[top(f"content {example.content}")] = top(f"group {example.group}")
    together: dict[str, list[str]] = defaultdict(list)
    for content in sorted({example.content for example in examples}):
        together[top(f"content {content}")].append(content)
    return list(together.values())


def _choose_groups(
    together: Sequence[Sequence[str]], stratum_of: Mapping[str, Any], fraction: float, seed: int
) -> set[str]:
    """The contents for validation: whole groups, each of the commonest stratum in it, up to its stratum's share."""
    if len(together) < 2:
        raise BadData("All examples belong to one group, so none are left for validation. Give others with --val.")
    by_target: dict[Any, list[Sequence[str]]] = defaultdict(list)
    for contents in together:
        strata = [stratum_of[content] for content in contents]
        if None not in strata:
            common = Counter(strata).most_common(1)[0][0]
            by_target[common].append(contents)
    chosen: set[str] = set()
    several = [groups for groups in by_target.values() if len(groups) > 1]  # a class of one group stays in training
    if not several:
        raise BadData(
            "Each class is one group, so none of them can be left out for validation. Give others with --val."
        )
    for groups in several:
        groups.sort(key=lambda contents: _rank(seed, contents[0]))
        wanted, taken = fraction * sum(map(len, groups)), 0
        for contents in groups:
            if taken + len(contents) <= wanted:
                chosen.update(contents)
                taken += len(contents)
        if not taken:
            chosen.update(sorted(groups, key=len)[0])
    return chosen


def _refuse_single_examples(by_target: dict[Any, list[str]]) -> None:
    if len(by_target) < 2:
        return  # the head reports a single class
    lonely = sorted(str(target) for target, contents in by_target.items() if len(contents) == 1)
    if lonely and 2 * len(lonely) > len(by_target) and all(map(_is_number, map(str, by_target))):
        raise BadData(
            f"Most classes are numbers with one distinct example ({', '.join(lonely[:2])}, ...). To answer with "
            "numbers: --head regression, or pair_regression for two texts. For classes, name another column with "
            "--target."
        )
    if lonely:
        raise BadData(
            f"The class {lonely[0]!r} has one distinct example. It needs at least two, one for training and one for "
            "validation. Add examples, remove the class, or give a validation set with --val."
        )


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _warn_of_leaks(examples: Examples) -> None:
    leaked: list[Example] = []
    for same in same_content(examples.items):
        others = [example for example in same if example.split != "train"]
        leaked += others if len(others) < len(same) else []
    if leaked:
        say(
            f"Warning: {len(leaked)} of the examples given for validation or testing are also in the training set "
            f"({leaked[0].input}, ...). The metrics will be too good."
        )
    groups = {example.group for example in examples.items if example.group and example.split == "train"}
    if torn := sorted({e.group for e in examples.items if e.group in groups and e.split != "train"}):
        say(
            f"Warning: groups with examples in the training set and outside of it: {len(torn)} ({torn[0]}, ...). "
            "The metrics will be too good."
        )
