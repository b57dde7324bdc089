"""A tag for each word: padding, words without a vector, and figures equal to those of seqeval."""

import re

import keras
import numpy as np
import pytest

import zoo
from zoo.catalog import catalog
from zoo.compose.head import make_task, restore_task

TAGS = [("B-PER", "I-PER", "O"), ("O", "B-ORG", "I-ORG", "I-ORG", "O"), ("O",)]


def _task(targets=TAGS, **options):
    task = make_task(catalog().head("token_classification"), options)
    task.learn(targets, ("tags",))
    return task


def _said(task, rng, count=60):
    truth = [rng.choice(task.labels, rng.integers(1, 9)).tolist() for _ in range(count)]
    return truth, rng.dirichlet(np.ones(len(task.labels)), (count, 8)).astype("float32")


def test_entity_level_figures_are_those_of_seqeval():
    metrics = pytest.importorskip("seqeval.metrics", reason="seqeval is not installed: make references")
    task = _task()
    truth, outputs = _said(task, np.random.default_rng(0))
    said = [[task.labels[i] for i in row[: len(t)].argmax(-1)] for row, t in zip(outputs, truth, strict=True)]
    assert task.score(task.encode(truth), outputs) == pytest.approx(
        {
            "f1": metrics.f1_score(truth, said),
            "precision": metrics.precision_score(truth, said),
            "recall": metrics.recall_score(truth, said),
            "accuracy": metrics.accuracy_score(truth, said),
        }
    )


def test_figures_of_tags_that_make_no_entities_are_those_of_scikit_learn():
    from sklearn.metrics import f1_score

    task = _task([("NN", "VB", "DT")])
    truth, outputs = _said(task, np.random.default_rng(1))
    said = [task.labels[i] for row, t in zip(outputs, truth, strict=True) for i in row[: len(t)].argmax(-1)]
    every = [tag for tags in truth for tag in tags]
    score = task.score(task.encode(truth), outputs)
    assert list(score) == ["accuracy", "macro_f1"]
    assert score["macro_f1"] == pytest.approx(f1_score(every, said, average="macro"))


def test_padding_counts_neither_in_the_loss_nor_in_the_metric():
    task = _task()
    encoded = task.encode(TAGS)
    assert encoded.shape == (3, 5)
    assert (encoded[2] == [task.labels.index("O"), -1, -1, -1, -1]).all()
    rng = np.random.default_rng(0)
    outputs = rng.dirichlet(np.ones(len(task.labels)), (3, 5)).astype("float32")
    known = encoded >= 0
    likelihood = np.take_along_axis(outputs, np.maximum(encoded, 0)[..., None], -1)[..., 0]
    assert float(task.loss()(encoded, outputs)) == pytest.approx(-np.log(likelihood[known]).mean(), rel=1e-4)
    wider = np.pad(encoded, [(0, 0), (0, 3)], constant_values=-1)  # the longest of the set is not in this batch
    assert float(task.loss()(wider, outputs)) == pytest.approx(float(task.loss()(encoded, outputs)))
    (metric,) = task.metrics()
    metric.update_state(wider, outputs)
    right = [(row[: len(t)].argmax(-1) == e[: len(t)]).mean() for row, e, t in zip(outputs, encoded, TAGS, strict=True)]
    assert float(metric.result()) == pytest.approx(np.mean(right), rel=1e-5)


def test_a_word_without_a_vector_is_judged_without_one():
    task = _task(hidden=0)
    entry = {"sequence": keras.Input((None, 4), name="sequence"), "mask": keras.Input((None,), name="mask")}
    model = keras.Model(entry, task.outputs(entry))
    vectors = np.random.default_rng(0).normal(size=(1, 3, 4)).astype("float32")
    one = np.asarray(model({"sequence": vectors, "mask": np.array([[1.0, 0.0, 0.0]])}))
    other = np.asarray(model({"sequence": vectors + 1, "mask": np.array([[1.0, 0.0, 0.0]])}))
    assert (one[0, 1:] == other[0, 1:]).all()
    assert (one[0, 0] != other[0, 0]).any()


def test_an_answer_has_words_tags_and_whole_entities():
    task = restore_task("token_classification", _task().state())
    outputs = np.eye(len(task.labels), dtype="float32")[np.maximum(task.encode(TAGS), 0)]
    person, company, nothing = task.decode(outputs, ["Ada Lovelace wrote", "at Acme New York .", "Well"])
    assert person["tags"] == list(TAGS[0])
    assert person["entities"] == [{"label": "PER", "text": "Ada Lovelace", "start": 0, "end": 2}]
    assert company["entities"] == [{"label": "ORG", "text": "Acme New York", "start": 1, "end": 4}]
    assert (nothing["words"], nothing["entities"]) == (["Well"], [])


def test_what_makes_no_task_is_a_sentence():
    with pytest.raises(zoo.BadData, match="at least two"):
        _task([("O", "O")])
    with pytest.raises(zoo.BadData, match="'B-X' is not a tag"):
        _task().encode([("B-X",)])


def test_tags_are_lists_however_they_are_printed_and_may_be_numbers(recwarn):
    task = make_task(catalog().head("token_classification"), {})
    cells = ["['0' '3']", "[3, 0]", [0, 3], "0 0", '["3", "3"]']
    targets = [task.read_target([cell], "two words") for cell in cells]
    assert targets == [("0", "3"), ("3", "0"), ("0", "3"), ("0", "0"), ("3", "3")]
    task.learn(targets, ("tags",))
    outputs = np.eye(2, dtype="float32")[task.encode(targets)]
    assert task.score(task.encode(targets), outputs) == {"accuracy": 1.0, "macro_f1": 1.0}
    assert task.decode(outputs[:1], ["two words"]) == [{"words": ["two", "words"], "tags": ["0", "3"]}]
    assert not recwarn.list


def test_rows_of_one_word_are_questioned(capsys):
    rows = [("O",), ("B-PER",)] * 5
    with pytest.raises(
        zoo.BadData, match=r"^Each of the 10 rows has one word, .* or use CoNLL\. .*--head classification$"
    ):
        _task(rows)
    _task(rows[1:])
    assert capsys.readouterr().err == ""
    task = _task([*rows, ("O", "O")])
    assert capsys.readouterr().err.startswith("Warning: 10 of 11 rows have one word, but a row should be a sentence.")
    task.learn(rows, ("tags",))  # of the training examples alone, nothing is asked again
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("separator", [",", "|"])
def test_tags_that_are_separated_by_no_spaces_are_questioned(separator):
    tags = [(separator.join(some),) for some in (("B-ORG", "O", "O"), ("O", "O"), ("O",))]
    with pytest.raises(
        zoo.BadData, match=rf"such as '{re.escape(tags[0][0])}'\. If '{re.escape(separator)}' separates"
    ):
        _task(tags)
    _task([(separator,), ("NN",)])
    _task([*tags, ("O", "O")])
