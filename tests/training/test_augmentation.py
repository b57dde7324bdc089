"""--augment: kept views of a frozen backbone, new views elsewhere, and nothing of it in the model that is saved."""

import csv
import tomllib

import keras

import zoo


def _layers(model: keras.Model) -> set[str]:
    return {type(layer).__name__ for layer in model._flatten_layers()}


def test_a_few_views_are_kept_and_the_next_run_takes_them(few_pictures, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    say = {"out": tmp_path / "first", "augment": "light", "epochs": 3}
    first = zoo.train("efficientnet_lite0", few_pictures, **say)
    (folder,) = (path for path in (tmp_path / "cache" / "features").iterdir() if list(path.glob("*.arrow")))
    files = sorted(folder.glob("*.arrow"))
    second = zoo.train("efficientnet_lite0", few_pictures, **say | {"out": tmp_path / "second"})
    assert "examples are cached from an earlier run" in capsys.readouterr().err
    assert sorted(folder.glob("*.arrow")) == files  # nothing was computed again
    losses = [[row["loss"] for row in csv.DictReader((run.path / "history.csv").open())] for run in (first, second)]
    assert losses[0] == losses[1]
    assert tomllib.loads((first.path / "plan.toml").read_text())["augment"] == "light"
    assert not {name for name in _layers(first.model) if name.startswith("Random")}

    plain = zoo.train("efficientnet_lite0", few_pictures, out=tmp_path / "plain", epochs=3)
    seen = [row["loss"] for row in csv.DictReader((plain.path / "history.csv").open())]
    assert seen != losses[0]


def test_every_epoch_sees_other_views_where_nothing_is_kept(few_pictures, tmp_path):
    # A rate too low to learn by: what differs between epochs is what was seen
    options = {"epochs": 3, "lr": 1e-12, "batch_size": 12, "cache": "off", "options": {"dropout": "0"}}
    losses = {}
    for level in ("none", "light"):
        run = zoo.train("efficientnet_lite0", few_pictures, out=tmp_path / level, augment=level, **options)
        losses[level] = [round(float(r["loss"]), 3) for r in csv.DictReader((run.path / "history.csv").open())]
    assert len(set(losses["none"])) == 1
    assert len(set(losses["light"])) == 3


def test_texts_have_no_augmentation_and_that_is_said(zoo_command, tmp_path):
    table = tmp_path / "texts.csv"
    table.write_text("text,label\n" + "".join(f"a text {n},{n % 2}\n" for n in range(8)))
    result = zoo_command("train", "minilm_l6", table, "--augment", "light", "--out", tmp_path / "run")
    assert result.returncode == 1
    assert result.stderr.strip() == "zoo: --augment light: texts cannot be augmented."
    assert not (tmp_path / "run").exists()
