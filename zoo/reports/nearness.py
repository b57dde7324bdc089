"""Which examples look alike, and which like no other: by the cosine of their features."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

Pair = tuple[int, int, float]

ALIKE = {"image": 0.9, "text": 0.95}  # the cosine from which two examples look alike; `ALIKE_OTHERS` for other inputs
ALIKE_OTHERS = 0.95

_BLOCK = 1_024  # rows that are compared at once
_DIRECTIONS = 95  # that are compared first, of those with the largest share
_SOME = 4_000  # examples that decide on directions, and on what is usual
_OTHERS = 10_000  # examples that are compared with, to find how far the nearest are
_DECIMALS, _ROUNDING = 5, 1e-5
_USUAL = 10  # the neighbour whose similarity is usual: copies of an example are fewer
_OF_THE_WAY = 0.25


def near_pairs(features: np.ndarray, threshold: float = 0.95, most: int = 1_000) -> list[Pair]:
    """The pairs of examples whose features have at least this cosine, the most similar first: at most `most`.

    features   float32 (examples, ...); those that are all 0, or not finite, are like nothing
    threshold  above 0, at most 1

    Each pair is (position, later position, cosine to five decimals); of equally similar ones the first are kept. No
    pair is missed, whatever the number of examples: a bound on the cosine is computed first, in fewer dimensions, and
    the cosine itself where the bound reaches the threshold. Takes memory for a copy of the features, and time that
    grows with the square of the number of examples.
    """
    import numpy as np

    unit = _unit(features)
    bounding = _bounding(unit)
    best: list[tuple[float, int, int]] = []  # a heap: the least similar first, and of these the last
    for start, other in _tiles(len(unit)):
        least = best[0][0] + _ROUNDING if len(best) == most else threshold
        if least > 1:
            break
        bound = bounding[start : start + _BLOCK] @ bounding[other : other + _BLOCK].T
        i, j = np.nonzero(bound >= least - _ROUNDING)
        i, j = i + start, j + other
        i, j = i[j > i], j[j > i]
        cosines = np.minimum(_cosines(unit, i, j).round(_DECIMALS), 1)
        enough = np.flatnonzero(cosines >= least - _ROUNDING / 2)
        for place in enough[np.argsort(-cosines[enough], kind="stable")[:most]].tolist():
            found = float(cosines[place]), -int(i[place]), -int(j[place])
            (heapq.heappush if len(best) < most else heapq.heappushpop)(best, found)
    return [(-one, -two, cosine) for cosine, one, two in sorted(best, reverse=True)]


def outliers(features: np.ndarray, neighbours: int = 20) -> np.ndarray:
    """How far each example is from the others: 1 - the cosine to its 20th nearest, float64 (examples,), 0 to 2.

    features    float32 (examples, ...); those that are all 0, or not finite, are at distance 1 from everything
    neighbours  which of the nearest counts; at most a tenth of all examples, and at least the first

    The larger, the stranger; 0 for a single example. A group of strangers that is smaller than `neighbours` is found,
    although they are near each other; a larger one is not. Among more than 10,000 examples, the nearest are looked for
    in 10,000 that chance chooses, the same each time.
    """
    import numpy as np

    nearest = _nearest(features, max(min(neighbours, len(features) // 10), 1))
    distances: np.ndarray = np.maximum(1 - nearest[:, -1], 0) if nearest.shape[1] else np.zeros(len(nearest))
    return distances


def usual_threshold(features: np.ndarray, modality: str) -> float:
    """The cosine from which two examples of this data set look alike: above 0, below 1.

    It is that of the modality, but higher where all examples resemble each other: three quarters of the way to 1 from
    what is usual, the median of the similarities to the tenth nearest example.
    """
    import numpy as np

    chosen = np.sort(np.random.default_rng(0).permutation(len(features))[:_SOME])
    nearest = _nearest(features[chosen], _USUAL)
    usual = float(np.median(nearest[:, -1])) if nearest.shape[1] == _USUAL else 0.0
    return max(ALIKE.get(modality, ALIKE_OTHERS), min(1 - _OF_THE_WAY * (1 - usual), 1 - 10 * _ROUNDING))


def _nearest(features: np.ndarray, neighbours: int) -> np.ndarray:
    """The largest cosines with other examples, the largest first, float64 (examples, at most `neighbours`)."""
    import numpy as np

    unit = _unit(features)
    others = np.sort(np.random.default_rng(0).permutation(len(unit))[:_OTHERS])
    count = max(min(neighbours, len(others) - 1), 0)
    place = np.full(len(unit), -1)
    place[others] = np.arange(len(others))
    compared, found = unit[others], np.empty((len(unit), count))
    for start in range(0, len(unit), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(unit)))
        cosines = unit[rows] @ compared.T
        itself = place[rows] >= 0
        cosines[itself, place[rows[itself]]] = -np.inf
        if count:
            found[rows] = -np.sort(-np.partition(cosines, -count, axis=1)[:, -count:], axis=1)
    return found


def _unit(features: np.ndarray) -> np.ndarray:
    """Features with length 1, float32 (examples, dim), or 0 where that is impossible."""
    import numpy as np

    flat = np.array(features, "float32").reshape(len(features), math.prod(features.shape[1:]))
    flat[~np.isfinite(flat).all(axis=1)] = 0
    flat /= np.maximum(np.abs(flat).max(axis=1, initial=0, keepdims=True), np.float32(1e-30))
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), np.float32(1e-30))
    return flat


def _bounding(unit: np.ndarray) -> np.ndarray:
    """Vectors (examples, fewer) whose products are at least as large as the cosines.

    Along the main directions they are the same; and the product of what is left is at most that of its lengths.
    """
    import numpy as np

    if unit.shape[1] <= 2 * _DIRECTIONS or not len(unit):
        return unit
    some = unit[np.random.default_rng(0).permutation(len(unit))[:_SOME]].astype("float64")
    directions = np.linalg.eigh(some.T @ some)[1][:, -_DIRECTIONS:].astype("float32")
    along = unit @ directions
    left = np.sqrt(np.maximum(1 - np.square(along).sum(axis=1), 0) + np.float32(_ROUNDING))
    return np.column_stack([along, left])


def _tiles(count: int) -> Iterator[tuple[int, int]]:
    for start in range(0, count, _BLOCK):
        for other in range(start, count, _BLOCK):
            yield start, other


def _cosines(unit: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """The cosines of pairs, float64, in pieces of a few megabytes."""
    import numpy as np

    found = np.empty(len(i))
    for start in range(0, len(i), _BLOCK):
        some = slice(start, start + _BLOCK)
        found[some] = np.einsum("nd,nd->n", unit[i[some]], unit[j[some]], dtype="float64")
    return found
