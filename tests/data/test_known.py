"""Files are decoded once, in the first training, and not at all in the next, unless they have changed."""

import os
import time

import pytest

import zoo
from zoo.catalog.caches import own_cache_folder
from zoo.data import known, pictures
from zoo.data.check import check
from zoo.data.known import FILE
from zoo.data.layout import Layout
from zoo.data.sources import read_source
from zoo.data.spool import Kept, Spool, held


@pytest.fixture
def decoded(monkeypatch):
    """The names of the pictures that are decoded."""
    names: list[str] = []
    decode = pictures.read_picture

    def counted(file, *arguments, **settings):
        names.append(os.path.basename(file.name))
        return decode(file, *arguments, **settings)

    monkeypatch.setattr(pictures, "read_picture", counted)
    return names


@pytest.fixture
def settled(few_pictures):
    """Pictures that were written a while ago; what has just changed could change again within one tick."""
    time.sleep(2.1)
    return few_pictures


def test_a_picture_is_decoded_once_and_then_never(settled, decoded, tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    first = zoo.train("efficientnet_lite0", settled, weights="none", epochs=1, out=tmp_path / "first")
    assert sorted(decoded) == sorted(path.name for path in settled.rglob("*.png"))
    decoded.clear()
    second = zoo.train("efficientnet_lite0", settled, weights="none", epochs=1, seed=0, out=tmp_path / "second")
    assert decoded == []
    assert second.metrics == first.metrics
    other = zoo.train("efficientnet_lite0", settled, weights="none", epochs=1, seed=1, out=tmp_path / "third")
    assert sorted(set(decoded)) == sorted(decoded), "other weights: each is decoded once more"
    assert other.summary["examples"] == first.summary["examples"]


def test_what_has_changed_is_read_again(settled, decoded, tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))

    def contents():
        layout = Layout()
        return {e.input: e.content for e in check(read_source(settled, layout, zoo.Task()), layout.reader).items}

    before = contents()
    decoded.clear()
    assert contents() == before
    assert decoded == []
    one, two = sorted((settled / "birds").iterdir())[:2]
    times = one.stat().st_atime_ns, one.stat().st_mtime_ns
    one.write_bytes(two.read_bytes().ljust(one.stat().st_size, b"\0")[: max(one.stat().st_size, two.stat().st_size)])
    os.utime(one, ns=times)  # as some programs copy
    after = contents()
    assert one.name in decoded
    assert after[f"birds/{one.name}"] == after[f"birds/{two.name}"] != before[f"birds/{one.name}"]
    (settled / "music" / "new.png").write_bytes(two.read_bytes())
    assert contents()["music/new.png"] == after[f"birds/{two.name}"]


def test_a_memory_that_is_damaged_is_replaced(settled, decoded, tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    layout = Layout()
    for content in (b"", b"no database" * 100):
        folder = own_cache_folder("known")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).write_bytes(content)
        decoded.clear()
        assert len(check(read_source(settled, layout, zoo.Task()), layout.reader).items) == 12
        assert len(decoded) == 12
        check(read_source(settled, layout, zoo.Task()), layout.reader)
        assert len(decoded) == 12


def test_a_memory_with_a_damaged_page_is_replaced(tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(known, "_SETTLED", -1)
    files = [tmp_path / f"{number:04}.png" for number in range(600)]
    for file in files:
        file.write_bytes(b"some")

    def remembered(save=True):
        memory = known.Known(Layout().reader, files)
        found = sum(memory.content(file, memory.stamp(file)) == "ab" * 16 for file in files)
        for file in files if save else ():
            memory.note(file, memory.stamp(file), "ab" * 16)
        memory.save()
        return found

    base = tmp_path / "cache" / "known" / FILE
    assert [remembered(), remembered(save=False)] == [0, 600]
    content = base.read_bytes()
    for at in range(8192, len(content), 4096):  # all pages but those that say what is in it
        content = content[:at] + b"\xff" * 4096 + content[at + 4096 :]
    base.write_bytes(content)
    assert remembered() < 600, "seen in what is recalled"
    assert remembered() == 600

    memory = known.Known(Layout().reader, [])
    memory.note(files[0], memory.stamp(files[0]), "ab" * 16)
    base.write_bytes(content)
    memory.save()
    assert not base.exists(), "seen in what is saved"
    assert [remembered(), remembered()] == [0, 600]


def test_texts_and_bytes_come_back_from_the_spool():
    spool, other = Spool(), Spool()
    raws = ["a", "", "日本\udce9", b"\x00\xff", ("x", "y"), None, 3.5]
    kept = [spool.keep(raw) for raw in raws]
    another = other.keep("elsewhere")
    assert [held(one) for one in kept] == raws
    assert isinstance(kept[0], Kept)
    assert (str(kept[0]), str(kept[3]), held(another)) == ("a", "(2 bytes)", "elsewhere")
    assert held(spool.keep("later")) == "later"
