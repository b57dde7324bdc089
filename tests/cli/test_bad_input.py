"""Bad input, case by case: one clear sentence and exit status 1, or a counted skip; and nothing half-written stays."""

import re
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from drawn import classes, picture
from pyarrow import parquet

Make = Callable[[Path], list[object]]  # writes what is bad into a folder; gives the arguments of the command line
IMAGE, TEXT = "efficientnet_lite0", "bert"
# What is built before the data are read, and quickly: random weights, and a text encoder of two layers.
RANDOM, TINY = ("--weights", "none"), ("--weights", "tiny")


def _table(folder: Path, content: str | bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rows(content: str | bytes, name: str = "table.csv", *more: object) -> Make:
    """A training on a table of pictures, which is read before any of them."""
    return lambda folder: ["train", IMAGE, _table(folder, content, name), *RANDOM, *more]


def texts(content: str | bytes, name: str = "table.csv", *more: object) -> Make:
    """A training on a table of texts."""
    return lambda folder: ["train", TEXT, _table(folder, content, name), *TINY, *more]


def numbers(*targets: str) -> Make:
    """A training on pictures with a number each."""

    def make(folder: Path) -> list[object]:
        lines = [f"{picture(folder / f'{place}.png', place).name},{target}" for place, target in enumerate(targets)]
        table = _table(folder, "\n".join(["image,label", *lines]))
        return ["train", IMAGE, table, *RANDOM, "--head", "regression"]

    return make


def plan(content: str) -> Make:
    return lambda folder: ["train", "--plan", _table(folder, content, "plan.toml")]


def options(*more: object) -> Make:
    """A training on good pictures, with options that are wrong."""
    return lambda folder: ["train", IMAGE, classes(folder, "a", "b"), *RANDOM, *more]


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
        return ["train", IMAGE, folder / "data", *RANDOM]

    return make


def a_class_of_one(folder: Path) -> list[object]:
    data = classes(folder, "a", "b")
    picture(data / "c/1.png", 99)
    return ["train", IMAGE, data, *RANDOM]


def one_content(folder: Path) -> list[object]:
    data = classes(folder, "a", "b")
    for path in (data / "b").iterdir():
        picture(path, 99)
    return ["train", IMAGE, data, *RANDOM]


def loop(folder: Path) -> list[object]:
    (folder / "data/a").mkdir(parents=True)
    (folder / "data/a/again").symlink_to(folder / "data")
    return ["train", IMAGE, folder / "data", *RANDOM]


def unseen_in_validation(folder: Path) -> list[object]:
    data = classes(folder, "a", "b")
    picture(folder / "val/c/1.png", 77)
    return ["train", IMAGE, data, *RANDOM, "--val", folder / "val"]


def unseen_in_split(folder: Path) -> list[object]:
    data = classes(folder, "train/a", "train/b", "val/a", "val/b", "val/c")
    return ["train", IMAGE, data, *RANDOM]


def broken_parquet(folder: Path) -> list[object]:
    return rows(b"PAR1" + bytes(100) + b"PAR1", "table.parquet")(folder)


GOOD = "image,label\ngood film,a\nbad film,b\nnice one,a\npoor one,b\n"
PHASE = "\n[[phases]]\nunfreeze = 0\nepochs = 1\nlearning_rate = 0.1\npatience = 1\n"

REFUSED: list[tuple[str, Make, str]] = [
    # what DATA names
    ("no such data", lambda f: ["train", IMAGE, f / "nothing"], r"nothing does not exist\. Give a folder"),
    ("an empty folder", only(), r"There are no examples in .*: nothing\. It needs a sub-folder for each class"),
    ("files outside of classes", only("a.png", "b.png"), r"only files outside of any class \(2\)"),
    ("one class", lambda f: ["train", IMAGE, classes(f, "a"), *RANDOM], r"only the class 'a'\. A classifier needs"),
    ("a class of one", a_class_of_one, r"The class 'c' has one distinct"),
    ("a class of one content", one_content, r"The class 'b' has one distinct example"),
    ("nothing but empty files", only("a/1.png", "b/1.png"), r"None of the inputs .* can be used \(2 in all; empty"),
    ("a loop of links and nothing else", loop, r"There are no examples in"),
    ("an unknown kind of file", rows(GOOD, "table.docx"), r"table\.docx is neither a folder nor a table \(\.csv"),
    (
        "a folder where words are wanted",
        lambda f: [*options()(f), "--head", "token_classification"],
        r"does not combine",
    ),
    ("an unseen class in --val", unseen_in_validation, r"'c' is not a class that .* trained on\. Its classes: a, b"),
    ("an unseen class in val/", unseen_in_split, r"'c' is not a class that .* trained on\. Its classes: a, b"),
    ("no such --val", options("--val", "nothing"), r"nothing does not exist"),
    # tables
    ("an empty table", rows(""), r"table\.csv is empty: it has no header"),
    ("a header alone", texts("text,label\n"), r"table\.csv has no row with both text and label"),
    (
        "no column of that name",
        rows("sentence,label\nx,a\n"),
        r"has no column 'image'\. It has sentence, label \(CSV separated by ','\)\. Name one",
    ),
    ("a name twice", rows("image,label,label\nx,a,b\n"), r"has 2 columns called 'label'\. Rename all but one"),
    ("doubtful quotes", rows('image,label\n"x,a\ny",b\n'), r"Is it one cell\? --quotes cells .*--quotes text"),
    ("a row that is too short", rows("image,label\nx,a\ny\n"), r"2 in all; it has only 1 of 2 cells"),
    ("a row that is too long", rows("image,label\nx,a\ny,b,c\n"), r"2 in all; it has 3 cells, but the table has 2"),
    ("Latin-1", rows("image,label\ncafé,a\n".encode("latin-1")), r"is not UTF-8 text \(byte 0xe9 .*iconv -f latin1"),
    ("half a letter of UTF-16", rows(GOOD.encode("utf-16")[:-1]), r"damaged: it is not UTF-16 text near byte"),
    ("a NUL byte", rows(GOOD.replace("bad", "b\0d")), r"not a text table: it has a NUL byte"),
    ("a compressed table", rows(b"\x1f\x8b\x08\x00" + bytes(60)), r"is compressed\. Unpack it first"),
    (
        "a field of 100 MB",
        rows(f"image,label\n{'x' * 100_000_000},a\nshort,b\n"),
        r"row 1.* 100,?000,?000|cannot be read",
    ),
    (
        "an unknown split",
        rows("image,label,split\nx,a,maybe\n"),
        r"table\.csv, row 1: the column split has 'maybe'\. It must be .*--split-column none",
    ),
    ("no label at all", rows("image,label\nx,\ny,\n"), r"has no row with both image and label"),
    (
        "broken JSON",
        rows('{"image": "x", "label": "a"}\n{"image": \n', "t.jsonl"),
        r"t\.jsonl, line 2 is not JSON: Expecting value at character 12",
    ),
    ("JSON without objects", rows('{"image": "x", "label": 1}\n[1]\n[2]\n', "t.jsonl"), r"2 of 3 rows do not fit"),
    ("a damaged Parquet file", broken_parquet, r"table\.parquet cannot be read as a Parquet table"),
    (
        "Parquet with objects",
        nested(text=pa.array([{"a": 1}] * 4), label=pa.array(list("abab"))),
        r"no row with both text and label \(row 1: an object, where a text",
    ),
    (
        "Parquet with lists",
        nested(text=pa.array(list("wxyz")), label=pa.array([["a"]] * 4)),
        r"table\.parquet, row 1: the label \['a'\] is a list\..*--head multilabel",
    ),
    (
        "Parquet with bytes",
        nested(text=pa.array([b"\xff"] * 4), label=pa.array(list("abab"))),
        r"\(row 1: bytes, where a text or a number was expected\)",
    ),
    (
        "pairs with one column",
        texts("text,label\nx,a\n", "table.csv", "--head", "pair_classification"),
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
    ("NaN for every number", numbers("nan", "nan"), r"0\.png: the column label is empty"),
    ("infinity for every number", numbers("inf", "-inf"), r"0\.png: the target 'inf' is not finite"),
    ("a number beyond float32", numbers("1", "1e300", "2", "3"), r"'1e300' is too large"),
    ("a word as a number", numbers("1", "two", "2", "3"), r"'two' is not a number"),
    ("a decimal comma", numbers('"1,5"', '"2,5"', '"3,5"'), r"0\.png: the target '1,5' .* --set decimal=, it is 1\.5"),
    ("all numbers the same", numbers("1", "1", "1", "1"), r"All targets in 'label' are the same number"),
    # names and settings
    ("a misspelt backbone", lambda f: ["train", "efficientnet_lite", f], r"Did you mean efficientnet_lite0"),
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
    ("augmented texts", texts("text,label\n", "table.csv", "--augment", "light"), r"--augment light: texts cannot be"),
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
    ("a plan with a wrong kind", plan("backbone=1\ndata='d'" + PHASE), r"backbone is 1: it must be text"),
    ("a plan with code in it", plan("backbone='x'\ndata={a='__import__'}" + PHASE), r"data is .*: it must be text"),
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
