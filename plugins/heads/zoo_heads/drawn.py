"""Figures for a report that several heads have."""

from collections.abc import Sequence
from typing import Any

import numpy as np

BINS = 10


def of_each(
    title: str, labels: Sequence[str], right: np.ndarray, given: np.ndarray, true: np.ndarray, **more: Sequence[Any]
) -> dict[str, Any]:
    """A table with precision, recall and F1 of each label, from how often it was right, given, and true.

    What has no value, such as the precision of a label that was never given, is None. `more` are further columns.
    """
    rows = [
        [label, _share(r, g), _share(r, t), _share(2 * r, g + t), int(t), int(g), *rest]
        for label, r, g, t, *rest in zip(labels, right, given, true, *more.values(), strict=True)
    ]
    names = ["label", "precision", "recall", "f1", "true", "given", *more]
    return {"kind": "table", "title": title, "columns": names, "rows": rows}


def _share(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None


def calibration(confidence: np.ndarray, right: np.ndarray) -> dict[str, Any]:
    """How often answers are right, by their probability, both (answers,); and the expected calibration error.

    Guo et al. 2017, with ten bins of equal width; a bin without answers is left out.
    """
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    used = counts > 0
    said = np.bincount(bins, confidence, BINS)[used] / counts[used]
    true = np.bincount(bins, right, BINS)[used] / counts[used]
    error = float(np.sum(counts[used] / counts.sum() * np.abs(said - true)))
    more = "too sure of itself" if float(confidence.mean()) > float(right.mean()) else "not sure enough"
    return {
        "kind": "curve",
        "title": "Are the probabilities right?",
        "lines": {"answers": {"x": said.tolist(), "y": true.tolist(), "counts": counts[used].tolist()}},
        "names": ["probability of the answer", "share of right answers"],
        "diagonal": True,
        "value": error,
        "note": f"Expected calibration error {error:.3f} (0 is best). On the whole the model is {more}.",
    }
