"""A disk that is full at any moment: one sentence, nothing half-written, and what was done so far is gone on with."""

import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

import zoo
from zoo import api
from zoo.plan import Phase, Plan
from zoo.runs.folder import RunFolder

CLIPART = Path(__file__).parents[2] / "examples/data/clipart"
FULL = "No space left on device|File too large"


class Disk:
    """A small file system, which can be made large: a tmpfs where that may be mounted; else a limit of every file."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder = folder
        self._limit: int | None = None
        folder.mkdir()
        if not self._mount(f"size={size},mode=700"):
            self._limit = size

    def _mount(self, options: str) -> bool:
        command = ["mount", "-t", "tmpfs", "-o", options, "none", self.folder]
        try:
            return subprocess.run(command, capture_output=True).returncode == 0
        except FileNotFoundError:
            return False

    def grow(self) -> None:
        if self._limit is None:
            assert self._mount("remount,size=300m")
        self._limit = None

    def close(self) -> None:
        subprocess.run(["umount", self.folder], capture_output=True)

    def zoo(self, *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
        def limit() -> None:
            if self._limit is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (self._limit, self._limit))

        command = [sys.executable, "-m", "zoo", *map(str, arguments)]
        environment = os.environ | {"ZOO_CHECKPOINT_SECONDS": "0"} | variables
        return subprocess.run(command, env=environment, capture_output=True, text=True, preexec_fn=limit)


@pytest.fixture
def disk(tmp_path):
    """Makes one of so many bytes."""
    disks: list[Disk] = []

    def make(size: int) -> Disk:
        disks.append(Disk(tmp_path / "disk", size))
        return disks[0]

    yield make
    for one in disks:
        one.close()


@pytest.fixture(scope="module")
def plan(tmp_path_factory) -> Path:
    head = Phase(unfreeze=0, epochs=1, learning_rate=1e-3, patience=2)
    tail = Phase(unfreeze=1, epochs=1, learning_rate=1e-4, patience=2)
    folder = tmp_path_factory.mktemp("plan")
    for label in ("birds", "music"):
        for picture in sorted((CLIPART / label).iterdir())[:6]:
            target = folder / "few" / label / picture.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(picture.read_bytes())
    path = folder / "plan.toml"
    path.write_text(Plan(backbone="efficientnet_lite0", data=str(folder / "few"), phases=(head, tail)).to_toml())
    return path


@pytest.fixture(scope="module")
def whole(plan) -> Path:
    """The run of that plan on a disk with room."""
    return api.train_plan(plan, out=plan.parent / "whole").path


def _sentence(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "ZOO_DEBUG" not in done.stderr
    (sentence,) = [line for line in done.stderr.splitlines() if line.startswith("zoo: ")]
    assert re.search(FULL, sentence), sentence
    return sentence


def _figures(run: Path) -> dict[str, float]:
    return RunFolder(run).read_json("metrics.json")["metrics"]


def _files(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".lock")]


# In bytes: too small for the first files; for a checkpoint of the head, for one of a stage, and for the model.
@pytest.mark.parametrize("size", [4_096, 1_000_000, 12_000_000])
def test_a_training_whose_disk_is_full_goes_on_when_there_is_space(size, disk, plan, whole):
    small = disk(size)
    run = small.folder / "run"
    sentence = _sentence(small.zoo("train", "--plan", plan, "--out", run))
    assert not [name for name in _files(small.folder) if name.startswith(".new-")]
    if run.exists():
        assert f"zoo resume {run}" in sentence
        unfinished = small.zoo("predict", run, "x.png")
        assert f"{run} is not finished. To continue it: zoo resume {run}" in unfinished.stderr
    else:
        assert size == 4_096
    small.grow()
    again = small.zoo("resume", run) if run.exists() else small.zoo("train", "--plan", plan, "--out", run)
    assert again.returncode == 0, again.stderr
    assert _figures(run) == _figures(whole)


def test_a_model_that_does_not_fit_is_written_when_there_is_space(disk, few_pictures):
    small = disk(8_000_000)
    run = small.folder / "run"
    sentence = _sentence(small.zoo("train", "efficientnet_lite0", few_pictures, "--epochs", 1, "--out", run))
    assert f"Cannot write {run / 'model.keras'}: " in sentence
    assert "model.keras" not in "".join(_files(run))
    small.grow()
    resumed = small.zoo("resume", run)
    assert resumed.returncode == 0, resumed.stderr
    assert "All phases are finished; only the evaluation is left." in resumed.stderr
    assert zoo.load_run(run).predict([few_pictures])


def test_a_feature_cache_that_is_full(disk, few_pictures, tmp_path):
    small = disk(20_000)
    command = ["train", "efficientnet_lite0", few_pictures, "--epochs", 1, "--cache", "on", "--out", tmp_path / "run"]
    cache = small.folder / "cache"
    cache.mkdir()
    (cache / "converted").symlink_to(Path(os.environ["ZOO_CACHE"]) / "converted")
    sentence = _sentence(small.zoo(*command, ZOO_CACHE=str(cache)))
    assert f"Features cannot be cached in {cache}" in sentence
    assert not list(cache.glob("features/*/.part-*"))
    small.grow()
    resumed = small.zoo("resume", tmp_path / "run", ZOO_CACHE=str(cache))
    assert resumed.returncode == 0, resumed.stderr


def test_vectors_and_weights_that_do_not_fit(disk, clipart, tmp_path):
    small = disk(60_000)
    out = small.folder / "vectors.parquet"
    _sentence(small.zoo("embed", "efficientnet_lite0", clipart, "--out", out))
    assert _files(small.folder) == []
    carried = tmp_path / "efficientnet.pth"
    carried.write_bytes(os.urandom(100_000))
    network = small.folder / "cache"
    pulled = small.zoo("pull", "resnet50", "--from", carried, ZOO_CACHE=str(network))
    assert re.search(FULL, _sentence(pulled))
    assert _files(network) == []


def test_a_plugin_begun_and_a_setting_that_do_not_fit(disk):
    small = disk(1)  # a page, or less
    (small.folder / "full").write_bytes(bytes(0))
    while small._limit is None:
        try:
            with (small.folder / "full").open("ab") as file:
                file.write(bytes(512))
        except OSError:
            break
    assert "my-nets: No space left on device" in _sentence(
        small.zoo("new", "my-nets", "--to", small.folder / "my-nets")
    )
    _sentence(small.zoo("plugins", "--disable", "heads", ZOO_CONFIG=str(small.folder)))
    assert _files(small.folder) == ["full"]
