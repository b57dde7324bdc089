"""What lies where somebody else could have put it is not believed: caches, settings, and what is remembered."""

import hashlib
import json
import os
import stat
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

import zoo
from zoo import progress
from zoo.catalog import caches, catalog
from zoo.catalog.caches import cache_folder, make_cache_folder, own_cache
from zoo.catalog.imports import resolve_import
from zoo.errors import ZooError
from zoo.features.store import Store
from zoo.trust import how_others_change, make_private
from zoo.weights import locate, obtain
from zoo.weights.cache import cache_key

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")


@pytest.fixture(autouse=True)
def _asked_anew():
    yield
    progress.say_once.cache_clear()


@pytest.mark.parametrize(
    ("mode", "said"),
    [(0o700, ""), (0o755, ""), (0o777, "everybody can write to"), (0o1777, "everybody"), (0o757, "everybody")],
)
def test_who_can_write_to_a_folder(tmp_path, mode, said):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    folder.chmod(mode)
    assert how_others_change(folder).startswith(said) if said else how_others_change(folder) == ""
    folder.chmod(0o755)
    folder.parent.chmod(mode & 0o777)
    wide = bool(mode & 0o002)
    assert bool(how_others_change(folder)) == wide
    folder.parent.chmod(0o1777)  # as /tmp: nobody can rename what is in it
    assert how_others_change(folder) == ""
    assert how_others_change(folder / "later" / "still") == ""


@needs_root
def test_a_folder_of_another_user_or_a_group_of_others(tmp_path):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    os.chown(folder, 12345, -1)
    assert how_others_change(folder) == f"{folder} belongs to the user 12345"
    os.chown(folder, 0, 0)
    os.chown(folder.parent, 12345, -1)
    assert how_others_change(folder) == f"{folder.parent} belongs to the user 12345"
    os.chown(folder.parent, 0, 0)
    os.chown(folder, 0, 54321)
    folder.chmod(0o775)
    assert how_others_change(folder) == f"the group 54321 can write to {folder}"
    link = tmp_path / "link"
    link.symlink_to(folder)
    assert "54321" in how_others_change(link)


def test_folders_are_made_for_their_owner_alone(tmp_path):
    before = os.umask(0)
    try:
        make_private(tmp_path / "a" / "b")
        make_private(tmp_path / "a" / "b")
    finally:
        os.umask(before)
    assert [stat.S_IMODE((tmp_path / part).stat().st_mode) for part in ("a", "a/b")] == [0o700, 0o700]
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        make_private(tmp_path / "file")


def test_every_folder_that_commands_make_is_for_its_owner_alone(zoo_command, few_pictures, tmp_path):
    own = {"ZOO_CACHE": str(tmp_path / "caches" / "zoo"), "ZOO_CONFIG": str(tmp_path / "settings" / "zoo")}
    time.sleep(2.1)  # what is younger is not remembered
    zoo_command("list", **own)
    zoo_command("plugins", "--disable", "heads", **own)
    zoo_command("plugins", "--enable", "heads", **own)
    out = tmp_path / "run"
    trained = zoo_command("train", "efficientnet_lite0", few_pictures, "--epochs", 1, "--out", out, **own)
    assert trained.returncode == 0, trained.stderr
    for private in ("caches", "settings", "caches/zoo/catalog", "caches/zoo/verified", "caches/zoo/known"):
        assert stat.S_IMODE((tmp_path / private).stat().st_mode) == 0o700, private
    assert {path.name for path in (tmp_path / "caches" / "zoo").iterdir()} >= {"catalog", "features", "converted"}


def _poisoned(cache: Path) -> None:
    """Let what is remembered of the plugin efficientnet_lite name another function."""
    for file in (cache / "catalog").iterdir():
        file.write_text(file.read_text().replace("zoo_efficientnet_lite.build:build", "antigravity:geohash"))
        assert "antigravity" in file.read_text()


def test_what_is_remembered_names_only_functions_of_its_plugin(zoo_command, few_pictures, tmp_path):
    own = {"ZOO_CACHE": str(tmp_path / "cache")}
    zoo_command("list", **own)
    _poisoned(tmp_path / "cache")
    trained = zoo_command("train", "efficientnet_lite0", few_pictures, **own)
    assert trained.returncode == 1
    assert "antigravity:geohash is not in the plugin efficientnet_lite" in trained.stderr


@pytest.mark.parametrize("text", ["code:interact", "os:system", "zoo_heads.regression:Regression"])
def test_an_import_string_is_of_the_plugin(text):
    with pytest.raises(ZooError, match="is not in the plugin efficientnet_lite"):
        resolve_import(text, "efficientnet_lite", "it")
    with pytest.raises(ZooError, match="no plugin called nobody is installed"):
        resolve_import(text, "nobody", "it")


def test_what_others_can_change_is_neither_remembered_nor_believed(zoo_command, few_pictures, tmp_path):
    shared, home = tmp_path / "shared", tmp_path / "home"
    own = {"ZOO_CACHE": str(shared), "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    shared.mkdir()
    zoo_command("list", **own)
    _poisoned(shared)
    shared.chmod(0o777)
    out = tmp_path / "run"
    trained = zoo_command("train", "efficientnet_lite0", few_pictures, "--epochs", 1, "--out", out, **own)
    assert trained.returncode == 0, trained.stderr
    assert trained.stderr.count(f"everybody can write to {shared}.") == 1
    assert f"chmod -R go-w {shared}" in trained.stderr
    assert {path.name for path in shared.iterdir()} == {"catalog", "features"}
    assert {"catalog", "converted"} <= {path.name for path in (home / "cache" / "zoo").iterdir()}
    (home / "cache" / "zoo").chmod(0o777)
    listed = zoo_command("list", "--json", **own)
    assert "efficientnet_lite0" in {row["name"] for row in json.loads(listed.stdout)}
    out = tmp_path / "again"
    trained = zoo_command("train", "efficientnet_lite0", few_pictures, "--epochs", 1, "--out", out, **own)
    assert trained.returncode == 0, trained.stderr  # what is converted lies in a folder of that process


def test_settings_that_others_can_change_are_not_used(zoo_command, tmp_path):
    own = {"ZOO_CONFIG": str(tmp_path / "config")}
    assert zoo_command("plugins", "--disable", "efficientnet_lite", **own).returncode == 0
    (tmp_path / "config").chmod(0o777)
    listed = zoo_command("list", **own)
    assert "efficientnet_lite0" in listed.stdout
    assert "are not used, because others can change them" in listed.stderr
    refused = zoo_command("plugins", "--disable", "heads", **own)
    assert refused.returncode == 1
    assert "is not written, because others can change it" in refused.stderr
    (tmp_path / "config").chmod(0o700)
    assert "efficientnet_lite0 " not in zoo_command("list", **own).stdout


def _weights(content: bytes):
    """Weights with a checksum, of a backbone of a plugin that is installed."""
    offer = catalog().backbone("resnet50")
    weights = replace(offer.spec.weights[0], checksum=f"sha256:{hashlib.sha256(content).hexdigest()}")
    return offer, weights


def _place_of(weights, cache: Path) -> Path:
    """Where weights lie in a cache; its folder is there."""
    place = cache / "weights" / cache_key(weights.source) / weights.filename
    place.parent.mkdir(parents=True)
    return place


def test_weights_are_verified_whenever_they_are_used(monkeypatch, tmp_path, capfd):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    offer, weights = _weights(b"right")
    file = _place_of(weights, tmp_path)
    file.write_bytes(b"right")
    assert obtain(offer, weights) == file
    time.sleep(2.1)
    assert obtain(offer, weights) == file
    reads = []
    sys.addaudithook(lambda event, arguments: reads.append(arguments[0]) if event == "open" else None)
    assert obtain(offer, weights) == file
    assert file not in reads, "it is read again although it is the same"
    times = file.stat()
    file.write_bytes(b"wrong")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(zoo.WeightsUnavailable, match="forbids the network"):
        obtain(offer, weights)
    assert "is damaged, or somebody has changed it" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("content", "checked", "taken"), [(b"right", True, True), (b"wrong", True, False), (b"right", False, False)]
)
def test_of_a_shared_cache_only_verified_weights_are_taken(monkeypatch, tmp_path, content, checked, taken):
    shared, home = tmp_path / "shared", tmp_path / "home"
    shared.mkdir(mode=0o777)
    shared.chmod(0o777)
    monkeypatch.setenv("ZOO_CACHE", str(shared))
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    monkeypatch.setattr(caches, "_cache_folder", lambda named: Path(named or home))
    offer, weights = _weights(b"right")
    weights = weights if checked else replace(weights, checksum=None, bytes=5)
    file = _place_of(weights, cache_folder())
    file.write_bytes(content)
    assert own_cache("catalog") == home / "catalog"
    assert locate(weights) == (file if checked else None)
    if taken:
        assert obtain(offer, weights) == file
    else:
        with pytest.raises(zoo.WeightsUnavailable):
            obtain(offer, weights)


def test_a_plugins_own_memory_is_a_question_of_the_environment(tmp_path):
    command = [sys.executable, "-c", "from zoo.catalog.caches import own_cache; print(own_cache('catalog'))"]
    done = subprocess.run(command, env=os.environ | {"ZOO_CACHE": str(tmp_path)}, capture_output=True, text=True)
    assert done.stdout.strip() == str(tmp_path / "catalog")
    assert done.stderr == ""


AS_ANOTHER = """
import hashlib, os, sys
import numpy as np
import pyarrow.ipc
from dataclasses import replace
from pathlib import Path
from zoo.catalog import catalog, memory
from zoo.catalog.caches import own_cache
from zoo.features.store import Store
from zoo.weights.cache import cache_key
offer = catalog().backbone("resnet50")
os.setgid(12345), os.setuid(12345)
shared, content = Path(os.environ["ZOO_CACHE"]), b"weights"
store = Store({"of": "both"}, {"pooled": (4,)})
store.add(["%032x" % 7], {"pooled": np.full((1, 4), 3, "float32")}, halved=False)
store.flush()
source = offer.spec.weights[0].source
file = shared / "weights" / cache_key(source) / offer.spec.weights[0].filename
file.parent.mkdir(parents=True)
file.write_bytes(content)
memory.remember(b"[]", {})
"""


@needs_root
def test_another_user_in_the_same_cache_harms_nobody(monkeypatch, tmp_path):
    """Both write to one folder; what the other wrote is used only as far as it can be verified."""
    shared, home = tmp_path / "shared", tmp_path / "home"
    shared.mkdir()
    shared.chmod(0o777)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.name.startswith(("pytest", "popen", "test_")):
            folder.chmod(0o755)
    home.mkdir(mode=0o700)
    own = {"ZOO_CACHE": str(shared), "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    done = subprocess.run([sys.executable, "-c", AS_ANOTHER], env=os.environ | own, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert {path.stat().st_uid for path in home.rglob("*")} <= {0}  # the other user cannot write there
    assert {path.stat().st_uid for path in shared.rglob("*.arrow")} == {12345}

    monkeypatch.setenv("ZOO_CACHE", str(shared))
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    monkeypatch.setattr(caches, "_cache_folder", lambda named: Path(named or home / "cache"))
    assert own_cache("catalog") == home / "cache" / "catalog"
    store = Store({"of": "both"}, {"pooled": (4,)})
    content = f"{7:032x}"
    assert store.missing([content]) == []
    assert store.read("pooled", [content]).tolist() == [[3, 3, 3, 3]]
    offer, weights = _weights(b"weights")
    assert obtain(offer, weights).parent.parent.parent == shared
    with pytest.raises(zoo.WeightsUnavailable):
        obtain(*_weights(b"other"))
    assert not (shared / "catalog").exists()
    Store({"of": "root"}, {"pooled": (4,)}).mark_spoilt()
    assert {stat.S_IMODE(path.stat().st_mode) & 0o055 for path in (shared / "features").iterdir()} == {0o055}
    (arrow,) = shared.rglob("*.arrow")
    arrow.write_bytes(arrow.read_bytes()[:-1] + b"x")
    assert Store({"of": "both"}, {"pooled": (4,)}).missing([content]) == [0]


@pytest.mark.parametrize("kind", ["folder", "pipe", "unreadable"])
def test_what_lies_in_the_place_of_weights_and_is_no_file_is_not_taken(monkeypatch, tmp_path, kind):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    offer, weights = _weights(b"right")
    place = _place_of(weights, tmp_path)
    if kind == "folder":
        place.mkdir()
        (place / "model.h5").write_bytes(b"right")
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to("/proc/self/mem")
    with pytest.raises(zoo.WeightsUnavailable):
        obtain(offer, weights)


@needs_root
@pytest.mark.parametrize("what", ["catalog", "settings.json", "verified"])
def test_what_another_user_left_below_a_folder_of_ones_own_is_not_believed(zoo_command, tmp_path, what):
    own = {"ZOO_CACHE": str(tmp_path / "cache"), "ZOO_CONFIG": str(tmp_path / "cache")}
    zoo_command("plugins", "--disable", "heads", **own)
    zoo_command("list", **own)
    place = tmp_path / "cache" / what
    if what == "verified":
        place.mkdir()
    for path in (place, *(place.rglob("*") if place.is_dir() else ())):
        os.chown(path, 12345, -1)
    listed = zoo_command("list", **own)
    assert listed.returncode == 0
    used = how_others_change(place)
    assert used == f"{place} belongs to the user 12345"
    if what != "verified":
        assert "belongs to the user 12345" in listed.stderr


def test_a_link_that_others_can_point_elsewhere(tmp_path):
    mine, opened = tmp_path / "mine", tmp_path / "open"
    mine.mkdir(mode=0o700)
    opened.mkdir()
    (opened / "link").symlink_to(mine)
    assert how_others_change(opened / "link") == ""
    opened.chmod(0o777)
    assert how_others_change(opened / "link") == f"everybody can write to {opened}"
    (opened / "loop").symlink_to(opened / "loop")
    how_others_change(opened / "loop")


@pytest.mark.parametrize("shared", [False, True])
def test_folders_in_a_cache_are_as_open_as_the_cache(monkeypatch, tmp_path, shared):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(0o777 if shared else 0o755)
    before = os.umask(0o002)  # as where groups of several people are the rule
    try:
        caches.make_cache_folder(tmp_path / "cache" / "weights" / "key")
    finally:
        os.umask(before)
    for part in ("weights", "weights/key"):
        assert stat.S_IMODE((tmp_path / "cache" / part).stat().st_mode) == (0o775 if shared else 0o755)
    if not shared:
        assert own_cache("weights") == tmp_path / "cache" / "weights"


def test_a_new_cache_where_everybody_can_write_takes_what_is_verified(tmp_path, monkeypatch):
    open_to_all = tmp_path / "opt"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    monkeypatch.setenv("ZOO_CACHE", str(open_to_all / "cache"))
    make_cache_folder(open_to_all / "cache" / "weights" / "one")
    assert (open_to_all / "cache").stat().st_mode & 0o777 == 0o700
    with pytest.raises(PermissionError, match="everybody can write to"):
        make_private(open_to_all / "private")
