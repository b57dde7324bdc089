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


def test_one_label_that_occurs_is_judged_as_a_label_not_as_two_classes():
    task = _task(["a|b"])
    encoded = np.array([[1, 0], [1, 0], [0, 0], [0, 0]], "float32")
    outputs = np.array([[0.9, 0.1], [0.2, 0.1], [0.1, 0.2], [0.3, 0.1]], "float32")
    score = task.score(encoded, outputs)
    assert score["macro_f1"] == pytest.approx(metrics.f1_score(encoded[:, 0], outputs[:, 0] >= 0.5))  # 2/3
    assert score["micro_f1"] == pytest.approx(2 / 3)
    precision = metrics.average_precision_score(encoded[:, 0], outputs[:, 0])
    assert score["mean_average_precision"] == pytest.approx(precision)


def _read(*cells, **options):
    task = make_task(catalog().head("multilabel"), options)
    targets = [task.read_target([cell], "") for cell in cells]
    task.learn(targets, ("label",))
    return task, targets


def test_lists_are_labels_however_they_are_printed():
    cells = (["funny", " sad "], "['funny' 'sad']", '["funny", "long", "long"]', "('sad', 'long')", [], "[]", [None])
    task, targets = _read(*cells)
    assert task.labels == ["funny", "long", "sad"]
    assert task.encode(targets).tolist() == [[1, 0, 1], [1, 0, 1], [1, 1, 0], [0, 1, 1], *[[0, 0, 0]] * 3]
    assert task.write_target(targets[0]) == "funny|sad"
    assert task.write_target([]) == "|"
    assert task.write_target(["a|b", "c"]) == '["a|b", "c"]'


def test_the_separator_that_was_found_out_is_said_once_and_kept(capsys):
    task, targets = _read("funny,sad", "sad, long", "funny", "funny,funny")
    assert capsys.readouterr().err == "Labels are separated by ','.\n"
    task.learn([*targets[2:], "long,sad"], ("label",))  # of training examples alone, nothing is found out again
    assert task.labels == ["funny", "long", "sad"]
    again = restore_task("multilabel", task.state())
    assert again.encode([again.read_target(["long,funny"], ""), "|"]).tolist() == [[1, 1, 0], [0, 0, 0]]


def test_a_separator_that_was_set_is_taken():
    task, targets = _read("New York, USA", "Paris, France", separator="comma")
    assert task.labels == ["France", "New York", "Paris", "USA"]
    task, targets = _read("New York, USA", "Paris, France", separator="none")
    assert task.labels == targets
    assert restore_task("multilabel", task.state()).encode(["Paris, France"]).tolist() == [[0, 1]]


def test_a_run_of_an_older_version_splits_at_bars():
    state = {"options": {"hidden": 128, "dropout": 0.2, "threshold": 0.5}, "columns": ["label"], "labels": ["a", "b,c"]}
    assert restore_task("multilabel", state).encode(["a|b,c", "b,c"]).tolist() == [[1, 1], [0, 1]]


def test_a_separator_that_is_nowhere_is_questioned():
    with pytest.raises(zoo.BadData, match=r"No label has ';' in it, but 'funny,sad' .*--set separator=,$"):
        _read("funny,sad", "sad", "funny", separator=";")
    assert _read("New York, USA", "Paris, France", separator=";")[0].labels == ["New York, USA", "Paris, France"]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["New York, USA", "Paris, France"], "may be one label, or several that are separated by ','"),
        (["[red, round]", "[red]"], r"'\[red, round\]' looks like a list"),
        (["a (b, c)", "a (b", "c)"], r"Split at ',', there is the label 'a \(b'"),
        (["'a', 'b'", "'b'", "'a'"], r"there is the label \"'a'\""),
        (['"a, b","c"', '"a', 'b"', '"c"'], "Write labels without brackets and quotes"),
        ([[1, 0, 1], [0, 1, 0]], "The labels are only 0 and 1"),
        (["1,0,1", "0,1,1", "0,0,0"], "The labels are only 0 and 1"),
    ],
)
def test_a_cell_that_leaves_a_doubt_is_a_question(cells, said):
    with pytest.raises(zoo.BadData, match=said):
        _read(*cells)
    with pytest.raises(zoo.BadData, match="an object"):
        _read("{'red': 1, 'round': 0}")


def test_labels_stand_in_one_column_or_in_several():
    one = _task(["b|a", " a | c ", "|", "b"])
    assert one.state()["labels"] == ["a", "b", "c"]
    assert one.encode(["c|a", "|"]).tolist() == [[1, 0, 1], [0, 0, 0]]
    several = _task([("1", "0"), ("0", "True"), ("0.0", "no")], ("wet", "cold"))
    assert several.state()["labels"] == ["wet", "cold"]
    assert several.encode([("1", "1"), ("0", "0")]).tolist() == [[1, 1], [0, 0]]
    assert restore_task("multilabel", several.state()).encode([("1", "0")]).tolist() == [[1, 0]]


def test_a_column_of_ones_alone_is_questioned():
    with pytest.raises(zoo.BadData, match=r"is left has the label 'b'\. .*: write 0 where a label is absent\."):
        _task([("1", "1"), ("0", "1")], ("a", "b"))
    task = _task([("1", "1"), ("0", "1"), ("1", "0")], ("a", "b"))
    task.learn([("1", "1"), ("0", "1")], ("a", "b"))  # of the training examples alone
    assert task.labels == ["a", "b"]


def test_sets_are_labels_and_an_empty_one_is_none():
    task, targets = _read("{'a', 'b'}", "frozenset({'b'})", "set()", "frozenset()", "[np.str_('a'), None]")
    assert task.labels == ["a", "b"]
    assert task.encode(targets).tolist() == [[1, 1], [0, 1], [0, 0], [0, 0], [1, 0]]


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
