"""Splits examples into training and validation: stratified by target, decided only by content and seed."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from zoo.data.examples import Example, Examples, Target
from zoo.errors import BadData
from zoo.progress import say

FRACTION = 0.2


Strata = Callable[[Sequence[Target]], Sequence[Any]]


def assign(examples: Examples, validation: Examples | None, seed: int, strata: Strata = list) -> None:
    """Assign each example to a split: training, validation or test.

    The user's choice is kept: split folders, a column `split`, or a whole data set given as `validation`, which is
    added. If none of them gives validation examples, a fifth of each stratum of the training examples is used.
    `strata` gives the stratum of each target, or None for a target that must stay in training.
    """
    if validation is not None:
        for example in validation.items:
            example.split = "validation"
        examples.items += validation.items
        examples.skipped += validation.skipped
    if not examples.of("validation"):
        split([e for e in examples.items if e.split != "test"], FRACTION, seed, strata)
    for example in examples.items:
        example.split = example.split or "train"
    _warn_of_leaks(examples)


def split(examples: list[Example], fraction: float, seed: int, strata: Strata = list) -> None:
    """Assign `fraction` of each stratum's examples to validation, and the rest to training.

    Neither the order nor the names of the files matter: within a stratum, the examples are ranked by a hash of seed and
    content, and the first ones go to validation. Examples with the same content stay together. Adding examples moves at
    most as many others to the other split. Raises `BadData` if a stratum has only one example.
    """
    target_of: dict[str, Target] = {}
    for example in sorted(examples, key=lambda e: (e.content, e.written)):
        target_of.setdefault(example.content, example.target)
    by_target: dict[Any, list[str]] = defaultdict(list)
    for content, stratum in zip(target_of, strata(list(target_of.values())), strict=True):
        if stratum is not None:
            by_target[stratum].append(content)
    _refuse_single_examples(by_target)
    chosen: set[str] = set()
    for contents in by_target.values():
        count = min(max(round(fraction * len(contents)), 1), len(contents) - 1)
        contents.sort(key=lambda content: hashlib.blake2b(f"{seed}/{content}".encode()).digest())
        chosen.update(contents[:count])
    for example in examples:
        example.split = "validation" if example.content in chosen else "train"


def _refuse_single_examples(by_target: dict[Any, list[str]]) -> None:
    if len(by_target) < 2:
        return  # the head reports a single class
    lonely = sorted(str(target) for target, contents in by_target.items() if len(contents) == 1)
    if lonely:
        raise BadData(
            f"The class {lonely[0]!r} has one distinct example. It needs at least two, one for training and one for "
            "validation. Add examples, remove the class, or give a validation set with --val."
        )


def _warn_of_leaks(examples: Examples) -> None:
    learnt = {example.content for example in examples.of("train")}
    leaked = [e.input for e in examples.of("validation") + examples.of("test") if e.content in learnt]
    if leaked:
        say(
            f"Warning: {len(leaked)} of the examples given for validation or testing are also in the training set "
            f"({leaked[0]}, ...). The metrics will be too good."
        )
