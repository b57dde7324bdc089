"""Trainings that are killed at any moment and resumed end with the very weights of those that were not."""

import csv
import io
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import zoo
from zoo.plan import Phase, Plan
from zoo.runs.folder import RunFolder
from zoo.training.checkpoint import Checkpoints

KILLS = {"image": 15, "text": 5}
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


def _write_pictures(folder: Path) -> Path:
    """Forty-eight pictures of four classes."""
    for label in ("birds", "bugs", "fruit", "music"):
        for picture in sorted((ROOT / "examples/data/clipart" / label).iterdir())[:12]:
            target = folder / "pictures" / label / picture.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(picture.read_bytes())
    return folder / "pictures"


def _write_plan(folder: Path, modality: str, data: Path | None = None, epochs: int = 6) -> Path:
    """The plan of a training with two phases: of pictures, or of texts with an encoder that has dropout."""
    head = Phase(unfreeze=0, epochs=epochs, learning_rate=1e-3, patience=6)
    if modality == "image":
        tail = Phase(unfreeze=1, epochs=epochs, learning_rate=1e-4, patience=6)
        plan = Plan(backbone="efficientnet_lite0", data=str(data), batch_size=8, phases=(head, tail))
    else:
        lines = (ROOT / "examples/data/reviews/reviews.csv").read_text().splitlines()[:49]
        (folder / "reviews.csv").write_text("\n".join(lines) + "\n")
        tail = Phase(
            unfreeze=1, epochs=6, learning_rate=2e-4, patience=6, optimizer="adamw", schedule="linear", warm_up=0.1
        )
        plan = Plan(backbone="minilm_l6", data=str(folder / "reviews.csv"), batch_size=8, phases=(head, tail))
    (folder / "plan.toml").write_text(plan.to_toml())
    return folder / "plan.toml"


@pytest.fixture(scope="module")
def plan(tmp_path_factory) -> Path:
    """The plan of a training on pictures."""
    folder = tmp_path_factory.mktemp("plan")
    return _write_plan(folder, "image", _write_pictures(folder))


@pytest.fixture(scope="module")
def whole(plan) -> Path:
    """The run of that plan, which nothing broke off."""
    _ended(_start("train", "--plan", plan, "--out", plan.parent / "whole", every=1000))
    return plan.parent / "whole"


@pytest.mark.parametrize("modality", ["image", "text"])
def test_killed_at_random_moments_and_resumed_the_weights_are_those_of_one_run(modality, plan, whole, tmp_path):
    seed, broken = random.randrange(10**6), tmp_path / "broken"
    chance = random.Random(seed)
    if modality == "text":
        plan, whole = _write_plan(tmp_path, "text"), tmp_path / "whole"
        _ended(_start("train", "--plan", plan, "--out", whole, every=1000))
    rows = _history(whole)
    checkpoints = 5 * len(rows)  # there are five steps in an epoch
    moments = sorted(chance.sample(range(1, checkpoints - KILLS[modality]), KILLS[modality]))

    process, phases = _start("train", "--plan", plan, "--out", broken), []
    for moment in moments:
        _wait_for_checkpoint(process, broken, max(moment, _newest(broken) + 1))
        time.sleep(chance.uniform(0, 0.02))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        phases.append(Checkpoints(RunFolder(broken)).load().position.phase)
        process = _start("resume", broken)
    _ended(process)
    print(f"seed {seed}: killed at the checkpoints {moments}, in the phases {phases}")
    _assert_same(whole, broken)
    assert not (broken / "checkpoints").exists()
    assert RunFolder(broken).read_json("provenance.json")["resumed"] == KILLS[modality]


def test_the_linear_model_that_no_epoch_beats_survives_a_kill(tmp_path):
    tail = Phase(unfreeze=1, epochs=3, learning_rate=1e-9, patience=3)
    plan = Plan(backbone="efficientnet_lite0", data=str(_write_pictures(tmp_path)), batch_size=8, phases=(tail,))
    (tmp_path / "plan.toml").write_text(plan.to_toml())
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    said = _ended(_start("train", "--plan", tmp_path / "plan.toml", "--out", whole, every=1000))
    assert re.search(r"The result is logistic regression \(C = .*\): no epoch was better\.", said)
    summary = RunFolder(whole).read_json("metrics.json")
    assert summary["metrics"] == pytest.approx(summary["baseline"]["metrics"], rel=0.02)
    process = _start("train", "--plan", tmp_path / "plan.toml", "--out", broken)
    _wait_for_checkpoint(process, broken, 4)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    early = shutil.copytree(broken, tmp_path / "early")
    said = _ended(_start("resume", broken))
    assert "The baseline to beat" not in said
    assert re.search(r"The result is logistic regression \(C = .*\): no epoch was better\.", said)
    _assert_same(whole, broken)
    _ended(_start("resume", early, "--finish"))
    ours, theirs = _weights(whole), _weights(early)
    assert not [name for name in ours if not np.array_equal(ours[name], theirs[name])]


def test_a_torn_checkpoint_is_passed_over_for_the_one_before(tmp_path):
    plan, whole, broken = (
        _write_plan(tmp_path, "image", _write_pictures(tmp_path), 2),
        tmp_path / "whole",
        tmp_path / "broken",
    )
    _ended(_start("train", "--plan", plan, "--out", whole, every=1000))
    process = _start("train", "--plan", plan, "--out", broken)
    _wait_for_checkpoint(process, broken, 12)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    before, last = sorted((broken / "checkpoints").glob("0*.npz"))
    torn = last.read_bytes()
    for content in (torn[: len(torn) // 2], torn[:-200] + bytes(200), b"", torn[:5000] + bytes(400) + torn[5400:]):
        last.write_bytes(content)
        assert Checkpoints(RunFolder(broken)).load() == Checkpoints(RunFolder(broken)).load()
        assert _numbers_of(Checkpoints(RunFolder(broken)).load()) == _numbers_of_file(before)
    whole_one = before.read_bytes()
    before.write_bytes(b"")
    with pytest.raises(zoo.BadRun, match=r"all of its checkpoints are damaged .*zoo train --plan .*plan\.toml"):
        Checkpoints(RunFolder(broken)).load()
    assert [path.name for path in (before, last) if path.exists()] == [before.name, last.name]
    before.write_bytes(whole_one)
    said = _ended(_start("resume", broken))
    assert f"{last} is damaged" in said
    _assert_same(whole, broken)


def _numbers_of(checkpoint) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in checkpoint.arrays.items()}


def _numbers_of_file(path: Path) -> dict[str, bytes]:
    with np.load(path) as archive:
        return {name: archive[name].tobytes() for name in archive.files if name != "facts"}


STOPS = """
    import os, signal, keras, zoo
    ZOO_API = ">=1.0,<2"

    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.epoch = epoch

        def on_test_batch_begin(self, batch, logs=None):
            if self.epoch == 2 and os.environ.get("STOP") == "1":
                os.kill(os.getpid(), signal.SIGTERM)

    @zoo.hookimpl
    def zoo_callbacks(run):
        return [Stop()]
"""


def test_a_machine_that_is_switched_off_while_an_epoch_is_judged_loses_nothing(plan, whole, tmp_path, environment):
    environment.install(environment.write_plugin("stops", STOPS))
    broken = tmp_path / "broken"
    stopped = environment.zoo("train", "--plan", plan, "--out", broken, STOP="1")
    assert stopped.returncode == 128 + signal.SIGTERM, stopped.stderr
    assert stopped.stderr.splitlines()[-1] == f"Saved. To continue from here: zoo resume {broken}"
    kept = Checkpoints(RunFolder(broken)).load().position
    assert (kept.phase, kept.epoch, kept.batch) == (0, 2, 5)
    resumed = environment.zoo("resume", broken)
    assert resumed.returncode == 0, resumed.stderr
    _assert_same(whole, broken)


def test_of_two_trainings_into_one_folder_one_is_refused(plan, tmp_path):
    one = tmp_path / "one"
    both = [_start("train", "--plan", plan, "--out", one) for _ in range(2)]
    said = [process.communicate()[1] for process in both]
    assert sorted(process.returncode for process in both) == [0, 1], said
    (refused,) = [text for process, text in zip(both, said, strict=True) if process.returncode]
    assert re.search("is being trained by another process|contains an unfinished run|is not empty", refused)
    assert RunFolder(one).finished
    assert len(_history(one)) == 12


def test_two_trainings_at_once_without_a_name_over_one_empty_feature_cache(plan, whole, tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    command = [sys.executable, "-m", "zoo", "train", "--plan", plan]
    both = [subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert sorted(os.listdir(tmp_path / "runs")) == ["pictures", "pictures-2"]
    first, second = (tmp_path / "runs" / name for name in ("pictures", "pictures-2"))
    _assert_same(first, whole)
    _assert_same(second, whole)


def test_what_cannot_be_resumed_is_said(tmp_path, zoo_command):
    pictures, run = _write_pictures(tmp_path), tmp_path / "run"
    plan = _write_plan(tmp_path, "image", pictures)
    process = _start("train", "--plan", plan, "--out", run)
    _wait_for_checkpoint(process, run, 8)
    for command in (("resume", run), ("train", "--plan", plan, "--out", run)):
        refused = zoo_command(*command)
        assert refused.returncode == 1
        assert re.search("is being trained by another process|To continue it: zoo resume", refused.stderr)
    process.send_signal(signal.SIGKILL)
    process.communicate()

    picture = next((pictures / "birds").iterdir())
    content = picture.read_bytes()
    picture.unlink()
    changed = zoo_command("resume", run)
    assert changed.returncode == 1
    assert "the data has changed: 1 missing (birds/" in changed.stderr
    about = json.loads((run / "provenance.json").read_text())
    about["versions"]["tensorflow"] = "1.0"
    (run / "provenance.json").write_text(json.dumps(about))
    repeated = zoo_command("train", "--plan", run / "plan.toml", "--out", tmp_path / "again")
    assert f"Compared with {run}: the data has changed: 1 missing" in repeated.stderr
    assert f"Compared with {run}: versions: tensorflow was 1.0 and is now " in repeated.stderr
    picture.write_bytes(content)

    _ended(_start("resume", run))
    again = zoo_command("resume", run)
    assert again.returncode == 1
    assert "is already finished. To use it: zoo predict" in again.stderr
    same, other = (zoo_command("diff", run, tmp_path / name, "--json") for name in ("run", "again"))
    assert json.loads(same.stdout) == []
    found = {(row["section"], row["name"]): (row["first"], row["second"]) for row in json.loads(other.stdout)}
    assert found["data", "examples"] == (48, 47)
    assert found["examples", "only in one"] == (1, 0)
    assert ("figures", "validation.cross_entropy") in found
    assert not any(section == "plan" for section, _ in found)


WIDE = """
    import keras, zoo
    ZOO_API = ">=1.0,<2"

    @zoo.hookimpl
    def zoo_backbones():
        return [zoo.Backbone(name="wide", modality="image", family="f", params=32, input=8, dim=2,
                             features=("pooled",), licence="MIT", paper="https://example.org", build="zoo_wide:build")]

    @keras.saving.register_keras_serializable("wide")
    class Wide(keras.layers.Layer):
        def call(self, x):
            side = 2**12 * (keras.ops.shape(x)[0] // 16) ** 6  # a square of 256 GB for 32 examples, 64 MB for 16
            square = keras.ops.broadcast_to(x[:1, :1], (side, side)) + 1.0
            return x + 0 * keras.ops.stop_gradient(keras.ops.sum(square))

    def build(spec, weights, file):
        entry = keras.Input((8, 8, 3))
        conv = keras.layers.Conv2D(2, 8, name="conv")
        pooled = Wide()(keras.layers.Flatten()(conv(entry)))
        return zoo.Encoder(zoo.image_preprocess(8, zoo.Pixels()), keras.Model(entry, {"pooled": pooled}), ((conv,),))
"""


def _overcommits() -> bool:
    """Whether the kernel grants any amount of memory, and kills later."""
    setting = Path("/proc/sys/vm/overcommit_memory")
    return not setting.exists() or setting.read_text().strip() == "1"


@pytest.mark.skipif(_overcommits(), reason="this kernel reports no lack of memory")
def test_where_memory_is_short_the_batch_is_halved_and_said(tmp_path, environment):
    environment.install(environment.write_plugin("wide", WIDE))
    pictures, run = _write_pictures(tmp_path), tmp_path / "run"
    arguments = ["wide", pictures, "--weights", "none", "--unfreeze", "all", "--epochs", 1, "--out", run]
    done = environment.zoo("train", *arguments, "--engine", "tensorflow")
    assert done.returncode == 0, done.stderr
    assert "Out of memory with 32 examples at a time; continuing with 16." in done.stderr
    assert Plan.from_toml(run / "plan.toml").batch_size == 16
    assert len(_history(run)) == 2
