"""Pairs that look alike are all found, and what is like nothing else stands out; without TensorFlow."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

from zoo.reports import nearness
from zoo.reports.nearness import near_pairs, outliers, usual_threshold


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def by_hand(features, threshold):
    """All pairs by the whole matrix of cosines."""
    x = features.astype("float64").reshape(len(features), -1)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return {(int(i), int(j)) for i, j in np.argwhere(np.triu(x @ x.T >= threshold, 1))}


@pytest.mark.parametrize("dim", [40, 400])
@pytest.mark.parametrize("noise", [0.1, 0.35])
def test_every_pair_above_the_threshold_is_found_across_blocks(dim, noise, monkeypatch):
    monkeypatch.setattr(nearness, "_BLOCK", 64)
    chance = np.random.default_rng(0)
    features = chance.normal(size=(500, dim)).astype("float32") * chance.uniform(0.1, 50, (500, 1)).astype("float32")
    features[300:] = features[:200] + noise * features[:200].std() * chance.normal(size=(200, dim))
    for threshold in (0.8, 0.95):
        expected = by_hand(features, threshold)
        pairs = near_pairs(features, threshold, 2_000)
        assert len(pairs) == len(expected) > 10
        assert {pair[:2] for pair in pairs} == expected
        assert [pair[2] for pair in pairs] == sorted((pair[2] for pair in pairs), reverse=True)
        assert near_pairs(features, threshold, 7) == pairs[:7]


def test_the_bound_leaves_little_to_compute(monkeypatch):
    chance = np.random.default_rng(0)
    centers = chance.normal(size=(20, 400))
    features = (np.repeat(centers, 20, axis=0) + 0.5 * chance.normal(size=(400, 400))).astype("float32")
    asked = []
    real = nearness._cosines
    monkeypatch.setattr(nearness, "_cosines", lambda unit, i, j: asked.append(len(i)) or real(unit, i, j))
    near_pairs(features, 0.95)
    assert sum(asked) < 400 * 399 / 2 / 5


def test_a_set_that_is_one_picture_ends_soon_with_the_first_pairs(monkeypatch):
    calls = []
    real = nearness._cosines
    monkeypatch.setattr(nearness, "_cosines", lambda *some: calls.append(1) or real(*some))
    assert near_pairs(np.ones((5_000, 200), "float32"), most=3) == [(0, 1, 1.0), (0, 2, 1.0), (0, 3, 1.0)]
    assert len(calls) == 1


def test_what_has_no_direction_is_like_nothing():
    features = np.ones((6, 4), "float32")
    features[0], features[1] = 0, 0
    features[2], features[3, 1] = np.nan, np.inf
    assert near_pairs(features) == [(4, 5, 1.0)]
    assert np.isfinite(outliers(features)).all()
    huge = np.full((2, 4), 3e38, "float32")
    assert near_pairs(huge) == [(0, 1, 1.0)]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_hardly_any_examples(count):
    features = np.eye(3, dtype="float32")[:count]
    assert near_pairs(features) == []
    assert outliers(features).tolist() == ([1.0, 1.0] if count == 2 else [0.0] * count)
    assert usual_threshold(features, "image") == 0.9


def test_maps_of_features_are_taken_as_they_are():
    features = np.random.default_rng(0).normal(size=(30, 2, 3, 4)).astype("float32")
    features[7] = 3 * features[2]
    assert near_pairs(features) == [(2, 7, 1.0)]


def test_strangers_stand_out_though_a_few_of_them_are_alike():
    chance = np.random.default_rng(0)
    centers = chance.normal(size=(5, 50))
    features = centers[np.arange(400) % 5] + 0.7 * chance.normal(size=(400, 50))
    features[-8:] = chance.normal(size=50) + 0.05 * chance.normal(size=(8, 50))
    strangest = np.argsort(-outliers(features.astype("float32")))[:8]
    assert set(strangest.tolist()) == set(range(392, 400))


def test_among_many_the_nearest_are_looked_for_in_a_part(monkeypatch):
    monkeypatch.setattr(nearness, "_OTHERS", 200)
    features = np.random.default_rng(0).normal(size=(1_000, 8)).astype("float32") + 2
    features[500] = -5
    found = outliers(features)
    assert found.argmax() == 500
    assert (found == outliers(features)).all()


def test_the_threshold_rises_where_everything_looks_alike():
    chance = np.random.default_rng(0)
    varied = chance.normal(size=(200, 60)).astype("float32")
    assert usual_threshold(varied, "image") == 0.9
    assert usual_threshold(varied, "text") == usual_threshold(varied, "audio") == 0.95
    alike = (chance.normal(size=60) + 0.2 * varied).astype("float32")
    assert len(near_pairs(alike, 0.95, 10**5)) > 10_000
    alike[150] = alike[3] * 1.5
    assert near_pairs(alike, usual_threshold(alike, "image")) == [(3, 150, 1.0)]
    same = np.ones((50, 4), "float32")
    assert near_pairs(same, usual_threshold(same, "image"))


def test_nothing_heavy_is_imported():
    program = "import sys, zoo.reports.nearness; print(sorted({m.split('.')[0] for m in sys.modules}))"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "numpy" not in printed
    assert "tensorflow" not in printed
