"""95 % intervals of metrics: how far they may be from the truth, because only so many examples were judged."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zoo.filters import filtered
from zoo.inference.arrays import Arrays, count

if TYPE_CHECKING:
    import numpy as np

    from zoo.compose.task import Task

Interval = tuple[float, float]

LEVEL = 0.95
_SAMPLES = 2_000
_MANY = 2_000  # examples; with more, the interval is symmetric, and its width is known from fewer samples
_FEW_SAMPLES = 200
_AT_ONCE = 2_000_000  # positions of examples


def intervals(task: Task, encoded: Arrays, outputs: Arrays, metrics: Mapping[str, float]) -> dict[str, Interval]:
    """The interval of each metric that has one, (low, high), in the units of the metric.

    Shares: Wilson's (1927). Others: the bias-corrected and accelerated bootstrap (BCa, Efron 1987), widened for few
    examples as Hesterberg (2015) advises; for more than 2,000 examples, 1.96 standard errors of the bootstrap.
    A metric that is no number, or is the same for every sample, has none.
    """
    examples = count(encoded)
    if examples < 2:
        return {}
    shares = {name: values for name, values in task.each(encoded, outputs).items() if values.dtype == bool}
    found = {name: wilson(round(float(values.sum())), examples) for name, values in shares.items()}
    others = [name for name in metrics if name not in shares]
    if others:
        found |= _bootstrapped(task, encoded, outputs, metrics, others)
    return {name: found[name] for name in metrics if name in found and _is_interval(found[name])}


def wilson(right: int, examples: int) -> Interval:
    """Wilson's interval of a share: `right` of so many examples.

    >>> low, high = wilson(80, 100)
    >>> round(low, 3), round(high, 3)
    (0.711, 0.867)
    """
    from scipy.stats import binomtest

    interval = binomtest(right, examples).proportion_ci(LEVEL, method="wilson")
    return float(interval.low), float(interval.high)


def bootstrap(statistic: Any, examples: int, names: int) -> list[Interval]:
    """The intervals of `statistic`, which turns positions of examples, int (samples, any), into (names, samples)."""
    import numpy as np
    from scipy import stats

    def along(rows: np.ndarray, axis: int) -> np.ndarray:
        made = statistic(rows.reshape(-1, rows.shape[-1]))
        return np.asarray(made, "float64").reshape(names, *rows.shape[:-1])

    settings: dict[str, Any] = {"vectorized": True, "axis": -1, "rng": np.random.default_rng(0)}
    settings["batch"] = max(1, _AT_ONCE // examples)
    rows = (np.arange(examples),)
    if examples > _MANY:
        found = stats.bootstrap(rows, along, n_resamples=_FEW_SAMPLES, method="percentile", **settings)
        center, width = along(rows[0], -1), stats.norm.ppf((1 + LEVEL) / 2) * found.standard_error
        samples = found.bootstrap_distribution
        low = np.where(samples.min(axis=-1) >= 0, 0, -np.inf)  # of what is never below 0, nor above 1
        high = np.where(np.abs(samples).max(axis=-1) <= 1, 1, np.inf)
        ends = np.maximum(center - width, low), np.minimum(center + width, high)
        return list(zip(*(end.tolist() for end in ends), strict=True))
    with filtered("ignore"), np.errstate(all="ignore"):  # metrics may be the same in all samples
        wide = stats.bootstrap(
            rows, along, n_resamples=_SAMPLES, confidence_level=_widened(examples), method="BCa", **settings
        ).confidence_interval
    return list(zip(np.atleast_1d(wide.low).tolist(), np.atleast_1d(wide.high).tolist(), strict=True))


def _bootstrapped(
    task: Task, encoded: Arrays, outputs: Arrays, metrics: Mapping[str, float], names: list[str]
) -> dict[str, Interval]:
    import numpy as np

    scores = task.scores(encoded, outputs)

    def statistic(rows: np.ndarray) -> np.ndarray:
        made = scores(rows)
        return np.stack([np.broadcast_to(made[name], len(rows)) for name in names])

    return dict(zip(names, bootstrap(statistic, count(encoded), len(names)), strict=True))


def _widened(examples: int) -> float:
    """The level at which the bootstrap of so few examples holds the truth in 95 % of cases, found by simulation."""
    from scipy import stats

    low = stats.norm.cdf((examples + 1) / (examples - 1) * stats.t.ppf((1 - LEVEL) / 2, examples - 1))
    return float(1 - 2 * low)


def _is_interval(found: Interval) -> bool:
    return all(map(math.isfinite, found))
