"""Folders as people have them: classes or splits, and what lies beside them."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import zoo
from zoo.compose.task import Task
from zoo.data.layout import Layout, split_called
from zoo.data.sources import read_source


def files(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def read(root, **layout):
    return read_source(root, Layout(**layout), Task())


def found(examples):
    return sorted((e.input, e.target, e.split) for e in examples.items)


def test_splits_are_seen_whatever_they_are_called(tmp_path):
    for train, val in (("Training", "Validation"), ("TRAIN", "dev"), ("training_set", "eval"), ("train", "valid")):
        root = files(tmp_path / train, f"{train}/a/1", f"{train}/b/2", f"{val}/a/3", "Testing/b/4")
        wanted = {("b", "test"), ("a", "train"), ("b", "train"), ("a", "validation")}
        assert {(t, s) for _, t, s in found(read(root))} == wanted
    assert split_called("test data") == "test"
    assert split_called("tests of time") is None


def test_strangers_beside_the_splits_are_named_and_left_out(tmp_path):
    root = files(tmp_path, "train/a/1", "train/b/2", "val/a/3", "sample/a/4", "__MACOSX/train/._1", "README.md")
    examples = read(root)
    assert {target for _, target, _ in found(examples)} == {"a", "b"}
    assert {s.input for s in examples.skipped} == {"sample", "README.md"}
    assert any("sample (1 file)" in note for note in examples.notes)
    assert any("__MACOSX" in note for note in examples.notes)


def test_classes_beside_what_an_archiver_left(tmp_path):
    root = files(tmp_path, "a/1", "b/2", "__MACOSX/a/._1", ".DS_Store", "a/Thumbs.db", "b/.hidden")
    assert [name for name, _, _ in found(read(root))] == ["a/1", "b/2"]


def test_a_lone_folder_around_the_classes_is_entered_and_said(tmp_path):
    root = files(tmp_path, "photos/images/a/1", "photos/images/b/2", "__MACOSX/photos/._x")
    examples = read(root)
    assert [target for _, target, _ in found(examples)] == ["a", "b"]
    assert any(f"taken from {tmp_path / 'photos/images'}, the only folder" in note for note in examples.notes)


def test_a_class_that_is_called_like_a_split_is_a_class(tmp_path):
    assert {t for _, t, _ in found(read(files(tmp_path, "bus/1", "car/2", "train/3")))} == {"bus", "car", "train"}


@pytest.mark.parametrize(
    "names",
    [
        ("train/1", "val/2"),  # no classes in them
        ("test/a/1", "val/a/2"),  # nothing to train on
        ("train/steam/1", "bus/2", "car/3"),  # splits or vehicles
        ("train/a/1", "sample/a/2"),
    ],
)
def test_splits_or_classes_is_a_question(tmp_path, names):
    with pytest.raises(zoo.BadData, match=r"--folders splits .*--folders classes"):
        read(files(tmp_path, *names))
    assert {t for _, t, _ in found(read(tmp_path, folders="classes"))} == {name.partition("/")[0] for name in names}


def test_the_question_is_answered_by_an_option(tmp_path):
    files(tmp_path, "train/a/1", "train/b/3", "sample/a/2")
    assert found(read(tmp_path, folders="splits")) == [("train/a/1", "a", "train"), ("train/b/3", "b", "train")]
    (tmp_path / "val").mkdir()
    with pytest.raises(zoo.BadData, match="no folder called train"):
        read(files(tmp_path / "other", "val/a/1", "x/b/2"), folders="splits")


def test_each_class_with_its_own_splits(tmp_path):
    examples = read(files(tmp_path, "a/train/1", "a/test/2", "b/train/3", "b/val/4", "c/train/5"))
    assert [(t, s) for _, t, s in found(examples)] == [
        ("a", "test"),
        ("a", "train"),
        ("b", "train"),
        ("b", "validation"),
        ("c", "train"),
    ]
    assert any("own splits: test, train, val" in note for note in examples.notes)


@pytest.mark.parametrize("other", ["a/readme.txt", "c/black/5", "c/6"])
def test_splits_in_some_classes_only_are_a_question(tmp_path, other):
    files(tmp_path, "a/train/1", "a/test/2", "b/train/3", "b/test/4", other)
    with pytest.raises(zoo.BadData, match=r"sub-folders called test, train .*--folders classes"):
        read(tmp_path)
    assert {split for _, _, split in found(read(tmp_path, folders="classes"))} == {None}


def test_classes_without_examples_are_named_with_the_reason(tmp_path):
    files(tmp_path, "a/1", "b/2")
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert read(tmp_path).lost == {"empty": "no files", "link": "the same folder as a"}


def test_a_name_that_is_not_utf8_is_refused_before_anything_is_read(tmp_path):
    files(tmp_path, "a/1", "b/2")
    os.rename(tmp_path / "b", os.fsencode(tmp_path) + b"/caf\xe9")
    with pytest.raises(zoo.BadData, match=r"caf\\udce9 .* is not valid UTF-8.*Rename it"):
        read(tmp_path)


def test_unlabelled_pictures_for_testing_are_left_out(tmp_path):
    examples = read(files(tmp_path, "train/a/1", "train/b/2", "test/3", "test/4"))
    assert {split for _, _, split in found(examples)} == {"train"}
    assert [s.reason for s in examples.skipped] == ["not in the folder of a class"] * 2


NAMES = st.text("abcdefgh-_ 0123456789", min_size=1, max_size=6).filter(
    lambda n: n.strip() == n and not split_called(n)
)
SPLITS = st.sampled_from(["", "train", "val", "Test"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.sets(st.tuples(NAMES, NAMES), min_size=2, max_size=8), st.booleans(), st.data())
def test_what_was_written_into_folders_is_read(tmp_path_factory, pairs, in_splits, data):
    root = tmp_path_factory.mktemp("folders")
    expected = set()
    for label, name in pairs:
        split = data.draw(st.sampled_from(["train", "val", "test"])) if in_splits else ""
        files(root, f"{split}/{label}/f{name}" if split else f"{label}/f{name}")
        expected.add((f"{split}/{label}/f{name}".lstrip("/"), label, {"val": "validation", "": None}.get(split, split)))
    try:
        assert set(found(read(root))) == expected
    except zoo.BadData as error:
        assert "--folders" in str(error)  # noqa: PT017
        assert not (root / "train").is_dir() or not in_splits


@pytest.mark.parametrize(
    "names",
    [
        ("train2017/a/1", "train2017/b/2", "val2017/a/3"),
        ("seg_train/seg_train/a/1", "seg_train/seg_train/b/2", "seg_val/seg_val/a/3"),
        ("training_set/training_set/a/1", "training_set/training_set/b/2", "val_set/val_set/a/3"),
        ("train/inner/a/1", "train/inner/b/2", "val/inner/a/3"),
    ],
)
def test_splits_under_longer_names_and_around_one_folder(tmp_path, names):
    examples = read(files(tmp_path, *names))
    assert [(t, s) for _, t, s in found(examples)] == [("a", "train"), ("b", "train"), ("a", "validation")]


def test_folders_that_all_hold_the_same_folders_are_a_question(tmp_path):
    files(tmp_path, "2019/a/1", "2019/b/2", "2020/a/3", "2020/b/4")
    with pytest.raises(zoo.BadData, match=r"has the same folders in it: a, b\..*--folders classes"):
        read(tmp_path)
    assert {t for _, t, _ in found(read(tmp_path, folders="classes"))} == {"2019", "2020"}


def test_a_lone_folder_beside_a_readme_or_a_table(tmp_path):
    assert [t for _, t, _ in found(read(files(tmp_path / "x", "inner/a/1", "inner/b/2", "README.md", "all.zip")))] == [
        "a",
        "b",
    ]
    with pytest.raises(zoo.BadData, match=r"one folder of files and the table labels\.csv.*give it as DATA"):
        read(files(tmp_path / "y", "images/1.png", "images/2.png", "labels.csv"))


def test_hidden_folders_are_named(tmp_path):
    assert any(".net" in note for note in read(files(tmp_path, "a/1", "b/2", ".net/3")).notes)
