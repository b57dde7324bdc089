"""What is found without training is what scikit-learn finds, and the head computes it."""

import warnings
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from zoo_heads.classification import Classification
from zoo_heads.closed_form import logistic
from zoo_heads.layers import width
from zoo_heads.multilabel import Multilabel
from zoo_heads.regression import Regression

DIGITS, CLASSES = load_digits(return_X_y=True)
DIGITS = DIGITS.astype("float32")
CLASS_OPTIONS = {"label_smoothing": 0.0, "class_weight": "none"}


def head_of(task, dim):
    entry = {"pooled": keras.Input((dim,), name="pooled")}
    return keras.Model(entry, task.outputs(entry), name="head")


def solved(task, features, encoded):
    head = head_of(task, features.shape[1])
    name = task.solve(head, {"pooled": features}, encoded, np.ones(len(encoded), "float32"))
    return name, np.asarray(head({"pooled": features}, training=False))


@pytest.mark.parametrize("hidden", [0, 128])
@pytest.mark.parametrize("classes", [2, 10])
def test_a_classifier(hidden, classes):
    task = Classification(hidden=hidden, dropout=0.2, **CLASS_OPTIONS)
    some = classes > CLASSES
    task.learn([str(c) for c in CLASSES[some]], ("label",))
    name, shares = solved(task, DIGITS[some][:500], task.encode([str(c) for c in CLASSES[some]])[:500])
    assert name.startswith("logistic regression (C = ")
    std = DIGITS[some][:500].std(axis=0)
    x = (DIGITS[some][:500] - DIGITS[some][:500].mean(axis=0)) / np.where(std > 1e-6, std, 1)
    strength = float(name.partition("= ")[2].rstrip(")"))
    reference = LogisticRegression(C=strength, max_iter=1000).fit(x, CLASSES[some][:500]).predict_proba(x)
    assert np.abs(shares - reference).mean() < 0.002
    assert (shares.argmax(1) == CLASSES[some][:500]).mean() > 0.95


def test_more_dimensions_than_examples():
    task = Classification(hidden=0, dropout=0.0, **CLASS_OPTIONS)
    task.learn([str(c) for c in CLASSES], ("label",))
    wide = np.hstack([DIGITS, np.random.default_rng(0).normal(size=(len(DIGITS), 200))]).astype("float32")
    _, shares = solved(task, wide[:150], task.encode([str(c) for c in CLASSES[:150]]))
    assert (shares.argmax(1) == CLASSES[:150]).mean() > 0.95


@pytest.mark.parametrize("hidden", [0, 128])
def test_numbers_in_their_own_units(hidden):
    values = DIGITS @ np.arange(64, dtype="float32")[:, None] + 1000
    task = Regression(hidden=hidden, dropout=0.0)
    task.learn([str(v) for v in values[:, 0]], ("value",))
    name, said = solved(task, DIGITS, values.astype("float32"))
    assert name.startswith("ridge regression (alpha = ")
    assert np.abs(said - values).max() < 0.01 * values.std()


def test_several_labels():
    targets = ["|".join(n for n, yes in (("even", c % 2 == 0), ("large", c > 4)) if yes) or "|" for c in CLASSES]
    task = Multilabel(hidden=128, dropout=0.2, threshold=0.5)
    task.learn(targets, ("label",))
    encoded = task.encode(targets)
    name, shares = solved(task, DIGITS, encoded)
    assert name.startswith("logistic regression of each label")
    assert ((shares > 0.5) == (encoded > 0.5)).mean() > 0.9


def test_the_hidden_layer_has_room_for_the_baseline_of_many_classes():
    centers = np.random.default_rng(0).normal(size=(80, 16))
    classes = np.repeat(np.arange(80), 4)
    features = (centers[classes] + np.random.default_rng(1).normal(size=(320, 16)) / 20).astype("float32")
    task = Classification(hidden="auto", dropout=0.0, **CLASS_OPTIONS)
    task.learn([str(c) for c in classes], ("label",))
    name, shares = solved(task, features, task.encode([str(c) for c in classes]))
    assert name.startswith("logistic regression")
    assert (shares.argmax(1) == task.encode([str(c) for c in classes])).mean() > 0.9
    assert [width("auto", n) for n in (2, 64, 65, 200, 201)] == [128, 128, 130, 400, 128]


def test_a_baseline_that_is_not_fitted_is_said_beforehand(capsys, monkeypatch):
    monkeypatch.setattr("zoo_heads.classification.logistic", lambda *_: pytest.fail("it is fitted"))
    for hidden, count, said in ((10, 10, "10 units, and it needs 20"), ("auto", 201, "there are 201 classes")):
        task = Classification(hidden=hidden, dropout=0.0, **CLASS_OPTIONS)
        targets = [str(number) for number in range(count)]
        task.learn(targets, ("label",))
        assert solved(task, np.ones((count, 4), "float32"), task.encode(targets))[0] is None
        assert said in capsys.readouterr().err


@pytest.mark.parametrize(("hidden", "examples"), [(10, 500), (128, 12)])
def test_where_it_cannot_be_the_head_stays_as_it_is(hidden, examples):
    task = Classification(hidden=hidden, dropout=0.0, **CLASS_OPTIONS)
    task.learn([str(c) for c in CLASSES], ("label",))
    head = head_of(task, 64)
    before = head.get_weights()
    encoded = task.encode([str(c) for c in CLASSES[:examples]])
    assert task.solve(head, {"pooled": DIGITS[:examples]}, encoded, np.ones(examples)) is None
    assert all((a == b).all() for a, b in zip(before, head.get_weights(), strict=True))


def test_threads_that_fit_at_once_leave_the_filters_of_warnings_as_they_were():
    x, classes = np.random.default_rng(0).normal(size=(60, 5)), np.arange(60) % 3
    assert logistic(x, classes, 3, np.ones(60)) is not None
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: logistic(x, classes, 3, np.ones(60)), range(24)))
    assert warnings.filters == before
