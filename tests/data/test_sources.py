"""From folders and tables to examples; what cannot be used is counted and named."""

import os

import pytest

import zoo
from zoo.compose.task import Task
from zoo.data.check import check
from zoo.data.layout import Layout
from zoo.data.pictures import Pictures
from zoo.data.sources import read_source as read

PICTURES = Pictures()


def read_source(data):
    return read(data, Layout(), Task())


def _copy(clipart, label, folder, names):
    folder.mkdir(parents=True, exist_ok=True)
    pictures = sorted((clipart / label).iterdir())
    for picture, name in zip(pictures, names, strict=False):
        (folder / name).write_bytes(picture.read_bytes())


def test_sub_folders_are_classes_at_any_depth(tmp_path, clipart):
    _copy(clipart, "birds", tmp_path / "birds" / "2024" / "may", ["a.png", "b.png"])
    _copy(clipart, "music", tmp_path / "music", ["c.png", ".hidden.png"])
    (tmp_path / "notes.txt").write_text("on top")
    examples = read_source(tmp_path)
    assert [(e.input, e.target) for e in examples.items] == [
        ("birds/2024/may/a.png", "birds"),
        ("birds/2024/may/b.png", "birds"),
        ("music/c.png", "music"),
    ]
    assert [(s.input, s.reason) for s in examples.skipped] == [("notes.txt", "not in the folder of a class")]


def test_folders_called_train_val_and_test_are_respected(tmp_path, clipart):
    for split in ("train", "val", "test"):
        for label in ("birds", "music"):
            _copy(clipart, label, tmp_path / split / label, [f"{split}.png"])
    examples = read_source(tmp_path)
    assert {(e.input.split("/")[0], e.split) for e in examples.items} == {
        ("train", "train"),
        ("val", "validation"),
        ("test", "test"),
    }
    assert {e.target for e in examples.items} == {"birds", "music"}


def test_a_loop_of_links_ends(tmp_path, clipart):
    _copy(clipart, "birds", tmp_path / "birds", ["a.png"])
    (tmp_path / "birds" / "again").symlink_to(tmp_path / "birds")
    (tmp_path / "music").symlink_to(clipart / "music")
    inputs = [e.input for e in read_source(tmp_path).items]
    assert inputs.count("birds/a.png") == 1
    assert sum(name.startswith("music/") for name in inputs) == len(list((clipart / "music").iterdir()))


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
def test_tables_of_every_kind(tmp_path, clipart, suffix):
    import pyarrow
    from pyarrow import csv, parquet

    _copy(clipart, "birds", tmp_path / "files", ["a.png", "b.png"])
    table = tmp_path / f"table.{suffix}"
    content = pyarrow.table({"image": ["files/a.png", "files/b.png", None], "label": ["01", "2", "3"]})
    if suffix == "parquet":
        parquet.write_table(content, table)
    elif suffix == "jsonl":
        rows = ['{"image": "files/a.png", "label": "01"}', '{"image": "files/b.png", "label": "2"}', '{"label": "3"}']
        table.write_text("\n".join(rows) + "\n")
    else:
        csv.write_csv(content, table, csv.WriteOptions(delimiter="\t" if suffix == "tsv" else ","))
    examples = read_source(table)
    assert [(e.raw, e.target) for e in examples.items] == [
        (tmp_path / "files" / "a.png", "01"),
        (tmp_path / "files" / "b.png", "2"),
    ]
    assert [(s.input, s.reason) for s in examples.skipped] == [("row 3", "the column image is empty")]


def test_a_column_named_split_is_respected(tmp_path):
    (tmp_path / "t.csv").write_text("image,label,split\na.png,x,train\nb.png,y,val\nc.png,x,\n")
    assert [e.split for e in read_source(tmp_path / "t.csv").items] == ["train", "validation", None]
    (tmp_path / "t.csv").write_text("image,label,split\na.png,x,trian\n")
    with pytest.raises(zoo.BadData, match="'trian'"):
        read_source(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("file,label\na.png,x\n", r"no column 'image'\. It has file, label"),
        ("image,class\na.png,x\n", "no column 'label'"),
        ("image,image,label\na,b,c\n", "has 2 columns called 'image'"),
        ("image,label\n", "no row with both"),
        ("", "is empty"),
        ('image,label\n"a.png,x\nb.png",x\n', "Is it one cell"),
    ],
)
def test_a_table_that_cannot_be_used_is_a_sentence(tmp_path, content, said):
    (tmp_path / "t.csv").write_text(content)
    with pytest.raises(zoo.BadData, match=said):
        read_source(tmp_path / "t.csv")


def test_nothing_to_learn_from_is_a_sentence(tmp_path, clipart):
    with pytest.raises(zoo.BadData, match="does not exist"):
        read_source(tmp_path / "nothing")
    with pytest.raises(zoo.BadData, match=r"no examples in .*: nothing"):
        read_source(tmp_path)
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(zoo.BadData, match=r"only files outside of any class \(1\)"):
        read_source(tmp_path)
    with pytest.raises(zoo.BadData, match="neither a folder nor a table"):
        read_source(tmp_path / "a.png")
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "words.png").write_text("no picture")
    with pytest.raises(zoo.BadData, match=r"None of the inputs from .* can be used \(2 in all"):
        check(read_source(tmp_path), PICTURES)


def test_one_content_has_one_fingerprint_whatever_its_name_and_format(tmp_path, clipart):
    from PIL import Image

    picture = next((clipart / "birds").iterdir())
    folder = tmp_path / "birds"
    folder.mkdir()
    pixels = Image.open(picture).convert("RGB")
    pixels.save(folder / "a.png")
    pixels.save(folder / "b.bmp")
    pixels.putpixel((0, 0), (1, 2, 3))
    pixels.save(folder / "c.png")
    a, b, c = check(read_source(tmp_path), PICTURES).items
    assert a.content == b.content != c.content


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_that_may_not_be_listed_is_a_sentence(tmp_path, clipart):
    _copy(clipart, "birds", tmp_path / "birds", ["a.png"])
    _copy(clipart, "music", tmp_path / "music", ["b.png"])
    (tmp_path / "music").chmod(0)
    try:
        with pytest.raises(zoo.BadData, match="music cannot be listed"):
            read_source(tmp_path)
    finally:
        (tmp_path / "music").chmod(0o755)
