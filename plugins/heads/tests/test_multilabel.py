"""Several labels for each example, given in one column or in several."""

import numpy as np
import pytest
from sklearn import metrics

import zoo
from zoo.catalog import catalog
from zoo.compose.head import make_task, restore_task
from zoo.data.examples import Example
from zoo.data.split import split


def _task(targets, columns=("label",), **options):
    task = make_task(catalog().head("multilabel"), options)
    task.learn(targets, columns)
    return task


def test_figures_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    task = _task(["a|b|c|d"])
    encoded = (rng.random((200, 4)) < 0.3).astype("float32")
    encoded[:, 3] = 0  # the last label does not occur
    outputs = rng.random((200, 4)).astype("float32")
    score = task.score(encoded, outputs)
    assert score == pytest.approx(
        {
            "mean_average_precision": metrics.average_precision_score(encoded[:, :3], outputs[:, :3], average="macro"),
            "micro_f1": metrics.f1_score(encoded, outputs >= 0.5, average="micro"),
            "macro_f1": metrics.f1_score(encoded[:, :3], outputs[:, :3] >= 0.5, average="macro"),
        }
    )
    assert set(task.score(encoded * 0, outputs).values()) == {0.0}


def test_labels_stand_in_one_column_or_in_several():
    one = _task(["b|a", " a | c ", "|", "b"])
    assert one.state()["labels"] == ["a", "b", "c"]
    assert one.encode(["c|a", "|"]).tolist() == [[1, 0, 1], [0, 0, 0]]
    several = _task([("1", "0"), ("0", "True"), ("0.0", "no")], ("wet", "cold"))
    assert several.state()["labels"] == ["wet", "cold"]
    assert several.encode([("1", "1"), ("0", "0")]).tolist() == [[1, 1], [0, 0]]
    assert restore_task("multilabel", several.state()).encode([("1", "0")]).tolist() == [[1, 0]]


def test_an_answer_has_the_labels_above_the_threshold_and_all_probabilities():
    likely, none = _task(["a|b|c"], threshold=0.6).decode(np.array([[0.7, 0.1, 0.9], [0.5, 0.5, 0.5]]), ["", ""])
    assert likely["labels"] == ["c", "a"]
    assert list(likely["probabilities"]) == ["c", "a", "b"]
    assert none["labels"] == []


@pytest.mark.parametrize(
    ("targets", "columns", "said"),
    [
        (["a", "a"], ("label",), "Number of labels: 1"),
        ([("1", "maybe")], ("x", "y"), "column 'y' has 'maybe'"),
        ([("1", "0")], ("x", "y"), "No training example has the label 'y'"),
    ],
)
def test_what_is_no_target_is_a_sentence(targets, columns, said):
    with pytest.raises(zoo.BadData, match=said):
        _task(targets, columns)
    with pytest.raises(zoo.BadData, match="'z' is not a label"):
        _task(["a|b"]).encode(["z"])
    with pytest.raises(zoo.BadPlan, match=r"threshold=1\.0"):
        _task(["a|b"], threshold=1.0)


@pytest.mark.parametrize("seed", range(20))
def test_every_label_is_trained_on_however_rare_it_is(seed):
    rng = np.random.default_rng(seed)
    labels = [f"l{i}" for i in range(12)]
    shares = np.geomspace(0.5, 0.01, 12)
    targets = ["|".join(np.array(labels)[rng.random(12) < shares]) or "|" for _ in range(80)]
    examples = [Example(str(i), str(i), target, content=str(i)) for i, target in enumerate(targets)]
    task = _task(targets)
    split(examples, 0.2, seed, task.strata)
    trained = {label for e in examples if e.split == "train" for label in e.target.split("|")}
    assert trained == {label for target in targets for label in target.split("|")}
    assert 5 <= sum(e.split == "validation" for e in examples) <= 24
