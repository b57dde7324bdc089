"""What heads give to a report is what scikit-learn computes, and samples are scored as whole sets are."""

import numpy as np
import pytest
from sklearn import metrics

from zoo.catalog import catalog
from zoo.compose.head import make_task
from zoo.inference.arrays import at

RNG = np.random.default_rng(0)


def _softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return (e / e.sum(-1, keepdims=True)).astype("float32")


def _classes(count=120, labels=4):
    task = make_task(catalog().head("classification"), {})
    targets = [f"c{i}" for i in RNG.integers(0, labels, count)]
    task.learn(targets, ("label",))
    encoded = task.encode(targets)
    outputs = _softmax(RNG.normal(size=(count, labels)) + 1.5 * np.eye(labels)[encoded])
    return task, targets, outputs


def _labels(count=120):
    task = make_task(catalog().head("multilabel"), {})
    targets = ["|".join(name for name in "abcd" if RNG.random() < 0.4) or "|" for _ in range(count)]
    task.learn(targets, ("label",))
    encoded = task.encode(targets)
    outputs = np.clip(0.3 * encoded + RNG.random((count, 4)) * 0.7, 0, 1).round(2).astype("float32")  # with ties
    return task, targets, outputs


def _numbers(columns=1, count=120):
    task = make_task(catalog().head("regression"), {})
    values = RNG.normal(3, 2, (count, columns)).round(2)
    targets = [str(row[0]) if columns == 1 else tuple(map(str, row)) for row in values]
    task.learn(targets, tuple(f"y{i}" for i in range(columns)))
    return task, targets, values + RNG.normal(size=values.shape)


def _tags(entities, count=60):
    task = make_task(catalog().head("token_classification"), {})
    names = ["O", "B-PER", "I-PER", "B-LOC"] if entities else ["NN", "VB", "DT"]
    targets = [tuple(RNG.choice(names, RNG.integers(1, 9))) for _ in range(count)]
    task.learn(targets, ("tags",))
    encoded = task.encode(targets)
    shown = np.maximum(encoded, 0)
    outputs = _softmax(RNG.normal(size=(*encoded.shape, len(names))) + 1.5 * np.eye(len(names))[shown])
    return task, targets, outputs


MADE = {
    "classification": _classes,
    "multilabel": _labels,
    "regression": _numbers,
    "regression of two": lambda: _numbers(2),
    "entities": lambda: _tags(True),
    "tags": lambda: _tags(False),
}
every = pytest.mark.parametrize("made", MADE.values(), ids=MADE)


@every
def test_samples_are_scored_as_whole_sets_are(made):
    task, targets, outputs = made()
    encoded = task.encode(targets)
    rows = RNG.integers(0, len(targets), (5, len(targets)))
    found = task.scores(encoded, outputs)(rows)
    for number, some in enumerate(rows):
        alone = task.score(at(encoded, some), at(outputs, some))
        assert {name: values[number] for name, values in found.items()} == pytest.approx(alone)
    fewer = task.scores(encoded, outputs)(rows[:, 1:])  # as the jackknife asks
    assert fewer.keys() == found.keys()


@every
def test_the_values_of_examples_have_the_metric_as_their_mean(made):
    task, targets, outputs = made()
    encoded = task.encode(targets)
    whole = task.score(encoded, outputs)
    for name, values in task.each(encoded, outputs).items():
        assert len(values) == len(targets)
        assert whole[name] == pytest.approx(values.mean())


@every
def test_targets_and_outputs_come_back_from_the_table_of_predictions(made):
    task, targets, outputs = made()
    encoded = task.encode(targets)
    columns = task.decode_columns(outputs, [" ".join("w" * len(t)) if isinstance(t, tuple) else "x" for t in targets])
    again, given = task.from_columns([task.write_target(target) for target in targets], columns)
    assert task.score(again, given) == pytest.approx(task.score(encoded, outputs))
    assert (task.mistakes(again, given) == 0).tolist() == (task.mistakes(encoded, outputs) == 0).tolist()


@every
def test_the_constant_answer_is_scored_and_worse(made):
    task, targets, outputs = made()
    encoded = task.encode(targets)
    answer, words = task.constant(encoded)
    constant = task.score(encoded, np.broadcast_to(answer, outputs.shape))
    first = next(iter(constant))
    assert words.startswith("always ")
    assert constant[first] < task.score(encoded, outputs)[first]


def test_each_class_is_counted_as_scikit_learn_does():
    task, targets, outputs = _classes()
    encoded, said = task.encode(targets), outputs.argmax(1)
    matrix, table, calibration = task.report_figures(encoded, outputs)
    assert matrix["values"] == metrics.confusion_matrix(encoded, said).tolist()
    theirs = metrics.precision_recall_fscore_support(encoded, said)
    for row, *values in zip(table["rows"], *theirs, strict=True):
        assert row[1:5] == pytest.approx(values)
    bins = np.minimum((outputs.max(1) * 10).astype(int), 9)
    gaps = [
        (bins == b).mean() * abs(outputs.max(1)[bins == b].mean() - (said == encoded)[bins == b].mean())
        for b in np.unique(bins)
    ]
    assert calibration["value"] == pytest.approx(sum(gaps), abs=1e-6)


def test_each_label_has_its_best_threshold():
    task, targets, outputs = _labels()
    encoded = task.encode(targets)
    _, table, _ = task.report_figures(encoded, outputs)
    for label, row in enumerate(table["rows"]):
        true, scores = encoded[:, label], outputs[:, label]
        assert row[1:4] == pytest.approx(
            [f(true, scores >= 0.5) for f in (metrics.precision_score, metrics.recall_score, metrics.f1_score)]
        )
        assert row[6] == pytest.approx(metrics.average_precision_score(true, scores))
        best = max(metrics.f1_score(true, scores >= threshold) for threshold in np.unique(scores))
        assert row[8] == pytest.approx(best)
        assert metrics.f1_score(true, scores >= np.float32(row[7])) == pytest.approx(best)


def test_a_confident_mistake_is_the_worst():
    task, _, _ = _classes()
    outputs = np.array([[0.9, 0.1, 0, 0], [0.1, 0.9, 0, 0], [0.4, 0.6, 0, 0]], "float32")
    wrong = task.mistakes(np.array([0, 0, 0]), outputs)
    assert wrong == pytest.approx([0, 0.9, 0.6])
    labels, _, _ = _labels()
    outputs = np.array([[0.9, 0.1, 0, 0], [0.2, 0.1, 0, 0.7]], "float32")
    assert labels.mistakes(np.array([[1, 0, 0, 0], [1, 0, 0, 0]]), outputs) == pytest.approx([0, 0.8])
