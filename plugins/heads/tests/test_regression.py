"""Regression: targets in and out in the person's units, and figures equal to the reference libraries'."""

import keras
import numpy as np
import pytest
from sklearn import metrics

import zoo
from zoo.catalog import catalog
from zoo.compose.head import make_task


def _task(*targets, **options):
    task = make_task(catalog().head("regression"), options)
    task.learn(targets, ("label",))
    return task


def test_figures_equal_those_of_scikit_learn_and_numpy():
    rng = np.random.default_rng(0)
    truth = rng.normal(50, 20, 200)
    said = (truth + rng.normal(0, 10, 200)).astype("float32")[:, None]
    task = _task(*map(str, truth))
    encoded = task.encode([str(t) for t in truth])
    assert task.score(encoded, said) == pytest.approx(
        {
            "pearson_r": np.corrcoef(truth, said[:, 0])[0, 1],
            "mae": metrics.mean_absolute_error(truth, said),
            "rmse": metrics.root_mean_squared_error(truth, said),
        },
        rel=1e-5,
    )
    assert task.score(encoded, np.full((200, 1), 3.0))["pearson_r"] == 0.0


def test_several_columns_are_each_in_their_own_units():
    task = make_task(catalog().head("regression"), {"hidden": 0, "dropout": 0})
    task.learn([("1", "1000"), ("3", "5000")], ("small", "large"))
    pooled = keras.Input((4,), name="pooled")
    model = keras.Model({"pooled": pooled}, task.outputs({"pooled": pooled}))
    (answer,) = task.decode(np.asarray(model({"pooled": np.zeros((1, 4), "float32")})), [""])
    assert answer["values"] == pytest.approx({"small": 2, "large": 3000})
    loss = task.loss()
    assert float(loss(np.array([[3.0, 3000.0]]), np.array([[2.0, 3000.0]]))) == pytest.approx(0.5)
    assert float(loss(np.array([[2.0, 5000.0]]), np.array([[2.0, 3000.0]]))) == pytest.approx(0.5)
    truth = np.array([[1, 1000], [3, 5000], [2, 2000]], "float32")
    score = task.score(truth, truth * [1, -1])
    assert (score["pearson_r_small"], score["pearson_r_large"]) == pytest.approx((1, -1))
    assert score["pearson_r"] == pytest.approx(0)
    assert score["mae_large"] == pytest.approx(2 * truth[:, 1].mean())
    assert type(task).restore(task.state()).state() == task.state()
    with pytest.raises(zoo.BadData, match="'large' are the same"):
        task.learn([("1", "5"), ("2", "5")], ("small", "large"))


def test_it_starts_at_the_mean_and_answers_in_the_units_of_the_targets():
    task = _task("1000", "3000", hidden=0, dropout=0)
    pooled = keras.Input((4,), name="pooled")
    model = keras.Model({"pooled": pooled}, task.outputs({"pooled": pooled}))
    (answer,) = task.decode(np.asarray(model({"pooled": np.zeros((1, 4), "float32")})), [""])
    assert answer["value"] == pytest.approx(2000)
    assert float(task.loss()(np.array([[3000.0]]), np.array([[2000.0]]))) == pytest.approx(1)
    again = type(task).restore(task.state())
    assert again.state() == task.state()


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        (["1", "many"], "'many' is not a number"),
        (["1", "nan"], "'nan' stands for no number"),
        (["1", "inf"], "not finite"),
        (["2", "2.0"], "All targets in 'label' are the same"),
    ],
)
def test_what_is_no_target_is_a_sentence(targets, said):
    with pytest.raises(zoo.BadData, match=said):
        _task(*targets)
