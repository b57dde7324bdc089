"""Metrics that several heads have, of one set of examples, and of many samples of them at once."""

from collections.abc import Callable

import numpy as np

Scores = Callable[[np.ndarray], dict[str, np.ndarray]]  # positions (samples, any) -> {metric: (samples,)}


def macro_f1(truth: np.ndarray, said: np.ndarray) -> float:
    """The mean F1 of all classes that are true or predicted at least once: two arrays (examples,) of classes.

    Like scikit-learn's `f1_score` with `average="macro"`, which warns where most classes occur once.
    """
    classes, numbers = np.unique(np.concatenate([truth, said]), return_inverse=True)
    true, predicted = np.split(numbers, 2)
    right, *each = (np.bincount(some, minlength=len(classes)) for some in (true[true == predicted], true, predicted))
    return float(np.mean(2 * right / sum(each)))


def average_precision(truth: np.ndarray, scores: np.ndarray) -> float:
    """The area under precision over recall, of truth bool (examples,), with some true, and scores (examples,).

    The same as scikit-learn's `average_precision_score`, which takes thirty times as long on a few hundred examples.
    """
    right, given = _steps(truth, scores)
    gained = np.diff(right, prepend=0)
    return float(np.sum(gained / right[-1] * right / given))


def best_threshold(truth: np.ndarray, scores: np.ndarray) -> tuple[float | None, float | None]:
    """The lowest score that is to count as a yes for the highest F1, and that F1; None for both if nothing is true."""
    if not truth.any():
        return None, None
    right, given = _steps(truth, scores)
    f1 = 2 * right / (given + right[-1])
    best = int(f1.argmax())
    return float(np.sort(scores)[::-1][given[best] - 1]), float(f1[best])


def _steps(truth: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each different score, from high to low: how many with at least that are true, and how many there are."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    return truth[order].cumsum()[ends], ends + 1


def weights_of(rows: np.ndarray, count: int) -> np.ndarray:
    """How often each of `count` examples is in each sample, float64 (samples, count), from positions (samples, any)."""
    flat = (np.arange(len(rows))[:, np.newaxis] * count + rows).ravel()
    return np.bincount(flat, minlength=len(rows) * count).reshape(len(rows), count).astype("float64")


def macro_f1_of_samples(truth: np.ndarray, said: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """`macro_f1` of each sample, (samples,): classes (examples,), positions of examples (samples, any)."""
    classes, numbers = np.unique(np.concatenate([truth, said]), return_inverse=True)
    true, predicted = np.split(numbers, 2)
    begin, size = np.arange(len(rows))[:, np.newaxis] * len(classes), len(rows) * len(classes)

    def counted(of: np.ndarray) -> np.ndarray:
        return np.bincount(of.ravel(), minlength=size).reshape(len(rows), -1)

    right = np.bincount((true[rows] + begin)[(true == predicted)[rows]], minlength=size).reshape(len(rows), -1)
    both = counted(true[rows] + begin) + counted(predicted[rows] + begin)
    f1 = np.divide(2 * right, both, out=np.zeros(right.shape), where=both > 0)
    return np.asarray(f1.sum(axis=1) / (both > 0).sum(axis=1))


def average_precision_of_samples(truth: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """`average_precision` of each sample, (samples,); NaN where nothing is true."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    given = weights[:, order].cumsum(axis=1)[:, ends]
    right = (weights[:, order] * truth[order]).cumsum(axis=1)[:, ends]
    gained = np.diff(right, prepend=0, axis=1)
    precision = np.divide(right, given, out=np.zeros_like(right), where=given > 0)
    with np.errstate(invalid="ignore"):
        return np.asarray((gained * precision).sum(axis=1) / right[:, -1])
