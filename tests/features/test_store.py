"""Kept features: found again, shared by processes, never wrong, never too many."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from zoo.errors import ZooError
from zoo.features import disk
from zoo.features.store import Store

SHAPES = {"pooled": (4,), "sequence": (None, 3), "mask": (None,)}

WRITER = """
import sys, hashlib, numpy as np
from zoo.features import store
store.FILE_SECONDS = 0.0
kept = store.Store({"backbone": "b"}, {"pooled": (4,)})
print("ready", flush=True)
sys.stdin.readline()
for i in range(int(sys.argv[1]), int(sys.argv[2])):
    name = hashlib.blake2b(str(i).encode(), digest_size=16).hexdigest()
    kept.add([name], {"pooled": np.full((1, 4), i, "float32")}, halved=False)
    print(i, flush=True)
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    return tmp_path


def content(i: int) -> str:
    return hashlib.blake2b(str(i).encode(), digest_size=16).hexdigest()


def filled(count: int, about: str = "b", scale: float = 1.0, halved: bool = False) -> Store:
    store = Store({"backbone": about}, SHAPES)
    for i in range(count):
        length = 2 + i % 3
        batch = {
            "pooled": np.full((1, 4), i * scale, "float32"),
            "sequence": np.full((1, length, 3), i, "float32"),
            "mask": np.ones((1, length), "int32"),
        }
        store.add([content(i)], batch, halved=halved)
    store.flush()
    return store


def writer(start: int, end: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(start), str(end)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_what_was_kept_is_found_by_another_store_of_the_same_computation_alone() -> None:
    filled(5)
    again = Store({"backbone": "b"}, SHAPES)
    assert again.missing([content(i) for i in (7, 3, 7, 0, 9)]) == [0, 4]
    assert again.read("pooled", [content(3), content(1)]).tolist() == [[3.0] * 4, [1.0] * 4]
    assert again.read("pooled", [content(3)]).dtype == np.float32
    assert again.read("mask", [content(0), content(2)]).tolist() == [[1, 1, 0, 0], [1, 1, 1, 1]]
    assert again.read("sequence", [content(0), content(1)]).shape == (2, 3, 3)
    assert Store({"backbone": "other"}, SHAPES).missing([content(0)]) == [0]


def test_half_the_bytes_where_nothing_is_lost_and_whole_numbers_where_something_would_be() -> None:
    fits, does_not = filled(3, "fits", 2.0, halved=True), filled(3, "large", 1e5, halved=True)
    assert fits.read("pooled", [content(2)])[0, 0] == 4.0
    assert does_not.read("pooled", [content(2)])[0, 0] == np.float32(2e5)
    types = {str(values.dtype) for file in fits._files.values() for _, values in file.values()}
    assert types == {"float16", "int32"}


@pytest.mark.parametrize("damage", ["torn", "altered", "empty", "not ours"])
def test_a_damaged_file_is_never_used(damage: str) -> None:
    store = filled(4)
    (path,) = store.folder.glob("*.arrow")
    whole = path.read_bytes()
    if damage == "not ours":
        (store.folder / f"{hashlib.sha256(b'text').hexdigest()}.arrow").write_bytes(b"text")
    changed = {"torn": whole[:-40], "altered": whole.replace(b"\x40\x40", b"\x41\x40"), "empty": b"", "not ours": whole}
    path.write_bytes(changed[damage])
    assert damage == "not ours" or path.read_bytes() != whole
    again = Store({"backbone": "b"}, SHAPES)
    lost = damage != "not ours"
    assert again.missing([content(i) for i in range(4)]) == ([0, 1, 2, 3] if lost else [])
    assert path.exists() != lost
    assert filled(4).read("pooled", [content(3)])[0, 0] == 3.0


def test_two_processes_at_once_lose_and_mix_nothing() -> None:
    both = [writer(0, 60), writer(30, 90)]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in both:
        process.communicate(timeout=120)
        assert process.returncode == 0
    store = Store({"backbone": "b"}, {"pooled": (4,)})
    names = [content(i) for i in range(90)]
    assert store.missing(names) == []
    assert store.read("pooled", names)[:, 0].tolist() == list(range(90))


def test_after_a_kill_everything_that_was_written_is_there() -> None:
    process = writer(0, 100_000)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    lines = [process.stdout.readline() for _ in range(40)]
    process.send_signal(signal.SIGKILL)
    process.wait()
    store = Store({"backbone": "b"}, {"pooled": (4,)})
    done = [content(i) for i in range(int(lines[-1]) + 1)]
    assert store.missing(done) == []
    assert store.read("pooled", done)[:, 0].tolist() == list(range(len(done)))


def test_the_least_recently_used_go_first_and_readers_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    old, young = filled(3, "old"), filled(3, "young")
    for store, age in ((old, 500), (young, 100)):
        for path in store.folder.glob("*.arrow"):
            os.utime(path, (time.time() - age,) * 2)
    assert [one.about["backbone"] for one in disk.cached_features()] == ["old", "young"]
    size = disk.cached_features()[0].bytes
    monkeypatch.setenv("ZOO_CACHE_SIZE", str(2 * size))
    filled(3, "new")
    assert [one.about["backbone"] for one in disk.cached_features()] == ["young", "new"]
    assert old.read("pooled", [content(2)])[0, 0] == 2.0
    assert disk.prune(0) > 0
    assert disk.cached_features() == []


def test_what_a_killed_process_began_is_swept_away() -> None:
    store = filled(1)
    begun, old = store.folder / ".part-a", store.folder / ".part-b"
    for path in (begun, old):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    disk.prune(0)
    assert begun.exists(), "another process may still be writing it"
    assert not old.exists()


def test_the_limit_is_held_although_each_training_opens_the_same_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_CACHE_SIZE", "1MB")
    for number in range(4):  # data sets of 400 kB
        contents = [content(1000 * number + i) for i in range(100)]
        store = Store({"backbone": "b"}, {"pooled": (1000,)})
        assert store.missing(contents) == list(range(100))
        store.add(contents, {"pooled": np.full((100, 1000), number, "float32")}, halved=False)
        store.flush()
        assert store.read("pooled", contents)[0, 0] == number
    assert disk.cached_features()[0].bytes < 1e6
    last = Store({"backbone": "b"}, {"pooled": (1000,)})
    assert last.missing([content(3000)]) == []
    assert last.missing([content(0)]) == [0]


def test_what_a_training_looks_up_is_not_deleted_by_what_it_adds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_CACHE_SIZE", "500KB")
    for number in range(2):
        store = Store({"backbone": "b"}, {"pooled": (1000,)})
        assert store.missing([content(i) for i in range(100 * number)]) == []
        store.add(
            [content(100 * number + i) for i in range(100)], {"pooled": np.ones((100, 1000), "float32")}, halved=False
        )
        store.flush()
    assert Store({"backbone": "b"}, {"pooled": (1000,)}).missing([content(i) for i in range(200)]) == []


def test_nothing_makes_no_file_and_a_file_of_nothing_is_deleted() -> None:
    store = filled(2)
    store.add([], {name: np.empty((0, 4, 3), "float32") for name in SHAPES}, halved=False)
    store.flush()
    (full,) = store.folder.glob("*.arrow")
    schema = pa.ipc.open_file(full).schema
    with pa.ipc.new_file(store.folder / "empty", schema):
        pass
    name = hashlib.sha256((store.folder / "empty").read_bytes()).hexdigest()
    (store.folder / "empty").rename(store.folder / f"{name}.arrow")
    assert Store({"backbone": "b"}, SHAPES).missing([content(0)]) == []
    assert list(store.folder.glob("*.arrow")) == [full]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts what is open as Linux shows it")
def test_many_files_of_features_do_not_stay_open() -> None:
    for i in range(40):
        store = Store({"backbone": "b"}, {"pooled": (4,)})
        store.add([content(i)], {"pooled": np.full((1, 4), i, "float32")}, halved=False)
        store.flush()
    before = len(os.listdir("/proc/self/fd"))
    store = Store({"backbone": "b"}, {"pooled": (4,)})
    assert store.read("pooled", [content(i) for i in range(40)])[:, 0].tolist() == list(range(40))
    assert len(os.listdir("/proc/self/fd")) < before + 5


def test_a_precision_that_spoils_the_features_is_remembered() -> None:
    store = Store({"backbone": "b"}, SHAPES)
    assert not store.spoilt
    store.mark_spoilt()
    assert Store({"backbone": "b"}, SHAPES).spoilt


@pytest.mark.parametrize(("text", "size"), [("20GB", 20e9), ("1.5 mb", 1.5e6), ("0", 0), ("7", 7), ("3K", 3e3)])
def test_sizes(text: str, size: float) -> None:
    assert disk.parse_size(text) == size


def test_a_limit_that_is_no_size_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_CACHE_SIZE", "much")
    with pytest.raises(ZooError, match=r"ZOO_CACHE_SIZE: 'much' is not a size\. Write it like 20GB or 500MB\."):
        disk.limit()


def test_the_command_shows_and_prunes(zoo_command) -> None:
    filled(3, "resnet50")
    shown = json.loads(zoo_command("cache", "--json").stdout)
    assert [row["backbone"] for row in shown["features"]] == ["resnet50"]
    assert shown["bytes"] > 0
    table = zoo_command("cache").stdout
    assert "resnet50" in table
    assert "of at most 10.0 GB" in table
    assert zoo_command("cache", "--prune").stdout.startswith("Deleted 2.2 kB.\n0 bytes of at most 10.0 GB in ")
    assert json.loads(zoo_command("cache", "--json").stdout)["features"] == []
    refused = zoo_command("cache", "--prune", "--to", "some")
    assert (refused.returncode, "'some' is not a size" in refused.stderr) == (1, True)
