"""Data with odd things in it: pictures of every kind in one folder, what is doubtful, and a loss that is no number."""

import os
import re
import struct
import zlib
from pathlib import Path

import pytest
from drawn import classes, picture

IMAGE = "efficientnet_lite0"


def _png(width: int, height: int) -> bytes:
    """A grey picture of any size in few bytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    row = bytes(1) + b"\x80" * width
    pixels = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def _saved(kind: str, mode: str = "RGB", **options: object) -> bytes:
    import io

    from PIL import Image

    stream = io.BytesIO()
    picture = Image.radial_gradient("L").resize((60, 40))
    (picture if mode == "F" else picture.convert("RGB")).convert(mode).save(stream, kind, **options)
    return stream.getvalue()


def _turned(orientation: int) -> bytes:
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = orientation
    return _saved("JPEG", exif=exif)


JPEG, PNG = _saved("JPEG"), _saved("PNG")
LEFT_OUT: dict[str, tuple[bytes, str]] = {
    "cut.jpg": (JPEG[: len(JPEG) // 2], "[Tt]runcated"),
    "cut.png": (PNG[: len(PNG) // 2], "damaged picture|truncated|cannot be read"),
    "header-alone.jpg": (JPEG[:20], "not a picture|truncated|cannot be read"),
    "zero-bytes.png": (b"", "empty file"),
    "text.png": (b"This is no picture.", "not a picture"),
    "page.jpg": (b"<!DOCTYPE html><html><body>404</body></html>", "not a picture"),
    "drawing.svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "not a picture"),
    "pickled.png": (b"\x80\x04\x95\x0f\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94.", "not a picture"),
    "altered.png": (PNG[:60] + bytes([PNG[60] ^ 255]) + PNG[61:], "damaged picture|cannot be read|truncated"),
    "bomb.png": (_png(50_000, 20_000), "too large: 50000 x 20000 pixels|too large"),
    "drawing.pdf": (b"%PDF-1.7\n", "a PDF document"),
    "zipped.png": (b"PK\x05\x06" + bytes(18), "not a picture"),
}
TAKEN: dict[str, bytes] = {
    "a jpeg called.png": JPEG,
    "a png called.jpg": PNG,
    "UPPER.JPG": JPEG,
    "no-ending": PNG,
    "ünïcödé 写真.png": PNG,
    "two\nlines.png": PNG,
    "wide.png": _png(50_000, 40),
    "cmyk.jpg": _saved("JPEG", "CMYK"),
    "animated.gif": _saved("GIF", "P", save_all=True, append_images=[]),
    "grey-and-alpha.png": _saved("PNG", "LA"),
    "palette.png": _saved("PNG", "P"),
    "one-bit.png": _saved("PNG", "1"),
    "photo.webp": _saved("WEBP"),
    "scan.tif": _saved("TIFF", "CMYK"),
    "real-numbers.tif": _saved("TIFF", "F"),
    "print.jp2": _saved("JPEG2000"),
    **{f"turned-{n}.jpg": _turned(n) for n in range(1, 9)},
}


@pytest.fixture(scope="module")
def mixed_run(tmp_path_factory, zoo_command):
    """A training on good pictures, and on one of everything that people have in their folders; what it said."""
    folder = tmp_path_factory.mktemp("mixed")
    data = classes(folder, "good", "other", each=8)
    for name, content in {**{name: content for name, (content, _) in LEFT_OUT.items()}, **TAKEN}.items():
        (data / "good" / name).write_bytes(content)
    (data / "good/nowhere.png").symlink_to(folder / "nothing")
    (data / "good/again").symlink_to(data)
    os.mkfifo(data / "good/pipe.png")
    (data / "good/folder.png").mkdir()
    (data / "outside.png").write_bytes(PNG)
    done = zoo_command("train", IMAGE, data, "--epochs", 1, "--out", folder / "run")
    assert done.returncode == 0, done.stderr
    return folder / "run", done.stderr


def _rows(path: Path) -> dict[str, list[str]]:
    import csv

    with path.open(newline="", encoding="utf-8") as file:
        return {row[0]: row[1:] for row in list(csv.reader(file))[1:]}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_a_picture_that_cannot_be_read_is_left_out_and_counted(name, mixed_run):
    run, _ = mixed_run
    (reason,) = _rows(run / "skipped.csv")[f"good/{name}"]
    assert re.search(LEFT_OUT[name][1], reason), reason
    assert f"good/{name}" not in _rows(run / "split.csv")


@pytest.mark.parametrize("name", TAKEN)
def test_an_unusual_picture_is_used(name, mixed_run):
    run, _ = mixed_run
    assert _rows(run / "split.csv")[f"good/{name}"][0] == "good"
    assert f"good/{name}" not in _rows(run / "skipped.csv")


def test_what_is_no_file_is_left_out_or_passed_over(mixed_run):
    run, said = mixed_run
    skipped = _rows(run / "skipped.csv")
    assert "no file /" in skipped["good/nowhere.png"][0]
    assert skipped["good/pipe.png"] == ["not a file"]
    assert skipped["outside.png"] == ["not in the folder of a class"]
    assert not any("again" in name for name in [*skipped, *_rows(run / "split.csv")])
    assert f"Inputs left out: {len(LEFT_OUT) + 3}, see skipped.csv" in said
    assert "Traceback" not in said
    assert not list(run.glob(".*"))


def test_what_is_doubtful_in_a_folder_is_said_and_the_training_goes_on(zoo_here, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = classes(tmp_path, "Dog", "dog", "cat", "cat ")
    (data / "cat/copy.png").write_bytes((data / "Dog/0.png").read_bytes())
    status, out, err = zoo_here("train", IMAGE, data, "--epochs", 1)
    assert status == 0, err
    assert re.search(r"'Dog', 'dog' differ only in upper case", err), err
    assert re.search(r"'cat', 'cat ' differ only in", err), err
    assert re.search(r"examples with several targets: 1 \(Dog and cat", err), err
    assert "accuracy" in out


def test_rows_without_a_label_are_counted_and_the_training_goes_on(zoo_here, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [f"{picture(tmp_path / f'{n}.png', n + 1).name},{'ab'[n % 2]}" for n in range(8)]
    (tmp_path / "table.csv").write_text("\n".join(["image,label", *rows, "9.png,", ",a"]))
    status, out, err = zoo_here("train", IMAGE, "table.csv", "--epochs", 1)
    assert status == 0, err
    assert re.search(r"Inputs left out: 2, see skipped.csv \(row|\(.*is empty", err), err
    assert "accuracy" in out


def test_a_loss_that_is_no_number_stops_with_advice_and_keeps_the_last_good_checkpoint(zoo_here, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    from zoo.plan import Phase, Plan
    from zoo.runs.folder import RunFolder
    from zoo.training.checkpoint import Checkpoints

    phases = (
        Phase(unfreeze=0, epochs=2, learning_rate=1e-3, patience=2),
        Phase(unfreeze=1, epochs=3, learning_rate=1e38, patience=3),
    )
    settled = Plan(backbone=IMAGE, data=str(classes(tmp_path, "a", "b")), phases=phases)
    (tmp_path / "plan.toml").write_text(settled.to_toml())
    status, _, err = zoo_here("train", "--plan", "plan.toml", "--out", "run")
    assert status == 1
    (sentence,) = [line for line in err.splitlines() if line.startswith("zoo: ")]
    assert re.search(r"loss became (nan|inf)\. Train with a lower learning rate .* zoo resume run --finish", sentence)
    import numpy as np

    kept = Checkpoints(RunFolder(tmp_path / "run")).load()
    assert kept is not None
    assert kept.position.phase == 1
    assert all(np.isfinite(array).all() for array in kept.arrays.values())
    status, out, err = zoo_here("resume", "run", "--finish")
    assert status == 0, err
    assert "accuracy" in out
    assert RunFolder(tmp_path / "run").read_json("provenance.json")["finished_early"] is True
    assert zoo_here("predict", "run", "data/a/0.png")[0] == 0
