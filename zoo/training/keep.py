"""Whether what the frozen part of a model gives is kept on disk, or computed in every epoch: an estimate decides."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from pathlib import Path

from zoo.compose.cut import Parted
from zoo.data.examples import Example
from zoo.features.disk import features_folder, limit
from zoo.progress import say
from zoo.training.plan import Cache, Phase

_COMPUTING = 1e11  # multiplications a second
_WRITING = 2e8  # bytes a second
_NUMBER = 4  # bytes
_CHARACTERS = 4  # of a token


def is_kept(parted: Parted, phase: Phase, examples: Sequence[Example], cache: Cache, views: int = 1) -> bool:
    """Decide for a phase and its examples, of each so many `views`, and say so where it is not a matter of course.

    The time that is spared (all epochs but one for each view) has to be longer than the time of writing, and the disk
    and ZOO_CACHE_SIZE must have room. Features of a backbone that is frozen as a whole are kept for later runs too.
    """
    if cache == "off":
        return False
    tokens = _tokens(examples)
    each = _NUMBER * sum(math.prod(size or tokens for size in t.shape[1:]) for t in parted.front.outputs)
    size = each * len(examples) * views
    spared = parted.work * (1 if isinstance(examples[0].raw, Path) else tokens) * len(examples) / _COMPUTING
    spared *= phase.epochs - views
    several = f", {views} views of each" if views > 1 else ""
    about = f"What the frozen part gives takes about {size / 1e6:,.0f} MB for {len(examples)} examples{several}"
    if cache == "auto" and size > (room := min(limit(), _free())):
        say(f"{about}, and there is room for {room / 1e6:,.0f} MB: it is computed in every epoch. --cache on keeps it.")
        return False
    if cache == "auto" and phase.unfreeze != 0 and spared < size / _WRITING:
        say(f"{about}, and keeping it would spare too little: it is computed in every epoch. --cache on keeps it.")
        return False
    if phase.unfreeze != 0:
        say(f"{about}: it is computed once, and kept. --cache off computes it in every epoch.")
    return True


def _tokens(examples: Sequence[Example]) -> int:
    """Tokens of a text, on average."""
    texts = [example.raw for example in examples[:1000] if not isinstance(example.raw, Path)]
    letters = sum(len(text) if isinstance(text, str) else sum(map(len, text)) for text in texts)
    return 2 + letters // (_CHARACTERS * max(len(texts), 1))


def _free() -> int:
    """Bytes on the disk of the cache that may be taken: nine tenths of what is free."""
    folder = features_folder()
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free * 9 // 10
