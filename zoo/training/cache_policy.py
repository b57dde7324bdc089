"""Decides by an estimate whether the features of the frozen part are cached, or computed in every epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from zoo.compose.partition import Partition
from zoo.data.examples import Example
from zoo.data.reader import Reader
from zoo.features.disk import room
from zoo.plan import Phase, Plan
from zoo.progress import say

_COMPUTING = 1e11  # multiplications per second
_WRITING = 2e8  # bytes per second
_NUMBER = 4  # bytes per number
_LETTERS = 4  # per token
_SAMPLE = 1000  # examples


def is_cached(
    partition: Partition,
    plan: Plan,
    phase: Phase,
    examples: Sequence[Example],
    reader: Reader,
    views: int,
    complete: Callable[[], bool],
) -> bool:
    """Decide for a phase and its examples, with `views` views of each; gives a message if the answer is not obvious.

    complete  whether all of the features are cached already; asked only if there is no room for them

    The time saved (all epochs but one for each view) has to exceed the time for writing, and the disk and
    ZOO_CACHE_SIZE must have room. If the whole backbone is frozen, only the room counts: later runs use the features.
    """
    if plan.cache == "off":
        return False
    positions = _positions(examples, reader)
    each = _NUMBER * sum(math.prod(size or positions for size in t.shape[1:]) for t in partition.front.outputs)
    size = each * len(examples) * views
    several = f", {views} views of each" if views > 1 else ""
    about = f"The features of the frozen part take about {size / 1e6:,.0f} MB for {len(examples)} examples{several}"
    anyway = "--cache on caches them anyway."
    if plan.cache == "auto" and size > (left := room()) and not complete():
        say(f"{about}, but there is room for {left / 1e6:,.0f} MB, so they are computed in every epoch. {anyway}")
        return False
    if plan.cache == "auto" and phase.unfreeze != 0:
        spared = partition.work * positions * len(examples) / _COMPUTING * (phase.epochs - views)
        if spared < size / _WRITING:
            say(f"{about}. Caching them would save too little, so they are computed in every epoch. {anyway}")
            return False
    if phase.unfreeze != 0:
        say(f"{about}. They are computed once and cached. --cache off computes them in every epoch.")
    return True


def _positions(examples: Sequence[Example], reader: Reader) -> int:
    """The average number of tokens in a text; 1 if examples have no length."""
    letters = [reader.length(example.raw) for example in examples[:_SAMPLE]]
    if not letters or letters[0] is None:
        return 1
    return 2 + sum(length or 0 for length in letters) // (_LETTERS * len(letters))
