"""Strata for examples that have several labels each."""

from collections import Counter
from collections.abc import Sequence


def by_rarest(examples: Sequence[Sequence[str]]) -> list[str | None]:
    """For each example the rarest of its labels ("" if it has none), so that rare labels reach both sides of a split.

    None, which means that the example must stay in training, for a few examples that together have every label.
    Examples that would be alone in their stratum share one.
    """
    counts = Counter(label for labels in examples for label in set(labels))
    strata: list[str | None] = [min(labels, key=lambda x: (counts[x], x), default="") for labels in examples]
    first: dict[str, int] = {}
    for place, labels in enumerate(examples):
        for label in labels:
            first.setdefault(label, place)
    covered: set[str] = set()
    for label in sorted(counts, key=lambda x: (counts[x], x)):
        if label not in covered:
            strata[first[label]] = None
            covered.update(examples[first[label]])
    for _ in ("alone", "alone still"):
        sizes = Counter(strata)
        strata = [x if x is None or sizes[x] > 1 else "" for x in strata]
    return strata if strata.count("") != 1 else [x or None for x in strata]
