"""What training changes and what it leaves alone, phase by phase."""

import csv
import json
import tomllib

import keras
import numpy as np
import pytest

import zoo
from zoo import api
from zoo.catalog import catalog
from zoo.compose.encoder import build_encoder
from zoo.plan import Phase, Plan, Recipe
from zoo.runs.folder import RunFolder
from zoo.training.checkpoint import Checkpoint, Checkpoints, Position
from zoo.training.recipe import HEAD_EPOCHS, HEAD_PATIENCE, phases
from zoo.training.session import Session

PLAN = """backbone = 'x'
data = 'd'
[[phases]]
unfreeze = 0
epochs = 1
learning_rate = 0.1
patience = 1
"""


def _network(model: keras.Model) -> keras.Model:
    (network,) = (layer for layer in model.layers if layer.name == "efficientnet_lite0")
    return network


def _changed(run) -> set[str]:
    """Names of the backbone's layers whose weights differ from the pretrained ones."""
    original = {layer.name: layer for layer in build_encoder(catalog().backbone("efficientnet_lite0")).network.layers}
    return {
        layer.name
        for layer in _network(run.model).layers
        for ours, theirs in zip(layer.weights, original[layer.name].weights, strict=True)
        if not np.array_equal(ours.numpy(), theirs.numpy())
    }


def test_what_is_unfrozen_changes_and_what_is_frozen_does_not(few_pictures, tmp_path):
    run = zoo.train("efficientnet_lite0", few_pictures, unfreeze=2, epochs=2, out=tmp_path / "run")
    stages = build_encoder(catalog().backbone("efficientnet_lite0")).stages
    free = {layer.name for stage in stages[-2:] for layer in stage}
    changed = _changed(run)
    assert changed
    assert changed <= free
    assert "conv_head" in changed
    assert "blocks_15_depthwise_conv" in changed
    normalizations = {
        layer.name for layer in _network(run.model).layers if "_bn" in layer.name or "bn" in layer.name[:2]
    }
    assert not changed & normalizations

    rows = list(csv.DictReader((run.path / "history.csv").open()))
    assert [(row["phase"], row["epoch"]) for row in rows] == [
        ("head", "1"),
        ("head", "2"),
        ("fine-tuning", "1"),
        ("fine-tuning", "2"),
    ]
    assert {float(row["learning_rate"]) for row in rows} == {1e-3, 1e-4}


def test_a_frozen_backbone_stays_as_it_was(finished_run):
    assert _changed(zoo.load_run(finished_run)) == set()


def test_the_weights_kept_are_those_of_the_best_epoch(few_pictures, tmp_path):
    run = zoo.train("efficientnet_lite0", few_pictures, epochs=8, lr=0.3, out=tmp_path / "run", seed=3)
    losses = [float(row["val_loss"]) for row in csv.DictReader((run.path / "history.csv").open())]
    assert min(losses) != losses[-1]
    assert run.metrics["cross_entropy"] == pytest.approx(min(losses), abs=1e-4)


def test_a_second_phase_that_helps_nothing_is_undone(few_pictures, tmp_path):
    both = (
        Phase(unfreeze=0, epochs=5, learning_rate=1e-3, patience=5),
        Phase(unfreeze=1, epochs=1, learning_rate=10.0, patience=1),
    )
    plan = Plan(backbone="efficientnet_lite0", data=str(few_pictures), phases=both)
    (tmp_path / "plan.toml").write_text(plan.to_toml())
    run = api.train_plan(tmp_path / "plan.toml", out=tmp_path / "run")
    assert _changed(run) == set()


def test_training_stops_when_nothing_gets_better(finished_run):
    rows = list(csv.DictReader((finished_run / "history.csv").open()))
    losses = [float(row["val_loss"]) for row in rows]
    best = losses.index(min(losses))
    assert len(rows) == best + 1 + HEAD_PATIENCE < HEAD_EPOCHS


def test_one_seed_gives_one_result(few_pictures, tmp_path):
    runs = [zoo.train("efficientnet_lite0", few_pictures, epochs=3, out=tmp_path / name, seed=7) for name in "ab"]
    first, second = ([w.numpy() for w in run.model.weights] for run in runs)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert runs[0].metrics == runs[1].metrics
    other = zoo.train("efficientnet_lite0", few_pictures, epochs=3, out=tmp_path / "c", seed=8)
    assert not all(np.array_equal(a, w.numpy()) for a, w in zip(first, other.model.weights, strict=True))


def test_a_plan_repeats_a_run(finished_run, tmp_path, zoo_command, clipart):
    out = tmp_path / "again"
    result = zoo_command("train", "--plan", finished_run / "plan.toml", "--out", out, "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["metrics"] == zoo.load_run(finished_run).metrics
    assert (out / "split.csv").read_text() == (finished_run / "split.csv").read_text()
    assert tomllib.loads((out / "plan.toml").read_text())["backbone"] == "efficientnet_lite0"


def test_random_weights_train_save_load_and_predict(zoo_command, few_pictures, tmp_path):
    for name in ("inception_v3", "resnet50"):
        out = tmp_path / name
        trained = zoo_command("train", name, few_pictures, "--weights", "none", "--epochs", 1, "--out", out, "--json")
        assert trained.returncode == 0, trained.stderr
        assert json.loads(trained.stdout)["backbone"] == name
        assert "random weights and is not trained" in trained.stderr
        answers = json.loads(zoo_command("predict", out, few_pictures / "birds", "--json").stdout)
        assert len(answers) == 6
        assert all(sum(a["probabilities"].values()) == pytest.approx(1, abs=1e-5) for a in answers)


def test_a_loss_that_is_no_number_ends_with_advice(few_pictures, tmp_path):
    with pytest.raises(zoo.BadPlan, match="lower learning rate"):
        zoo.train("efficientnet_lite0", few_pictures, unfreeze="all", epochs=3, lr=1e30, out=tmp_path / "run")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"epochs": 0}, "--epochs 0"),
        ({"batch_size": 0}, "--batch-size 0"),
        ({"lr": 0}, "--lr 0"),
        ({"lr": float("nan")}, "--lr nan"),
        ({"seed": -1}, "--seed -1"),
        ({"seed": 2**32}, "--seed 4294967296: it must be a whole number of at least 0 and at most 4294967295"),
        ({"unfreeze": -1}, "--unfreeze -1"),
        ({"unfreeze": 10}, "9 stages"),
        ({"head": "regresion"}, "no head called 'regresion'"),
        (
            {"options": {"smoothing": 0.1}},
            "--set smoothing=0.1: no such option. classification has: hidden, dropout, label_smoothing, class_weight",
        ),
        ({"options": {"label_smoothing": "much"}}, "not a number"),
        ({"options": {"label_smoothing": 1.5}}, "below 1"),
        ({"options": {"class_weight": "all"}}, "one of none, balanced"),
    ],
)
def test_a_wrong_setting_is_a_sentence_and_leaves_nothing(few_pictures, tmp_path, options, said):
    with pytest.raises(zoo.ZooError, match=said):
        zoo.train("efficientnet_lite0", few_pictures, out=tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("backbone = ", "not a TOML file"),
        ("backbne = 'x'", "no setting 'backbne'"),
        ("backbone = 'x'\ndata = 'd'\nseed = 'one'\n[[phases]]", "seed is 'one'"),
        ("backbone = 'x'\n[[phases]]\nunfreeze = 0\nepochs = 1\nlearning_rate = 0.1\npatience = 1", "data is missing"),
        ("backbone = 'x'\ndata = 'd'", "phases is missing"),
        (f"{PLAN}optimizer = 'sgd'", "optimizer is 'sgd'.*adam or adamw"),
        (f"{PLAN}layer_decay = 0.9", 'need optimizer = "adamw"'),
        (f"{PLAN}warm_up = 0.1", 'needs schedule = "linear"'),
        (
            f"{PLAN}optimizer = 'adamw'\nlayer_decay = 1.1",
            r"layer_decay is 1\.1: it must be a number above 0 and at most 1",
        ),
    ],
)
def test_a_plan_that_cannot_be_used_is_a_sentence(tmp_path, text, said):
    (tmp_path / "plan.toml").write_text(text)
    with pytest.raises(zoo.BadPlan, match=said):
        Plan.from_toml(tmp_path / "plan.toml")


@pytest.mark.parametrize("backbone", ["efficientnet_lite0", "minilm_l6"])
def test_a_plan_reads_back_as_it_was_written(backbone, tmp_path):
    made = phases(catalog().backbone(backbone).spec, Recipe(unfreeze="all", epochs=7, lr=0.01))
    plan = Plan(backbone=backbone, data="d", options={"hidden": 3}, phases=made)
    (tmp_path / "plan.toml").write_text(plan.to_toml())
    assert Plan.from_toml(tmp_path / "plan.toml") == plan


def test_with_what_is_frozen_kept_or_computed_in_every_epoch_a_run_is_the_same(few_pictures, tmp_path):
    runs = [
        zoo.train(
            "efficientnet_lite0", few_pictures, unfreeze=1, epochs=2, cache=cache, precision="float32",
            engine="tensorflow", out=tmp_path / cache,
        )
        for cache in ("on", "off")
    ]  # fmt: skip
    losses = [[float(row["val_loss"]) for row in csv.DictReader((run.path / "history.csv").open())][2:] for run in runs]
    np.testing.assert_allclose(*losses, rtol=1e-3)
    assert "baseline" in runs[0].summary
    assert "baseline" not in runs[1].summary


def test_without_room_what_is_frozen_is_computed_in_every_epoch(few_pictures, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ZOO_CACHE_SIZE", "1KB")
    from zoo.features.disk import cached_features

    zoo.train("efficientnet_lite0", few_pictures, epochs=1, out=tmp_path / "run")
    assert "there is room for 0 MB, so they are computed in every epoch" in capsys.readouterr().err
    assert cached_features() == []


def test_features_that_are_cached_need_no_room(few_pictures, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    first = zoo.train("efficientnet_lite0", few_pictures, epochs=2, out=tmp_path / "first")
    capsys.readouterr()
    for module in ("training.cache_policy", "features.feed"):
        monkeypatch.setattr(f"zoo.{module}.room", lambda: 0)
    again = zoo.train("efficientnet_lite0", few_pictures, epochs=2, out=tmp_path / "again")
    assert "computed in every epoch" not in capsys.readouterr().err
    assert [row["val_loss"] for row in again.history] == [row["val_loss"] for row in first.history]


def test_a_plan_is_changed_by_the_options_beside_it(few_pictures, tmp_path):
    first = zoo.train("efficientnet_lite0", few_pictures, weights="none", epochs=2, lr=0.01, out=tmp_path / "first")
    plan = first.path / "plan.toml"
    again = zoo.train_plan(plan, out=tmp_path / "again", epochs=1, lr=0.02, seed=3, batch_size=4)
    assert len(again.history) == 1
    assert (again.plan.phases[0].learning_rate, again.plan.seed, again.plan.batch_size) == (0.02, 3, 4)
    assert again.plan.weights == "none"
    with pytest.raises(zoo.BadPlan, match="--unfreeze 1: it decides the phases of a plan"):
        zoo.train_plan(plan, out=tmp_path / "third", unfreeze=1)
    with pytest.raises(zoo.BadPlan, match="--unfreeze 0: it decides the phases of a plan"):
        zoo.train_plan(plan, out=tmp_path / "third", unfreeze=0)
    with pytest.raises(zoo.BadPlan, match="--epochs 0: it must be"):
        zoo.train_plan(plan, out=tmp_path / "third", epochs=0)
    with pytest.raises(zoo.BadPlan, match="does not combine"):
        zoo.train_plan(plan, out=tmp_path / "third", head="pair_classification")
    assert not (tmp_path / "third").exists()


def test_what_the_data_was_taken_for_is_said(few_pictures, tmp_path, capsys):
    (few_pictures / "empty").mkdir()
    zoo.train("efficientnet_lite0", few_pictures, weights="none", epochs=1, out=tmp_path / "run")
    said = capsys.readouterr().err
    assert f"Reads 12 pictures of {few_pictures}: 2 classes, birds 6, music 6." in said
    assert "Warning: classes without any example are left out: empty (no files)." in said
    assert "Trains on 10, validates on 2 (20%)." in said


def test_a_picture_that_can_no_longer_be_read_ends_a_training_before_anything_is_saved(
    few_pictures, tmp_path, monkeypatch
):
    run = Session.run

    def vanishing(self, *arguments, **named):
        self.learn.examples[0].kept.unlink()
        return run(self, *arguments, **named)

    monkeypatch.setattr(Session, "run", vanishing)
    with pytest.raises(zoo.BadData, match=r"could be read earlier .*Restore it and continue: zoo resume"):
        zoo.train("efficientnet_lite0", few_pictures, out=tmp_path / "run", cache="off", epochs=2)
    assert Checkpoints(RunFolder(tmp_path / "run")).load().position.at_start


def test_what_serves_to_finish_alone_is_passed_over_by_a_training_that_goes_on(tmp_path):
    checkpoints = Checkpoints(RunFolder(tmp_path))
    checkpoints.save(Checkpoint(Position(epoch=36)))
    checkpoints.save(Checkpoint(Position(epoch=36, best=0.1, to_finish=True)))
    assert checkpoints.load().position == Position(epoch=36)
    assert checkpoints.load(finish=True).position.best == 0.1
