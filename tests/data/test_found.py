"""The paths in a table find their files as people write them, or the message names the path that was tried."""

import io
import os

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

import zoo
from zoo.compose.task import Task
from zoo.data.check import check
from zoo.data.layout import Layout
from zoo.data.pictures import SUFFIXES, Pictures
from zoo.data.reader import one_file
from zoo.data.sources import read_source
from zoo.places import place_seen_from


@pytest.fixture
def table(tmp_path):
    """A folder for a table, with a picture below it and one beside it; the working folder is another."""
    for folder in ("data/pics", "work/here"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("data/pics/a b.png", "work/here/c.JPG", "data/pics/twice.png", "data/pics/twice.jpg"):
        (tmp_path / file).write_bytes(b"x")
    before = os.getcwd()
    os.chdir(tmp_path / "work")
    yield tmp_path / "data"
    os.chdir(before)


@pytest.mark.parametrize(
    "given",
    [
        "pics/a b.png",
        "./pics/../pics/a b.png",
        r"pics\a b.png",
        r".\pics\a b.png",
        " pics/a b.png ",
        "pics/a b",
        r" pics\a b",
        "pics/A B.PNG",
        "Pics/a b.png",
        "{table}/pics/a b.png",
        "file://{table}/pics/a%20b.png",
        "FILE://localhost{table}/pics/a%20b.png",
    ],
)
def test_a_path_as_people_write_it(table, given):
    found = place_seen_from(table, given.format(table=table), SUFFIXES)
    assert os.path.samefile(found, table / "pics/a b.png")


@pytest.mark.parametrize("given", ["here/c.JPG", r"here\c.jpg", "here/c"])
def test_the_working_folder_is_the_second_choice_and_that_is_said(table, given, capsys):
    assert os.path.samefile(place_seen_from(table, given, SUFFIXES), "here/c.JPG")
    assert "is read instead, and so are others that are found like it" in capsys.readouterr().err
    (table / "here").mkdir()
    (table / given.replace("\\", "/")).write_bytes(b"y")
    assert place_seen_from(table, given.replace("\\", "/"), SUFFIXES).read_bytes() == b"y"


def test_home(table, monkeypatch):
    monkeypatch.setenv("HOME", str(table))
    assert place_seen_from(table / "pics", "~/pics/a b.png") == table / "pics/a b.png"


def test_several_files_that_fit_are_a_question(table):
    with pytest.raises(zoo.BadData, match=r"several files in .*pics are meant by twice: twice\.jpg, twice\.png"):
        place_seen_from(table, "pics/twice", (".jpg", ".png"))


def test_letters_with_accents_may_be_composed_or_not(table):
    (table / "pics" / "cafe\u0301.png").write_bytes(b"x")
    assert place_seen_from(table, "pics/caf\u00e9.png").is_file()


@pytest.mark.parametrize(
    ("given", "tried"),
    [
        ("pics/none.png", "{table}/pics/none.png"),
        ("C:\\Users\\me\\x.png", "C:\\Users\\me\\x.png"),
        ("/nowhere/x.png", "/nowhere/x.png"),
        ("file:///nowhere/x%20y.png", "/nowhere/x y.png"),
    ],
)
def test_what_is_not_found_names_the_path_that_was_tried(table, given, tried):
    with pytest.raises(zoo.BadData) as refused:
        Pictures().read(place_seen_from(table, given, SUFFIXES))
    assert str(refused.value) == f"cannot be read: no file {tried.format(table=table)}"


@pytest.mark.parametrize("given", ["pics", ".", "\0", "x" * 5000, "pics/a b.png/x"])
def test_what_is_no_file_has_a_reason(table, given):
    with pytest.raises(zoo.BadData):
        Pictures().read(place_seen_from(table, given, SUFFIXES))


def test_a_table_without_a_single_file_says_where_paths_are_seen_from(table):
    (table / "t.csv").write_text("image,label\nno/1.png,a\nno/2.png,b\n")
    layout = Layout()
    examples = read_source(table / "t.csv", layout, Task())
    with pytest.raises(zoo.BadData, match=r"no file .*/data/no/1\.png.* seen from its folder, or else"):
        check(examples, layout.reader)


def test_most_paths_that_lead_nowhere_are_said_with_the_hint(table, capsys):
    Image.new("RGB", (4, 4)).save(table / "pics" / "real.png")
    (table / "t.csv").write_text("image,label\npics/real.png,a\nno/1.png,a\nno/2.png,b\n")
    assert len(check(read_source(table / "t.csv", Layout(), Task()), Pictures()).items) == 1
    assert "Paths in a table are seen from its folder" in capsys.readouterr().err


def test_a_cell_may_be_the_picture_itself(table):
    file = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(file, "PNG")
    Image.new("RGB", (4, 4), "blue").save(table / "pics" / "blue.png")
    content = file.getvalue()
    rows = [{"bytes": content, "path": "red.png"}, {"bytes": None, "path": "pics/blue.png"}]
    parquet.write_table(pa.table({"image": rows, "label": ["a", "b"]}), table / "t.parquet")
    parquet.write_table(pa.table({"image": [content, content], "label": ["a", "b"]}), table / "u.parquet")
    raws = [[e.raw for e in read_source(table / name, Layout(), Task()).items] for name in ("t.parquet", "u.parquet")]
    assert raws == [[content, table / "pics/blue.png"], [content, content]]
    assert Pictures().read(raws[0][0])[0, 0].tolist() == [255, 0, 0]
    cells = one_file("image").from_cells
    with pytest.raises(zoo.BadData, match="both empty"):
        cells([{"bytes": None, "path": None}], table)
    with pytest.raises(zoo.BadData, match="an object, where"):
        cells([{"a": 1}], table)
    assert cells(["data:image/png;base64,aGVsbG8="], table) == b"hello"
    with pytest.raises(zoo.BadData, match="not valid base64"):
        cells(["data:image/png;base64,a"], table)


def test_a_folder_is_listed_once_for_all_of_its_paths(table, monkeypatch):
    listed, listdir = [], os.listdir
    monkeypatch.setattr(os, "listdir", lambda folder: [listed.append(folder), listdir(folder)][1])
    for number in range(200):
        (table / "pics" / f"{number}.png").write_bytes(b"")
    for number in range(2_000):
        assert place_seen_from(table, f"pics\\{number % 200}", SUFFIXES) == table / "pics" / f"{number % 200}.png"
    assert len(listed) == len(set(listed)) <= 3


def test_the_pixels_of_a_found_file_are_those_of_the_file(table):
    Image.fromarray(np.full((3, 3, 3), 9, "uint8")).save(table / "pics" / "nine.png")
    assert (Pictures().read(place_seen_from(table, r"pics\nine", SUFFIXES)) == 9).all()
