"""Plugins as strangers write them, installed by pip: a modality of their own, and a head of its own shape."""

import csv
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from conftest import Environment
from zoo.testing.commands import CommandLine

PLUGINS = Path(__file__).parent / "plugins"
RATE = 8_000


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory) -> Environment:
    """An environment into which pip has installed both plugins."""
    environment = Environment(tmp_path_factory.mktemp("elsewhere"))
    for name in ("audio", "boxes"):
        shutil.copytree(PLUGINS / name, environment.folder / name)
    environment.install(*(environment.folder / name for name in ("audio", "boxes")))
    return environment


@pytest.fixture(scope="module")
def shell(elsewhere, tmp_path_factory) -> CommandLine:
    """The command line of that environment, with a cache of its own."""
    return CommandLine(elsewhere.python, ZOO_CACHE=str(tmp_path_factory.mktemp("cache")))


def _done(shell: CommandLine, *arguments: object) -> str:
    status, out, err = shell.run(*arguments)
    assert status == 0, err
    return out


@pytest.fixture(scope="module")
def recordings(tmp_path_factory) -> Path:
    """Forty tones of different lengths: low ones and high ones, and one file that is none."""
    soundfile = pytest.importorskip("soundfile")
    folder, chance = tmp_path_factory.mktemp("sound") / "tones", np.random.default_rng(0)
    for label, lowest in (("low", 100), ("high", 1500)):
        (folder / label).mkdir(parents=True)
        for number in range(20):
            time_ = np.arange(int(chance.integers(RATE // 2, RATE))) / RATE
            tone = np.sin(2 * np.pi * (lowest + 20 * number) * time_) + 0.1 * chance.normal(size=len(time_))
            soundfile.write(folder / label / f"{number}.wav", (tone / 2).astype("float32"), RATE)
    (folder / "low" / "notes.wav").write_text("no recording")
    return folder


def test_a_modality_of_a_stranger_is_listed_trained_cached_and_asked(shell, recordings, tmp_path):
    (listed,) = json.loads(_done(shell, "list", "--modality", "audio", "--json"))
    assert (listed["name"], listed["modality"]) == ("spectrum_small", "audio")
    arguments = ["train", "spectrum_small", recordings, "--head", "audio_classes", "--unfreeze", "all", "--epochs", 8]
    first = json.loads(_done(shell, *arguments, "--lr", 0.01, "--out", tmp_path / "first", "--json"))
    assert first["examples"] == {"train": 32, "validation": 8, "skipped": 1}
    assert first["metrics"]["accuracy"] == 1.0
    assert "low/notes.wav" in (tmp_path / "first" / "skipped.csv").read_text()
    cached = json.loads(_done(shell, "cache", "--json"))["features"]
    assert {one["backbone"] for one in cached} == {"spectrum_small"}
    _, _, said = shell.run(*arguments, "--lr", 0.01, "--out", tmp_path / "second")
    assert "Features of 40 of 40 examples are cached from an earlier run." in said

    words = _done(shell, "predict", tmp_path / "first", recordings / "high").splitlines()
    assert len(words) == 20
    assert all("class high  certainty 0." in line or "class high  certainty 1" in line for line in words)
    rows = list(csv.DictReader(_done(shell, "predict", tmp_path / "first", recordings, "--csv").splitlines()))
    assert list(rows[0]) == ["input", "class", "certainty", "error"]
    assert [row["error"][:15] for row in rows if row["error"]] == ["not a recording"]
    table = parquet.read_table(tmp_path / "first" / "predictions.parquet")
    assert table.column_names == ["input", "split", "target", "class", "certainty"]
    assert table["class"].to_pylist() == table["target"].to_pylist()
    short, long = (recordings / "low" / f"{number}.wav" for number in (0, 1))
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    soundfile = pytest.importorskip("soundfile")
    soundfile.write(mixed / "a.wav", soundfile.read(short)[0][: RATE // 10], RATE)
    soundfile.write(mixed / "b.wav", np.tile(soundfile.read(long)[0], 6), RATE)
    alone, beside = (
        json.loads(_done(shell, "predict", tmp_path / "first", *asked, "--json"))[0]
        for asked in ([mixed / "a.wav"], [mixed])
    )
    assert alone["certainty"] == pytest.approx(beside["certainty"], abs=1e-5)
    judged = json.loads(_done(shell, "evaluate", tmp_path / "first", recordings, "--json"))
    assert judged["examples"] == {"evaluated": 8, "trained_on": 32, "skipped": 1}


def test_a_training_on_a_strangers_modality_is_killed_and_resumed(elsewhere, shell, recordings, tmp_path):
    arguments = ["spectrum_small", recordings, "--head", "audio_classes", "--unfreeze", "1", "--epochs", "4"]
    arguments += ["--batch-size", "8", "--lr", "0.01"]
    _done(shell, "train", *arguments, "--out", tmp_path / "whole")
    broken = tmp_path / "broken"
    command = [elsewhere.python, "-m", "zoo", "train", *map(str, arguments), "--out", broken]
    process = subprocess.Popen(command, env=os.environ | {"ZOO_CHECKPOINT_SECONDS": "0"}, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 300
    while not list((broken / "checkpoints").glob("00001?.npz")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    _done(shell, "resume", broken)
    runs = (tmp_path / "whole", broken)
    figures = [json.loads((run / "metrics.json").read_text())["metrics"] for run in runs]
    assert figures[0] == figures[1]
    rows = [[row["val_loss"] for row in csv.DictReader((run / "history.csv").open())] for run in runs]
    assert rows[0] == rows[1]


def test_a_head_with_targets_outputs_and_answers_of_its_own_shape(shell, tmp_path):
    from PIL import Image

    chance, lines = np.random.default_rng(1), []
    for number in range(48):
        left, top = chance.uniform(0, 0.6, 2)
        pixels = np.full((64, 64, 3), 255, "uint8")
        pixels[int(64 * top) : int(64 * (top + 0.4)), int(64 * left) : int(64 * (left + 0.4))] = (200, 30, number)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
        box = [round(float(n), 3) for n in (left, top, left + 0.4, top + 0.4)]
        lines.append(json.dumps({"image": f"{number}.png", "where": box}))
    lines.append(json.dumps({"image": "0.png", "where": [1.0]}))
    table = tmp_path / "table.jsonl"
    table.write_text("\n".join(lines) + "\n")
    run = tmp_path / "run"
    arguments = ["efficientnet_lite0", table, "--head", "box", "--target", "where", "--epochs", 30, "--out", run]
    trained = json.loads(_done(shell, "train", *arguments, "--json"))
    assert trained["examples"]["skipped"] == 1
    assert trained["metrics"]["mean_iou"] > 0.4
    first = next(csv.DictReader((run / "split.csv").open()))
    assert first["target"] == ",".join(f"{n:g}" for n in json.loads(lines[0])["where"])

    answers = json.loads(_done(shell, "predict", run, table, "--json"))
    assert len(answers) == 49
    assert len(answers[0]["box"]["corners"]) == 4
    assert _done(shell, "predict", run, tmp_path / "3.png").startswith(f"{tmp_path / '3.png'}  from 0.")
    rows = list(csv.DictReader(_done(shell, "predict", run, tmp_path / "3.png", "--csv").splitlines()))
    assert list(rows[0]) == ["input", "left", "top", "right", "bottom", "error"]
    judged = json.loads(_done(shell, "evaluate", run, table, "--target", "where", "--json"))
    assert judged["metrics"].keys() == {"mean_iou"}


@pytest.mark.parametrize("name", ["zoo-audio", "zoo-boxes"])
def test_a_strangers_plugin_passes_the_check(name, elsewhere):
    outcomes = json.loads(elsewhere.zoo("check", name, "--json").stdout)
    assert not [outcome for outcome in outcomes if outcome["state"] != "kept"]
