"""What a caller in Python may give: a string is a text, a Path is a file, and what is none of them is refused."""

import io
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import zoo
from zoo.data.inputs import as_inputs, read_entries
from zoo.data.layout import Layout

TEXT, PAIR, WORDS = Layout("text", "single"), Layout("text", "pair"), Layout("text", "words")
PICTURE = Layout("image", "single")
PIXELS = np.zeros((8, 9, 3), "uint8")


def entries(given, layout):
    return read_entries(as_inputs(given, layout), layout)


def raws(given, layout=TEXT):
    return [raw for _, raw, _ in entries(given, layout)]


@pytest.fixture
def disk(tmp_path, monkeypatch) -> Path:
    """A folder with files whose names are also ordinary texts; it is the current one."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").write_text("inside the folder")
    (tmp_path / "note.txt").write_text("inside the file")
    (tmp_path / "t.csv").write_text("text,text_b\none,two\n,four\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_string_is_a_text_whatever_is_on_the_disk(disk):
    asked = ["docs", ".", "note.txt", "t.csv", "missing.csv", str(disk), "s3://bucket/t.csv", "memory://x", "a\0b", "~"]
    assert entries(asked, TEXT) == [(text, text, "") for text in asked]
    assert [entries(text, TEXT) for text in asked] == [[(text, text, "")] for text in asked]
    assert raws(("t.csv", "note.txt"), PAIR) == [("t.csv", "note.txt")]


def test_a_path_is_a_file_a_folder_or_a_table(disk):
    from upath import UPath

    UPath("memory://words/a.txt").write_text("far away")
    given = [Path("docs"), Path("note.txt"), Path("t.csv"), UPath("memory://words"), "docs"]
    assert entries(given, TEXT) == [
        ("docs/a.txt", "inside the folder", ""),
        ("note.txt", "inside the file", ""),
        ("t.csv: row 1", "one", ""),
        ("t.csv: row 2", None, "the column text is empty"),
        ("memory://words/a.txt", "far away", ""),
        ("docs", "docs", ""),
    ]
    assert [raws(one) for one in os.scandir("docs")] == [["inside the folder"]]
    assert raws(Path("t.csv"), PAIR) == [("one", "two"), None]
    assert raws((Path("note.txt"), Path("docs/a.txt")), PAIR) == [("inside the file", "inside the folder")]
    assert raws([Path("t.csv"), Path("t.csv")], PAIR) == [("one", "two"), None] * 2


def test_what_cannot_be_read_has_its_reason_and_a_table_must_exist(disk):
    (disk / "empty").mkdir()
    (disk / "x.pdf").write_bytes(b"%PDF")
    given = [Path("missing.txt"), Path("empty"), Path("x.pdf"), " ", "", b"Gr\xf6\xdfe", Path("a\0b")]
    assert [(name, reason) for name, _, reason in entries(given, TEXT)] == [
        ("missing.txt", "does not exist"),
        ("empty", "an empty folder"),
        ("x.pdf", "not a .txt file"),
        (" ", "empty text"),
        ("", "empty text"),
        ("Gr\\xf6\\xdfe", "not UTF-8 text (byte 0xf6 at 2)"),
        ("a\0b", "not the path of a file"),
    ]
    with pytest.raises(zoo.BadData, match=r"missing\.csv does not exist"):
        entries([Path("missing.csv")], TEXT)


def test_for_pictures_a_string_is_the_path_of_a_file(disk):
    (disk / "docs" / "b.png").write_bytes(b"")
    assert raws("docs", PICTURE) == [Path("docs/a.txt"), Path("docs/b.png")]
    assert raws(["x.png", Path("y.png")], PICTURE) == [Path("x.png"), Path("y.png")]
    assert [reason for _, _, reason in entries(["", "a\0b"], PICTURE)] == ["an empty path", "not the path of a file"]


@pytest.mark.parametrize(
    "given",
    [
        "a text",
        np.str_("a text"),
        np.array("a text"),
        np.array(["a text"]),
        np.array(["a text"], object),
        np.array([b"a text"]),
        b"a text",
        bytearray(b"a text"),
        pa.array(["a text"]),
        pa.chunked_array([["a text"]]),
        pa.scalar("a text"),
        pa.table({"text": ["a text"], "stars": [5]}),
        pa.record_batch({"text": ["a text"]}),
        (text for text in ["a text"]),
        ("a text",),
        {"a text"},
        {"a text": 5}.keys(),
        map(str, ["a text"]),
    ],
    ids=lambda given: type(given).__name__,
)
def test_one_text_in_whatever_holds_it(given):
    assert entries(given, TEXT) == [("a text", "a text", "")]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "Input 1 is None (NoneType), which is no text"),
        (3.5, "Input 1 is 3.5 (float), which is no text"),
        (True, "Input 1 is True (bool)"),
        ([None], "Input 1 is None (NoneType)"),
        ([float("nan")], "Input 1 is nan (float)"),
        (["good", 7], "Input 2 is 7 (int)"),
        (["good", ["a", "b"]], "Input 2 is ['a', 'b'] (list)"),
        (["good", ("a", "b")], "Input 2 is ('a', 'b') (tuple)"),
        ({"text": "good"}, "Input 1 is {'text': 'good'} (dict), which is no text. Give its texts as a list"),
        ([{"text": "good"}], "(dict)"),
        (np.zeros(3), "Input 1 is an array float64 (3,) (ndarray)"),
        (np.array([["a", "b"]]), "Input 1 is ['a', 'b'] (list)"),
        (pa.array([1.5]), "Input 1 is 1.5 (float)"),
        (str, "Input 1 is <class 'str'> (type)"),
        (object(), "(object)"),
        (["good", Ellipsis], "Input 2 is Ellipsis (ellipsis)"),
    ],
)
def test_what_is_no_text_is_refused_with_position_and_type(given, words):
    with pytest.raises(zoo.BadData) as refusal:
        entries(given, TEXT)
    assert words in str(refusal.value)


def test_an_open_file_is_its_bytes_and_one_of_text_is_refused(disk):
    with open("note.txt", "rb") as file:
        assert raws([file, io.BytesIO(b"in memory")]) == ["inside the file", "in memory"]
    for layout in (TEXT, PICTURE):
        with open("note.txt") as file, pytest.raises(zoo.BadData, match="Give its Path, or what it holds"):
            entries(file, layout)


def test_pictures_are_pixels_bytes_and_batches_and_nothing_else():
    assert len(entries(PIXELS, PICTURE)) == len(entries([PIXELS], PICTURE)) == len(entries(PIXELS[None], PICTURE)) == 1
    assert len(entries(np.stack([PIXELS] * 4), PICTURE)) == len(entries([PIXELS, "x.png", b"y", PIXELS], PICTURE)) == 4
    for wrong, words in ((None, "None"), (7, "7 (int)"), ([PIXELS, 3.5], "Input 2 is 3.5"), ({"a": PIXELS}, "(dict)")):
        with pytest.raises(zoo.BadData) as refusal:
            entries(wrong, PICTURE)
        assert words in str(refusal.value)
        assert "no picture" in str(refusal.value)
    with pytest.raises(
        zoo.BadData, match=r"Input 2 is an array complex64 \(8, 9, 3\) \(ndarray\), which is no picture"
    ):
        entries([PIXELS, PIXELS.astype("complex64")], PICTURE)


def test_a_pair_is_two_texts_together():
    one = [("a", "b")]
    for given in (("a", "b"), [("a", "b")], [["a", "b"]], np.array([["a", "b"]])):
        assert raws(given, PAIR) == one
    assert raws([("a", "b"), ("c", "d")], PAIR) == [("a", "b"), ("c", "d")]
    assert raws((("a", "b"), ("c", "d")), PAIR) == [("a", "b"), ("c", "d")]
    assert raws(zip("ac", "bd", strict=True), PAIR) == [("a", "b"), ("c", "d")]
    assert entries([("a", "b"), ("c", "")], PAIR)[1] == ("c | ", None, "empty text")
    for wrong, words in (
        ("only one", "Input 1 is 'only one' (str), but this model reads 2 texts"),
        (["a", "b"], "Input 1 is 'a' (str)"),  # as from two lines
        (["a", "b", "c"], "Input 1 is 'a' (str)"),
        ([("a", "b"), ("c",)], "Input 2 is ('c',) (tuple)"),
        ([("a", "b"), ("c", None)], "Input 2 is None (NoneType) in part 2"),
        ([("a", 5)], "Input 1 is 5 (int) in part 2"),
    ):
        with pytest.raises(zoo.BadData) as refusal:
            entries(wrong, PAIR)
        assert words in str(refusal.value)


def test_words_may_be_given_one_by_one():
    assert entries([["New York", "isn't"], "It isn't."], WORDS) == [
        ("New York isn't", "New\u00a0York isn't", ""),
        ("It isn't.", "It isn't .", ""),
    ]
    assert raws(pa.table({"tokens": [["a.", "b"], None]}), WORDS) == ["a. b", None]
    for wrong in (["a", ["b", 7]], [[]], [["a", ""], None]):
        with pytest.raises(zoo.BadData, match="which is no text"):
            entries(wrong, WORDS)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_data_frame_is_read_by_its_columns(library):
    frames = pytest.importorskip(library)
    frame = frames.DataFrame({"text": ["one", None, ""], "other": ["a", "b", "c"], "stars": [1, 2, 3]})
    read = [("one", "one", ""), ("row 2", None, "the column text is empty"), ("", None, "empty text")]
    assert entries(frame, TEXT) == entries(frame["text"], TEXT) == read
    assert raws(frame, Layout("text", input_column="other")) == ["a", "b", "c"]
    assert entries(frame, Layout("text", "pair", "text,other")) == [
        ("one | a", ("one", "a"), ""),
        ("row 2", None, "the column text is empty"),
        (" | c", None, "empty text"),
    ]
    with pytest.raises(zoo.BadData, match=r"DataFrame has no column 'image'\. It has text, other, stars\. Name one"):
        entries(frame, PICTURE)
    with pytest.raises(zoo.BadData, match=r"Input 1 is 1 \(int\), which is no text"):
        entries(frame["stars"], TEXT)
    assert raws(frame, Layout("image", input_column="other")) == [Path("a"), Path("b"), Path("c")]


def test_a_data_frame_of_pandas_with_its_own_odd_cells():
    pd = pytest.importorskip("pandas")
    for texts in (
        ["one", float("nan")],
        ["one", pd.NA],
        pd.array(["one", None], "string"),
        pd.Categorical(["one", None]),
    ):
        assert [reason for _, _, reason in entries(pd.DataFrame({"text": texts}), TEXT)] == [
            "",
            "the column text is empty",
        ]
    twice = pd.DataFrame([["a", "b"]], columns=["text", "text"])
    with pytest.raises(zoo.BadData, match="DataFrame has several columns 'text'"):
        entries(twice, TEXT)
    tokens = pd.DataFrame({"tokens": [np.array(["a.", "b"], object), ["c"], "d, e"]})
    assert raws(tokens, WORDS) == ["a. b", "c", "d, e"]
    assert raws(pd.Index(["a", "b"])) == ["a", "b"]
    pictures = pd.DataFrame({"image": ["a.png", "", None, Path("b.png"), b"content", PIXELS, {"x": 1}]})
    read = entries(pictures, PICTURE)
    assert [raw for _, raw, _ in read][:5] == [Path("a.png"), None, None, Path("b.png"), b"content"]
    assert [bool(reason) for _, _, reason in read] == [False, True, True, False, False, False, True]
    with pytest.raises(zoo.BadData, match="There is nothing to read"):
        entries(pd.DataFrame({"text": []}), TEXT)
