"""Trainings that are killed at any moment and resumed end with the very weights of those that were not."""

import csv
import io
import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from zoo.runs.folder import RunFolder
from zoo.training.checkpoint import Checkpoints
from zoo.training.plan import Phase, Plan

KILLS = 10  # of each kind of training
ROOT = Path(__file__).parents[2]


def _start(*arguments: object, every: float = 0) -> subprocess.Popen[str]:
    """The command line in a process of its own, with a checkpoint at every step (or every so many seconds)."""
    command = [sys.executable, "-m", "zoo", *map(str, arguments)]
    variables = os.environ | {"ZOO_CHECKPOINT_SECONDS": str(every)}
    return subprocess.Popen(command, env=variables, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _ended(process: subprocess.Popen[str]) -> str:
    """Wait for a process that has to come to its end; gives what it said."""
    _, said = process.communicate(timeout=600)
    assert process.returncode == 0, said
    return said


def _newest(run: Path) -> int:
    """The number of the last checkpoint."""
    return max((int(path.stem) for path in (run / "checkpoints").glob("0*.npz")), default=0)


def _wait_for_checkpoint(process: subprocess.Popen[str], run: Path, number: int) -> None:
    deadline = time.monotonic() + 300
    while _newest(run) < number:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.002)


def _weights(run: Path) -> dict[str, np.ndarray]:
    """All numbers of a run's model, as they lie in its file."""
    found = {}
    with zipfile.ZipFile(run / "model.keras") as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as h5:
        h5.visititems(lambda name, item: found.update({name: item[()]} if isinstance(item, h5py.Dataset) else {}))
    return found


def _history(run: Path) -> list[dict[str, str]]:
    rows = list(csv.DictReader((run / "history.csv").open()))
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def _assert_same(first: Path, second: Path) -> None:
    ours, theirs = _weights(first), _weights(second)
    assert ours.keys() == theirs.keys()
    assert not [name for name in ours if not np.array_equal(ours[name], theirs[name])]
    assert _history(first) == _history(second)
    assert (
        RunFolder(first).read_json("metrics.json")["metrics"] == RunFolder(second).read_json("metrics.json")["metrics"]
    )


@pytest.fixture
def pictures(tmp_path, clipart) -> Path:
    """Forty-eight pictures of four classes."""
    for label in ("birds", "bugs", "fruit", "music"):
        for picture in sorted((clipart / label).iterdir())[:12]:
            target = tmp_path / "pictures" / label / picture.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(picture.read_bytes())
    return tmp_path / "pictures"


@pytest.fixture
def plan_of(tmp_path, pictures):
    """The plan of a training with two phases: of pictures, or of texts with an encoder that has dropout."""

    def make(modality: str) -> Path:
        head = Phase(unfreeze=0, epochs=6, learning_rate=1e-3, patience=6)
        if modality == "image":
            tail = Phase(unfreeze=1, epochs=6, learning_rate=1e-4, patience=6)
            plan = Plan(backbone="efficientnet_lite0", data=str(pictures), batch_size=8, phases=(head, tail))
        else:
            lines = (ROOT / "examples/data/reviews/reviews.csv").read_text().splitlines()[:49]
            (tmp_path / "reviews.csv").write_text("\n".join(lines) + "\n")
            tail = Phase(
                unfreeze=1, epochs=6, learning_rate=2e-4, patience=6, optimizer="adamw", schedule="linear", warm_up=0.1
            )
            data = str(tmp_path / "reviews.csv")
            plan = Plan(backbone="minilm_l6", data=data, batch_size=8, phases=(head, tail))
        path = tmp_path / "plan.toml"
        path.write_text(plan.to_toml())
        return path

    return make


@pytest.mark.parametrize("modality", ["image", "text"])
def test_killed_at_random_moments_and_resumed_the_weights_are_those_of_one_run(modality, plan_of, tmp_path):
    plan, seed = plan_of(modality), random.randrange(10**6)
    chance = random.Random(seed)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    _ended(_start("train", "--plan", plan, "--out", whole, every=1000))
    rows = _history(whole)
    checkpoints = 5 * len(rows)  # there are five steps in an epoch
    moments = sorted(chance.sample(range(1, checkpoints - KILLS), KILLS))

    process, phases = _start("train", "--plan", plan, "--out", broken), []
    for moment in moments:
        _wait_for_checkpoint(process, broken, max(moment, _newest(broken) + 1))
        time.sleep(chance.uniform(0, 0.02))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        phases.append(Checkpoints(RunFolder(broken)).load().phase)
        process = _start("resume", broken)
    _ended(process)
    print(f"seed {seed}: killed at the checkpoints {moments}, in the phases {phases}")
    _assert_same(whole, broken)
    assert not (broken / "checkpoints").exists()
    assert RunFolder(broken).read_json("provenance.json")["resumed"] == KILLS
