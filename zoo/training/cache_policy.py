"""Whether the features of a model's frozen part are cached on disk, or computed in every epoch: an estimate decides."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence

from zoo.compose.partition import Partition
from zoo.data.examples import Example
from zoo.data.reader import Reader
from zoo.features.disk import features_folder, limit
from zoo.progress import say
from zoo.runs.plan import Phase, Plan

_COMPUTING = 1e11  # multiplications a second
_WRITING = 2e8  # bytes a second
_NUMBER = 4  # bytes
_LETTERS = 4  # of a token
_SAMPLE = 1000  # examples


def is_cached(
    partition: Partition, plan: Plan, phase: Phase, examples: Sequence[Example], reader: Reader, views: int = 1
) -> bool:
    """Decide for a phase and its examples, of each so many `views`, and say so where it is not a matter of course.

    The time that is spared (all epochs but one for each view) has to be longer than the time of writing, and the disk
    and ZOO_CACHE_SIZE must have room. Features of a backbone that is frozen as a whole are kept for later runs too.
    """
    if plan.cache == "off":
        return False
    positions = _positions(examples, reader)
    each = _NUMBER * sum(math.prod(size or positions for size in t.shape[1:]) for t in partition.front.outputs)
    size = each * len(examples) * views
    spared = partition.work * positions * len(examples) / _COMPUTING * (phase.epochs - views)
    several = f", {views} views of each" if views > 1 else ""
    about = f"The features of the frozen part take about {size / 1e6:,.0f} MB for {len(examples)} examples{several}"
    anyway = "--cache on caches them anyway."
    if plan.cache == "auto" and size > (room := min(limit(), _free())):
        say(f"{about}, and there is room for {room / 1e6:,.0f} MB: they are computed in every epoch. {anyway}")
        return False
    if plan.cache == "auto" and phase.unfreeze != 0 and spared < size / _WRITING:
        say(f"{about}, and caching them would save too little: they are computed in every epoch. {anyway}")
        return False
    if phase.unfreeze != 0:
        say(f"{about}: they are computed once, and cached. --cache off computes them in every epoch.")
    return True


def _positions(examples: Sequence[Example], reader: Reader) -> int:
    """Tokens of a text, on average; 1 where examples have no length."""
    letters = [reader.length(example.raw) for example in examples[:_SAMPLE]]
    if not letters or letters[0] is None:
        return 1
    return 2 + sum(length or 0 for length in letters) // (_LETTERS * len(letters))


def _free() -> int:
    """Bytes on the disk of the cache that may be taken: nine tenths of what is free."""
    folder = features_folder()
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free * 9 // 10
