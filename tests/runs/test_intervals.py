"""Intervals hold the truth as often as they say, and are where textbooks have them."""

import numpy as np
import pytest

from zoo.catalog import catalog
from zoo.compose.head import make_task
from zoo.runs.intervals import bootstrap, intervals, wilson


def test_shares_have_wilsons_interval():
    # Newcombe (1998), table I, method 3
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=1e-4)


def _judged(count, seed=0):
    rng = np.random.default_rng(seed)
    task = make_task(catalog().head("classification"), {})
    targets = [f"c{i}" for i in rng.integers(0, 3, count)]
    task.learn(["c0", "c1", "c2"], ("label",))
    encoded = task.encode(targets)
    outputs = np.exp(rng.normal(size=(count, 3)) + 2 * np.eye(3)[encoded])
    outputs /= outputs.sum(1, keepdims=True)
    return task, encoded, outputs, task.score(encoded, outputs)


@pytest.mark.parametrize("count", [30, 5_000])
def test_every_metric_is_inside_of_its_interval_which_is_the_same_each_time(count):
    task, encoded, outputs, metrics = _judged(count)
    found = intervals(task, encoded, outputs, metrics)
    assert list(found) == list(metrics)
    assert all(found[name][0] < value < found[name][1] for name, value in metrics.items())
    assert found["accuracy"] == wilson(round(metrics["accuracy"] * count), count)
    assert intervals(task, encoded, outputs, metrics) == found


def test_more_examples_make_it_narrower():
    widths = []
    for count in (50, 200, 1_800, 7_200):
        task, encoded, outputs, metrics = _judged(count)
        low, high = intervals(task, encoded, outputs, metrics)["macro_f1"]
        widths.append(high - low)
    ratios = np.divide(widths[:-1], widths[1:])
    assert ratios == pytest.approx([2, 3, 2], rel=0.35)


def test_what_is_the_same_for_all_samples_has_no_interval():
    task, encoded, _, _ = _judged(40)
    perfect = np.eye(3)[encoded]
    found = intervals(task, encoded, perfect, task.score(encoded, perfect))
    assert set(found) == {"accuracy"}
    assert found["accuracy"][1] == 1
    assert intervals(task, encoded[:1], perfect[:1], {"accuracy": 1.0}) == {}


def test_a_head_without_fast_scores_has_intervals_too():
    task, encoded, outputs, metrics = _judged(60)
    fast = intervals(task, encoded, outputs, metrics)

    class Slow(type(task)):
        scores = type(task).__mro__[1].scores

    slow = Slow.restore(task.state())
    assert intervals(slow, encoded, outputs, metrics) == {name: pytest.approx(ends) for name, ends in fast.items()}


@pytest.mark.parametrize("count", [50, 200])
def test_the_interval_of_a_mean_error_holds_the_truth(count):
    """Coverage with 300 data sets; `benchmarks/intervals.py` has 2,000 of each kind and size."""
    truth, held = np.sqrt(2 / np.pi), 0
    for seed in range(300):
        off = np.abs(np.random.default_rng(seed).normal(size=count))
        ((low, high),) = bootstrap(lambda rows, off=off: off[rows].mean(axis=1)[None], count, 1)
        held += low <= truth <= high
    assert 0.91 <= held / 300 <= 0.985
