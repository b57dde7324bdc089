"""Entities and their figures, compared with those of the package seqeval, which was the reference for them."""

import random
import warnings

import pytest

from zoo_heads.entities import counts_by_type, entities_of, figures_of, forms_entities

SCHEMES = {
    "IOB1": ["O", "I-A", "I-B", "B-A"],
    "IOB2": ["O", "B-A", "I-A", "B-B", "I-B"],
    "without types": ["O", "B", "I", "I-A", "I-_"],
    "IOBES": ["O", "B-A", "I-A", "E-A", "S-A", "B-B", "E-B", "S-B"],
}


def test_entities_of_every_scheme():
    assert entities_of(["O", "B-A", "I-A", "O"]) == [("A", 1, 3)]
    assert entities_of(["B-A", "B-A", "I-B"]) == [("A", 0, 1), ("A", 1, 2), ("B", 2, 3)]
    assert entities_of(["I-A", "I-A", "B-A"]) == [("A", 0, 2), ("A", 2, 3)]
    assert entities_of(["S-A", "B-A", "I-A", "E-A", "S-B"]) == [("A", 0, 1), ("A", 1, 4), ("B", 4, 5)]
    assert entities_of(["U-A", "B-A", "L-A", "U-A"]) == [("A", 0, 1), ("A", 1, 3), ("A", 3, 4)]
    assert entities_of(["B", "I", "O", "LOC", "LOC", "PER"]) == [("_", 0, 2), ("LOC", 3, 5), ("PER", 5, 6)]
    assert entities_of([]) == []


SAME = {
    "IOB1": ["I-A", "I-A", "B-A", "O", "I-B"],
    "IOB2": ["B-A", "I-A", "B-A", "O", "B-B"],
    "IOBES": ["B-A", "E-A", "S-A", "O", "S-B"],
    "BILOU": ["B-A", "L-A", "U-A", "O", "U-B"],
    "BMES": ["B-A", "E-A", "S-A", "O", "S-B"],
    "BMEWO": ["B-A", "E-A", "W-A", "O", "W-B"],
}
LONG = {"IOB1": "I-A I-A I-A", "IOB2": "B-A I-A I-A", "IOBES": "B-A I-A E-A", "BILOU": "B-A I-A L-A"}


@pytest.mark.parametrize("scheme", SAME)
def test_the_same_entities_in_every_scheme(scheme):
    assert entities_of(SAME[scheme]) == [("A", 0, 2), ("A", 2, 3), ("B", 4, 5)]
    assert entities_of(LONG.get(scheme, "B-A M-A E-A").split()) == [("A", 0, 3)]
    cut = ["O", *SAME[scheme][1:]]  # the first entity begins too late, the others are right
    figures = figures_of(counts_by_type([SAME[scheme]], [cut]))
    assert figures == pytest.approx({"f1": 2 / 3, "precision": 2 / 3, "recall": 2 / 3})


def test_tags_that_form_entities():
    assert forms_entities(["I-PER", "O"])
    assert forms_entities(["U-PER", "O"])
    for others in (["NN", "VB"], ["0", "1"], ["U-x", "V-y"], ["O", "X"]):
        assert not forms_entities(others)


def test_figures_from_counts():
    truth, said = [["B-A", "I-A", "O", "B-B"]], [["B-A", "I-A", "O", "B-A"]]
    assert counts_by_type(truth, said) == {"A": (1, 2, 1), "B": (0, 0, 1)}
    assert figures_of(counts_by_type(truth, said)) == {"f1": 0.5, "precision": 0.5, "recall": 0.5}
    assert figures_of(counts_by_type([["O"]], [["O"]])) == {"f1": 0.0, "precision": 0.0, "recall": 0.0}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_figures_are_those_of_seqeval(scheme):
    metrics = pytest.importorskip("seqeval.metrics", reason="seqeval is not installed: make references")
    from seqeval.metrics.sequence_labeling import get_entities

    chance = random.Random(scheme)
    for _ in range(200):
        truth = [[chance.choice(SCHEMES[scheme]) for _ in range(chance.randint(1, 9))] for _ in range(4)]
        said = [[chance.choice([tag, chance.choice(SCHEMES[scheme])]) for tag in tags] for tags in truth]
        for tags in truth + said:
            assert entities_of(tags) == [(kind, start, end + 1) for kind, start, end in get_entities(tags)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = {name: getattr(metrics, f"{name}_score")(truth, said) for name in ("f1", "precision", "recall")}
        assert figures_of(counts_by_type(truth, said)) == pytest.approx(expected)
