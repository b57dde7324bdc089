"""Bad input, case by case: one clear sentence and exit status 1, or a counted skip; and nothing half-written stays."""

import os
import re
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from zoo.cli.main import main

Make = Callable[[Path], list[object]]  # writes what is bad into a folder; gives the arguments of the command line
IMAGE, TEXT = "efficientnet_lite0", "bert"
TINY = ("--weights", "tiny")  # a text encoder of two layers, which the test lays there


@pytest.fixture
def zoo_here(monkeypatch, capfd):
    """The command line in this process, where TensorFlow has been started already: (exit status, stdout, stderr)."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["zoo", *map(str, arguments)])
        try:
            main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(bool(end.code))
        else:
            status = 0
        return status, *capfd.readouterr()

    return run


def _picture(path: Path, colour: int = 0) -> Path:
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 30), (colour % 256, colour * 7 % 256, colour * 31 % 256)).save(path, format="PNG")
    return path


def _classes(folder: Path, *names: str, each: int = 4) -> Path:
    for place, name in enumerate(names):
        for number in range(each):
            _picture(folder / "data" / name / f"{number}.png", 1 + place * each + number)
    (folder / "data").mkdir(exist_ok=True)
    return folder / "data"


def _table(folder: Path, content: str | bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def texts(content: str | bytes, name: str = "table.csv", *more: object) -> Make:
    """A training on a table of texts."""
    return lambda folder: ["train", TEXT, _table(folder, content, name), *TINY, *more]


def numbers(*targets: str) -> Make:
    """A training on pictures with a number each."""

    def make(folder: Path) -> list[object]:
        rows = [f"{_picture(folder / f'{place}.png', place).name},{target}" for place, target in enumerate(targets)]
        return ["train", IMAGE, _table(folder, "\n".join(["image,label", *rows])), "--head", "regression"]

    return make


def plan(content: str) -> Make:
    return lambda folder: ["train", "--plan", _table(folder, content, "plan.toml")]


def options(*more: object) -> Make:
    """A training on good pictures, with options that are wrong."""
    return lambda folder: ["train", IMAGE, _classes(folder, "a", "b"), *more]


def nested(**columns: pa.Array) -> Make:
    def make(folder: Path) -> list[object]:
        parquet.write_table(pa.table(columns), folder / "table.parquet")
        return ["train", TEXT, folder / "table.parquet", *TINY]

    return make


def only(*paths: str) -> Make:
    """A training on a folder that holds these files, empty ones."""

    def make(folder: Path) -> list[object]:
        (folder / "data").mkdir()
        for path in paths:
            (folder / "data" / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / "data" / path).touch()
        return ["train", IMAGE, folder / "data"]

    return make


def a_class_of_one(folder: Path) -> list[object]:
    data = _classes(folder, "a", "b")
    _picture(data / "c/1.png", 99)
    return ["train", IMAGE, data]


def one_content(folder: Path) -> list[object]:
    data = _classes(folder, "a", "b")
    for path in (data / "b").iterdir():
        _picture(path, 99)
    return ["train", IMAGE, data]


def loop(folder: Path) -> list[object]:
    (folder / "data/a").mkdir(parents=True)
    (folder / "data/a/again").symlink_to(folder / "data")
    return ["train", IMAGE, folder / "data"]


def unseen_in_validation(folder: Path) -> list[object]:
    data = _classes(folder, "a", "b")
    _picture(folder / "val/c/1.png", 77)
    return ["train", IMAGE, data, "--val", folder / "val"]


def unseen_in_split(folder: Path) -> list[object]:
    data = _classes(folder, "train/a", "train/b", "val/a", "val/b", "val/c")
    return ["train", IMAGE, data]


def broken_parquet(folder: Path) -> list[object]:
    return ["train", TEXT, _table(folder, b"PAR1" + bytes(100) + b"PAR1", "table.parquet"), *TINY]


GOOD = "text,label\ngood film,a\nbad film,b\nnice one,a\npoor one,b\n"
PHASE = "\n[[phases]]\nunfreeze = 0\nepochs = 1\nlearning_rate = 0.1\npatience = 1\n"

REFUSED: list[tuple[str, Make, str]] = [
    # what DATA names
    ("no such data", lambda f: ["train", IMAGE, f / "nothing"], r"nothing does not exist\. Give a folder"),
    ("an empty folder", only(), r"There are no examples in .*: nothing\. It needs a sub-folder for each class"),
    ("files outside of classes", only("a.png", "b.png"), r"only files outside of any class \(2\)"),
    ("one class", lambda f: ["train", IMAGE, _classes(f, "a")], r"only the class 'a'\. A classifier needs"),
    ("a class of one", a_class_of_one, r"The class 'c' has one distinct"),
    ("a class of one content", one_content, r"The class 'b' has one distinct example"),
    ("nothing but empty files", only("a/1.png", "b/1.png"), r"None of the inputs .* can be used \(2 in all; empty"),
    ("a loop of links and nothing else", loop, r"There are no examples in"),
    ("an unknown kind of file", texts(GOOD, "table.xlsx"), r"table\.xlsx is neither a folder nor a table \(\.csv"),
    (
        "a folder where words are wanted",
        lambda f: [*options()(f), "--head", "token_classification"],
        r"does not combine",
    ),
    ("an unseen class in --val", unseen_in_validation, r"'c' is not a class that .* trained on\. Its classes: a, b"),
    ("an unseen class in val/", unseen_in_split, r"'c' is not a class that .* trained on\. Its classes: a, b"),
    ("no such --val", options("--val", "nothing"), r"nothing does not exist"),
    # tables
    ("an empty table", texts(""), r"table\.csv cannot be read as a CSV table: .*[Ee]mpty"),
    ("a header alone", texts("text,label\n"), r"table\.csv has no row with both text and label"),
    (
        "no column of that name",
        texts("sentence,label\nx,a\n"),
        r"has no column 'text'\. It has sentence, label\. Name one",
    ),
    ("a blank in a name", texts("text , label\nx,a\n"), r"has no column 'label'\. It has 'text ', ' label'"),
    ("a name twice", texts("text,label,label\nx,a,b\n"), r"two columns with the same name: text, label, label"),
    ("broken quotes", texts('text,label\n"never closed,a\nx,b\n'), r"table\.csv cannot be read as a CSV table"),
    ("a row that is too short", texts("text,label\nx,a\ny\n"), r"cannot be read as a CSV table: .*Expected 2 columns"),
    ("a row that is too long", texts("text,label\nx,a\ny,b,c\n"), r"cannot be read as a CSV table: .*Expected 2 col"),
    ("Latin-1", texts("text,label\ncafé,a\n".encode("latin-1")), r"is not UTF-8 text \(byte 0xe9 .*iconv -f latin1"),
    ("UTF-16", texts(GOOD.encode("utf-16")), r"is not UTF-8 text \(byte 0xff .*iconv -f utf-16"),
    ("a NUL byte", texts(GOOD.replace("bad", "b\0d")), r"not a text table: it has a NUL byte"),
    ("a compressed table", texts(b"\x1f\x8b\x08\x00" + bytes(60)), r"is not UTF-8 text|a NUL byte"),
    (
        "a field of 100 MB",
        texts(f"text,label\n{'x' * 100_000_000},a\nshort,b\n"),
        r"row 1.* 100,?000,?000|cannot be read",
    ),
    ("an unknown split", texts("text,label,split\nx,a,maybe\n"), r"row 1: the split is 'maybe'\. It must be one of"),
    ("no label at all", texts("text,label\nx,\ny,\n"), r"has no row with both text and label"),
    (
        "broken JSON",
        texts('{"text": "x", "label": "a"}\n{"text": \n', "t.jsonl"),
        r"t\.jsonl cannot be read as a JSONL",
    ),
    (
        "JSON of two kinds",
        texts('{"text": "x", "label": 1}\n{"text": "y", "label": "b"}\n', "t.jsonl"),
        r"t\.jsonl cannot",
    ),
    ("a damaged Parquet file", broken_parquet, r"table\.parquet cannot be read as a PARQUET table"),
    (
        "Parquet with objects",
        nested(text=pa.array([{"a": 1}] * 4), label=pa.array(list("abab"))),
        r"no row with both text and label \(row 1: an object, where a text",
    ),
    (
        "Parquet with lists",
        nested(text=pa.array(list("wxyz")), label=pa.array([["a"]] * 4)),
        r"\(row 1: a list, where a text or a number was expected\)",
    ),
    (
        "Parquet with bytes",
        nested(text=pa.array([b"\xff"] * 4), label=pa.array(list("abab"))),
        r"\(row 1: bytes, where a text or a number was expected\)",
    ),
    (
        "pairs with one column",
        texts(GOOD, "table.csv", "--head", "pair_classification"),
        r"has no column 'text_b'|no head",
    ),
    (
        "CoNLL with uneven lines",
        texts("a O\nb\n", "t.conll", "--head", "token_classification"),
        r"line 2: 'b' does not",
    ),
    # targets
    ("one class in a table", texts("text,label\nx,a\ny,a\n"), r"only the class 'a'"),
    (
        "10,000 classes of one",
        texts("text,label\n" + "".join(f"t{i},c{i}\n" for i in range(10000))),
        r"has one distinct",
    ),
    ("NaN as a number", numbers("1", "nan", "2", "3"), r"'nan' is not finite"),
    ("infinity as a number", numbers("1", "inf", "2", "3"), r"'inf' is not finite"),
    ("a number beyond float32", numbers("1", "1e300", "2", "3"), r"'1e300' is too large"),
    ("a word as a number", numbers("1", "two", "2", "3"), r"'two' is not a number"),
    ("a decimal comma", numbers('"1,5"', '"2,5"', '"3,5"'), r"'1,5' is not a number"),
    ("all numbers the same", numbers("1", "1", "1", "1"), r"All targets in 'label' are the same number"),
    # names and settings
    ("an unknown backbone", lambda f: ["train", "resnet5", f], r"no backbone called 'resnet5'.*resnet50"),
    ("an unknown head", options("--head", "classify"), r"no head called 'classify'"),
    (
        "no such weights",
        options("--weights", "missing.h5"),
        r"'missing\.h5' is neither a file nor one of default, none",
    ),
    ("weights of something else", lambda f: options("--weights", _table(f, GOOD, "w.pth"))(f), r"w\.pth"),
    ("no epochs", options("--epochs", 0), r"--epochs 0: it must be a whole number of at least 1"),
    ("no batch", options("--batch-size", -1), r"--batch-size -1: it must be a whole number of at least 1"),
    ("a rate of zero", options("--lr", 0), r"--lr 0\.0: it must be a finite number above 0"),
    ("a rate that is no number", options("--lr", "nan"), r"--lr nan: it must be a finite number above 0"),
    ("an endless rate", options("--lr", "inf"), r"--lr inf: it must be a finite number above 0"),
    ("a negative seed", options("--seed", -1), r"--seed -1: it must be a whole number of at least 0"),
    ("more stages than there are", options("--unfreeze", 99), r"99.* stages"),
    (
        "an unknown option of the head",
        options("--set", "depth=3"),
        r"--set depth=3: no such option\. classification has",
    ),
    ("an option out of range", options("--set", "dropout=2"), r"dropout"),
    ("text augmentation", texts(GOOD, "table.csv", "--augment", "light"), r"--augment light: texts cannot be"),
    (
        "a checkpoint time that is none",
        lambda f: [*options()(f), "--out", f / "run"],
        r"ZOO_CHECKPOINT_SECONDS is 'soon'",
    ),
    # plans and runs
    ("no such plan", lambda f: ["train", "--plan", f / "plan.toml"], r"The plan .*plan\.toml does not exist"),
    ("a plan that is no TOML", plan("backbone = "), r"plan\.toml is not a TOML file"),
    (
        "a plan in Latin-1",
        lambda f: ["train", "--plan", _table(f, "# é".encode("latin-1"), "plan.toml")],
        r"not a TOML",
    ),
    ("an empty plan", plan(""), r"plan\.toml: backbone is missing"),
    ("a plan with an unknown setting", plan("backbone='x'\ndata='d'\nlr=1" + PHASE), r"there is no setting 'lr'"),
    (
        "a plan with a wrong kind",
        plan("backbone=1\ndata='d'" + PHASE),
        r"backbone is 1: it must be text",
    ),
    (
        "a plan with code in it",
        plan("backbone='x'\ndata={a='__import__'}" + PHASE),
        r"data is .*: it must be text",
    ),
    ("a plan with an endless rate", plan("backbone='x'\ndata='d'" + PHASE.replace("0.1", "inf")), r"must be a finite"),
    ("a plan without patience", plan("backbone='x'\ndata='d'" + PHASE.replace("patience = 1", "")), "is missing"),
    ("resuming nothing", lambda f: ["resume", f / "run"], r"run is not a run: it has no plan\.toml"),
    ("comparing nothing", lambda f: ["diff", f, f], r"is not a run: it has no plan\.toml"),
    ("predicting with nothing", lambda f: ["predict", f / "run", "x.png"], r"There is no run"),
    ("an occupied folder", lambda f: [*options()(f), "--out", f], r"is not empty, and a run never overwrites"),
    (
        "a folder below a file",
        lambda f: [*options("--epochs", 1)(f), "--out", _table(f, "x", "file") / "run"],
        r"Cannot create .*run: ",
    ),
]


@pytest.mark.parametrize(("make", "said"), [pytest.param(make, said, id=name) for name, make, said in REFUSED])
def test_what_cannot_be_used_is_one_sentence_and_leaves_nothing(
    make, said, zoo_here, tmp_path, monkeypatch, request, tiny_bert
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny").symlink_to(tiny_bert)
    if "checkpoint time" in request.node.name:
        monkeypatch.setenv("ZOO_CHECKPOINT_SECONDS", "soon")
    arguments = make(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    status, out, err = zoo_here(*arguments)
    assert status == 1, err
    assert out == ""
    lines = [line for line in err.splitlines() if line.startswith("zoo: ")]
    assert len(lines) == 1, err
    assert re.search(said, lines[0]), lines[0]
    assert "Traceback" not in err
    assert "ZOO_DEBUG" not in err
    assert len(lines[0]) < 600
    assert sorted(tmp_path.rglob("*")) == before


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
    "real-numbers.tif": (_saved("TIFF", "F"), "floating-point pixels"),
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
    **{f"turned-{n}.jpg": _turned(n) for n in range(1, 9)},
}


@pytest.fixture(scope="module")
def mixed_run(tmp_path_factory, zoo_command):
    """A training on good pictures, and on one of everything that people have in their folders; what it said."""
    folder = tmp_path_factory.mktemp("mixed")
    data = _classes(folder, "good", "other", each=8)
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
    assert "No such file" in skipped["good/nowhere.png"][0]
    assert skipped["good/pipe.png"] == ["not a file"]
    assert skipped["outside.png"] == ["not in the folder of a class"]
    assert not any("again" in name for name in [*skipped, *_rows(run / "split.csv")])
    assert f"Inputs left out: {len(LEFT_OUT) + 3}, see skipped.csv" in said
    assert "Traceback" not in said
    assert not list(run.glob(".*"))


WARNED: list[tuple[str, Make, str]] = [
    (
        "labels that differ in case",
        lambda f: [*_likeness(f, "Dog", "dog", "cat")],
        r"'Dog', 'dog' differ only in upper case",
    ),
    ("labels that differ in a blank", lambda f: [*_likeness(f, "dog ", "dog", "cat")], r"'dog', 'dog ' differ only in"),
    ("one picture in two classes", lambda f: [*_twice(f)], r"examples with several targets: 1 \(a and b"),
    (
        "rows without a label",
        lambda f: [*_with_gaps(f)],
        r"Inputs left out: 2, see skipped.csv \(row|\(.*is empty",
    ),
]


def _likeness(folder: Path, *labels: str) -> list[object]:
    return ["train", IMAGE, _classes(folder, *labels), "--epochs", 1]


def _twice(folder: Path) -> list[object]:
    data = _classes(folder, "a", "b")
    (data / "b/copy.png").write_bytes((data / "a/0.png").read_bytes())
    return ["train", IMAGE, data, "--epochs", 1]


def _with_gaps(folder: Path) -> list[object]:
    rows = [f"{_picture(folder / f'{n}.png', n + 1).name},{'ab'[n % 2]}" for n in range(8)]
    return ["train", IMAGE, _table(folder, "\n".join(["image,label", *rows, "9.png,", ",a"])), "--epochs", 1]


@pytest.mark.parametrize(("make", "said"), [pytest.param(make, said, id=name) for name, make, said in WARNED])
def test_what_is_doubtful_is_said_and_the_training_goes_on(make, said, zoo_here, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, err = zoo_here(*make(tmp_path))
    assert status == 0, err
    assert re.search(said, err), err
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
    settled = Plan(backbone=IMAGE, data=str(_classes(tmp_path, "a", "b")), phases=phases)
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
