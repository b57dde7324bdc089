"""The classification head: its figures are scikit-learn's, its options do what they say."""

import keras
import numpy as np
import pytest
from sklearn import metrics

import zoo
from zoo.catalog import catalog
from zoo.compose.head import make_task, restore_task


def _task(**options):
    task = make_task(catalog().head("classification"), options)
    task.learn(["a", "b", "c", "10", "9"], ("label",))
    return task


def test_figures_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    task = _task()
    encoded = rng.integers(0, 4, 200).astype("int32")  # the last class does not occur
    outputs = rng.dirichlet(np.ones(5), 200).astype("float32")
    score = task.score(encoded, outputs)
    predicted = outputs.argmax(1)
    assert score["accuracy"] == pytest.approx(metrics.accuracy_score(encoded, predicted))
    assert score["macro_f1"] == pytest.approx(metrics.f1_score(encoded, predicted, average="macro"))
    assert score["cross_entropy"] == pytest.approx(metrics.log_loss(encoded, outputs, labels=range(5)), rel=1e-5)


def test_the_loss_is_cross_entropy_and_smoothing_spreads_the_target():
    outputs = np.array([[0.7, 0.1, 0.1, 0.05, 0.05]], "float32")
    plain = float(_task().loss()(np.array([0]), outputs))
    assert plain == pytest.approx(-np.log(0.7), rel=1e-4)
    smooth = float(_task(label_smoothing=0.1).loss()(np.array([0]), outputs))
    targets = np.full(5, 0.02)
    targets[0] += 0.9
    assert smooth == pytest.approx(-(targets * np.log(outputs[0])).sum(), rel=1e-4)


def test_balanced_class_weights_are_those_of_scikit_learn():
    from sklearn.utils.class_weight import compute_sample_weight

    encoded = np.array([0] * 30 + [1] * 6 + [3] * 4, "int32")
    weights = _task(class_weight="balanced").example_weights(encoded)
    assert weights == pytest.approx(compute_sample_weight("balanced", encoded), rel=1e-6)
    assert (_task().example_weights(encoded) == 1).all()


def test_balanced_weights_help_the_rare_class():
    rng = np.random.default_rng(0)
    features = np.concatenate([rng.normal(0, 1, (190, 8)), rng.normal(0.8, 1, (10, 8))]).astype("float32")
    encoded = np.array([0] * 190 + [1] * 10, "int32")
    recall = {}
    for choice in ("none", "balanced"):
        keras.utils.set_random_seed(0)
        task = make_task(catalog().head("classification"), {"class_weight": choice, "hidden": 0, "dropout": 0})
        task.learn(["common", "rare"], ("label",))
        entry = {"pooled": keras.Input((8,), name="pooled")}
        model = keras.Model(entry, task.outputs(entry))
        model.compile(keras.optimizers.Adam(0.01), loss=task.loss())
        model.fit({"pooled": features}, encoded, sample_weight=task.example_weights(encoded), epochs=60, verbose=0)
        predicted = model.predict({"pooled": features}, verbose=0).argmax(1)
        recall[choice] = metrics.recall_score(encoded, predicted)
    assert recall["balanced"] > recall["none"]


def test_labels_are_in_natural_order_and_come_back():
    task = _task()
    assert task.state()["labels"] == ["9", "10", "a", "b", "c"]
    encoded = task.encode(["c", "9", "a"])
    answers = task.decode(np.eye(5, dtype="float32")[encoded], [""] * len(encoded))
    assert [a["label"] for a in answers] == ["c", "9", "a"]
    again = restore_task("classification", task.state())
    assert again.state() == task.state()
    assert next(iter(answers[0]["probabilities"])) == "c"


def test_what_makes_no_classification_is_a_sentence():
    task = make_task(catalog().head("classification"), {})
    with pytest.raises(zoo.BadData, match="at least two"):
        task.learn(["only", "only"], ("label",))
    with pytest.raises(zoo.BadData, match="no class at all"):
        zoo.build("mobilenet_v3_small", weights="none", head="classification")
    with pytest.raises(zoo.BadData, match="'z' is not a class"):
        _task().encode(["z"])


@pytest.mark.parametrize("cell", [["good"], "['good']", '["good", "bad"]', "('good',)", "[1]", "frozenset({'good'})"])
def test_a_list_is_no_class(cell):
    with pytest.raises(zoo.ZooError, match=r"is a list.*--head multilabel"):
        _task().read_target([cell], "")
    for label in ("(1)", "[sic]", "{x}", "good", "set()", "list(a)"):
        assert _task().read_target([label], "") == label


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["'good'", "'bad'"], r"All classes are in quotation marks, such as \"'bad'\"\. Write them without \("),
        ([' "good"', ' "bad"', '"bad"'], r"Write them without \(and without a space before"),
        (["b'good'", 'b"bad"'], r"Python prints bytes so: decode them before"),
        (["“good”", "“bad”"], "quotation marks"),
    ],
)
def test_classes_in_quotation_marks_are_refused(labels, said):
    with pytest.raises(zoo.BadData, match=said):
        make_task(catalog().head("classification"), {}).learn(labels, ("label",))
    task = make_task(catalog().head("classification"), {})
    task.learn([*labels, "it's"], ("label",))
    assert len(task.labels) == len(labels) + 1


def test_classes_that_are_combinations_of_labels_are_noted(capsys):
    make_task(catalog().head("classification"), {}).learn(["funny,sad", "sad", "funny"], ("label",))
    assert "'funny,sad' counts as one class" in capsys.readouterr().err
    make_task(catalog().head("classification"), {}).learn(["New York, USA", "Paris, France"], ("label",))
    assert capsys.readouterr().err == ""


def test_a_class_that_another_table_spells_otherwise_is_the_same():
    task = _task()
    task.labels = ["1.0", "2", "False", "True", "Unknown"]
    assert task.encode(["1", "2.0", "false", "true", "Unknown", "2"]).tolist() == [0, 1, 2, 3, 4, 1]
    task.labels = ["1", "1.0"]
    assert task.encode(["1", "1.0"]).tolist() == [0, 1]
    task.labels = ["true", "True"]
    assert task.encode(["True"]).tolist() == [1]
    with pytest.raises(zoo.BadData, match="'3' is not a class"):
        task.encode(["3"])
