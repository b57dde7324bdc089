"""Regression: targets in and out in the person's units, and figures equal to the reference libraries'."""

import contextlib

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


def test_numbers_keep_the_digits_that_were_written(tmp_path):
    targets = [str(1_700_000_000 + 3 * n) for n in range(9)]
    task = _task(*targets, hidden=0, dropout=0)
    encoded = task.encode(targets)
    assert encoded[:, 0].tolist() == [float(target) for target in targets]
    pooled = keras.Input((1,), name="pooled")
    model = keras.Model({"pooled": pooled}, task.outputs({"pooled": pooled}))
    model.get_layer("standardized").set_weights([np.ones((1, 1)), np.zeros(1)])
    features = {"pooled": ((encoded - np.mean(encoded)) / np.std(encoded)).astype("float32")}
    model.save(tmp_path / "model.keras")
    for one in (model, keras.models.load_model(tmp_path / "model.keras")):
        outputs = np.asarray(one(features))
        assert np.abs(outputs - encoded).max() < 1e-4
    assert task.score(encoded, outputs + 1)["mae"] == pytest.approx(1, rel=1e-4)
    (metric,) = task.metrics()
    metric.update_state(encoded, outputs + 1)
    assert float(metric.result()) == pytest.approx(1, rel=1e-4)
    assert float(task.loss()(encoded, outputs + np.std(encoded))) == pytest.approx(1, rel=1e-4)


def test_predictions_give_the_metrics_again(few_pictures, tmp_path):
    files = sorted(few_pictures.rglob("*.png"))
    seconds = {str(file): 1_700_000_000 + 3 * n for n, file in enumerate(files)}
    (tmp_path / "t.csv").write_text("image,label\n" + "".join(f"{name},{at}\n" for name, at in seconds.items()))
    how = {"head": "regression", "epochs": 1, "precision": "float32", "engine": "tensorflow"}
    run = zoo.load_run(zoo.train("efficientnet_lite0", tmp_path / "t.csv", out=tmp_path / "run", **how).path)
    judged = run.predictions.to_pylist()
    answers = run.predict([row["input"] for row in judged])
    error = np.mean([abs(answer["value"] - seconds[answer["input"]]) for answer in answers])
    assert error == pytest.approx(run.metrics["mae"], abs=0.01)
    assert [float(row["target"]) for row in judged] == [seconds[row["input"]] for row in judged]


@pytest.mark.parametrize("unit", [1e29, 1e-30])
def test_the_largest_and_smallest_targets_can_be_trained_on(few_pictures, tmp_path, unit):
    files = sorted(few_pictures.rglob("*.png"))
    lines = "".join(f"{file},{(n % 10 + 1) * unit!r}\n" for n, file in enumerate(files))
    (tmp_path / "t.csv").write_text("image,label\n" + lines)
    how = {"head": "regression", "epochs": 1, "precision": "float32", "engine": "tensorflow"}
    run = zoo.load_run(zoo.train("efficientnet_lite0", tmp_path / "t.csv", out=tmp_path / "run", **how).path)
    assert 0 < run.metrics["mae"] < 100 * unit
    assert 0 < run.metrics["rmse"] < 100 * unit
    assert 0 < abs(run.predict(files[0])[0]["value"]) < 100 * unit


def test_targets_that_are_too_large_or_too_small_are_refused():
    with pytest.raises(zoo.ZooError, match=r"'1e99' is too large to compute with\. Use another unit\."):
        _read("1e99", "1", "2")
    with pytest.raises(zoo.BadData, match=r"too small to compute with: 1e-300, 3e-300\. Use another unit\."):
        _read("1e-300", "3e-300", "2e-300")
    with pytest.raises(zoo.BadData, match=r"too small to compute with: 0, 3e-300\. Use another unit\."):
        _read("0", "3e-300")


def _read(*cells, **options):
    task = make_task(catalog().head("regression"), options)
    targets = []
    for cell in cells:
        with contextlib.suppress(zoo.BadData):
            targets.append(task.read_target([cell], ""))
    task.learn(targets, ("label",))
    return task, targets


def test_a_few_cells_without_a_number_are_left_out_and_most_are_another_column():
    _, targets = _read("1", "NA", "2", "inf", "3", "3.5.1", "4", "5", None)
    assert targets == ["1", "2", "3", "4", "5"]
    with pytest.raises(zoo.BadData, match=r"^The target 'good' is not a number\. Name another column with --target\.$"):
        _read("good", "1", "2", "bad")
    with pytest.raises(zoo.BadData, match=r"'good' is not a number\. Name another column with --target$"):
        make_task(catalog().head("regression"), {}).read_target(["good"], "")


def test_a_decimal_mark_that_was_set_is_taken():
    task, targets = _read("1.234,5", "7", "3,25", decimal=",")
    assert task.encode(targets)[:, 0].tolist() == [1234.5, 7, 3.25]
    assert type(task).restore(task.state()).encode(["2,5"]).tolist() == [[2.5]]
    with pytest.raises(zoo.ZooError, match=r"with --set decimal=, it is 3\.25"):
        _read("3,25", "4")
    with pytest.raises(zoo.BadData, match=r"'1\.200'.*--set decimal="):
        _read("950", "1.200", "800")
    with pytest.raises(zoo.BadPlan, match="decimal=;"):
        _read("1", "2", decimal=";")


def test_numbers_that_differ_in_digits_that_are_lost_are_refused():
    with pytest.raises(zoo.BadData, match="almost the same number"):
        _task(*(str(1_700_000_000_000_000_000 + n) for n in range(9)))


@pytest.mark.parametrize(
    ("targets", "value", "words"),
    [
        (["1950", "1975", "2010"], 1987.3456, "1987.3"),
        (["3.5", "4.0", "1.5"], 3.6789, "3.68"),
        (["1700000000", "1700000090"], 1700000041.26, "1700000041.3"),
        (["0.1", "0.30000000000000004", "0.2"], 0.123456789, "0.12345679"),
        (["100000", "5000000"], -0.00001, "0"),
        (["1e-20", "3e-20"], 2.5e-20, "2.5e-20"),
    ],
)
def test_answers_are_shown_with_the_digits_of_the_targets(targets, value, words):
    task = _task(*targets)
    (answer,) = task.decode(np.array([[value]]), [""])
    assert answer == {"value": value}
    assert task.in_words(answer) == words
    assert task.as_rows(answer) == [{"value": words}]
    assert task.as_columns([answer]) == {"value": [value]}


def test_a_run_of_an_older_version_answers():
    state = {"options": {"hidden": 128, "dropout": 0.2}, "columns": ["year"], "mean": [1980.0], "std": [20.0]}
    task = make_task(catalog().head("regression"), {}).restore(state)
    (answer,) = task.decode(np.array([[1987.3456]], "float32"), [""])
    assert task.in_words(answer) == "1987.3"
    assert task.score(task.encode(["1987", "1990"]), np.array([[1988], [1990]], "float32"))["mae"] == 0.5
