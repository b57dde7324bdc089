"""Figures for a report that several heads have."""

from collections.abc import Sequence
from typing import Any

import numpy as np

BINS = 10
_EVEN = 0.01  # between what was said and what was right


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


def calibration(confidence: np.ndarray, right: np.ndarray, of: str = "answer") -> dict[str, Any]:
    """How often answers are right, by their probability, both (answers,); and the expected calibration error.

    Guo et al. 2017, with ten bins of equal width; a bin without answers is left out, and so is what is no number.
    """
    finite = np.isfinite(confidence)
    confidence, right = confidence[finite].astype("float64"), right[finite]
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    used = counts > 0
    said = np.bincount(bins, confidence, BINS)[used] / counts[used]
    true = np.bincount(bins, right, BINS)[used] / counts[used]
    error = float(np.sum(counts[used] / max(counts.sum(), 1) * np.abs(said - true)))
    more = float(confidence.mean() - right.mean()) if len(right) else 0.0
    sure = "too sure of itself" if more > 0 else "not sure enough"
    note = f"Expected calibration error {error:.3f} (0 is best)."
    return {
        "kind": "curve",
        "title": "Are the probabilities right?",
        "lines": {f"{of}s": {"x": said.tolist(), "y": true.tolist(), "counts": counts[used].tolist()}},
        "names": [f"probability of the {of}", f"share of right {of}s"],
        "diagonal": True,
        "value": error,
        "note": note if abs(more) < _EVEN else f"{note} On the whole the model is {sure}.",
    }
