"""Run folders of strangers: every field that is missing, wrong or hostile is a sentence with the file and the field."""

import json
import math
import os
import re
import shutil
import tomllib
import zipfile
from pathlib import Path

import pytest
import tomli_w

import zoo

TITLE = "\x1b]0;owned\x07"
HOSTILE = [0, 1.5, True, "", TITLE, "/dev/zero", [], [1, 2], {"a": 1}, 10**30, math.nan, "\ud800", None]
GONE = "this field is not there"


@pytest.fixture(scope="module")
def run(finished_run, tmp_path_factory) -> Path:
    """A copy of a good run, to be spoilt."""
    folder = tmp_path_factory.mktemp("strange") / "run"
    shutil.copytree(finished_run, folder)
    return folder


def _paths(value, at=()):
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _paths(inner, (*at, key))


def _changed(value, at, new):
    if not at:
        return new
    changed = json.loads(json.dumps(value))
    owner = changed
    for key in at[:-1]:
        owner = owner[key]
    if new == GONE:
        del owner[at[-1]]
    else:
        owner[at[-1]] = new
    return changed


def _looked_at(run: Path, other: Path) -> list[str]:
    """What is said by everything that only reads the files of a run; nothing else is raised."""
    said = []

    def read(act):
        try:
            act()
        except zoo.ZooError as error:
            said.append(str(error))

    read(lambda: zoo.list_runs(run.parent))
    read(lambda: zoo.diff(other, run))
    for name in ("summary", "metrics", "plan", "history", "predictions"):
        read(lambda name=name: getattr(zoo.load_run(run), name))
    return said


@pytest.mark.parametrize("file", ["provenance.json", "metrics.json", "figures.json", "plan.toml"])
def test_any_value_of_a_file_is_read_or_refused_by_a_sentence(run, finished_run, file):
    original = (finished_run / file).read_text()
    content = tomllib.loads(original) if file.endswith("toml") else json.loads(original)
    tried = refused = 0
    try:
        for at in _paths(content):
            for new in [GONE, *HOSTILE] if at else HOSTILE:
                changed = _changed(content, at, new)
                try:
                    text = tomli_w.dumps(changed) if file.endswith("toml") else json.dumps(changed)
                    (run / file).write_text(text)
                except (TypeError, AttributeError, UnicodeEncodeError):
                    continue  # no file can hold it
                said = _looked_at(run, finished_run)
                tried += 1
                refused += any(file in text for text in said)
                assert all(file in text for text in said), (at, new, said)
    finally:
        (run / file).write_text(original)
    assert tried > 100
    assert refused > tried // 3 or file == "figures.json"


@pytest.mark.parametrize(
    ("file", "at", "new", "said"),
    [
        ("provenance.json", ("folder",), 3, r"provenance\.json: folder is 3: it must be text"),
        (
            "provenance.json",
            ("resumed",),
            -1,
            r"resumed is -1: it must be a whole number of at least 0",
        ),
        ("provenance.json", ("versions",), [], r"provenance\.json: versions is \[\]: it must be a table"),
        ("provenance.json", ("data",), "x", r"provenance\.json: data is 'x'"),
        ("metrics.json", ("metrics",), GONE, r"metrics\.json: metrics is missing"),
        ("metrics.json", ("metrics", "accuracy"), "high", r"metrics\.json: "),
        ("metrics.json", ("examples",), 7, r"metrics\.json: examples is 7: it must be a table"),
        ("metrics.json", ("baseline",), {"name": 1}, r"metrics\.json: name is 1: it must be text"),
    ],
)
def test_the_sentence_names_the_field_and_what_would_be_right(run, finished_run, file, at, new, said):
    original = (finished_run / file).read_text()
    (run / file).write_text(json.dumps(_changed(json.loads(original), at, new)))
    try:
        sentences = _looked_at(run, finished_run)
    finally:
        (run / file).write_text(original)
    assert any(re.search(said, text) for text in sentences), sentences


@pytest.mark.parametrize("file", ["history.csv", "split.csv", "skipped.csv"])
@pytest.mark.parametrize(
    "content", ["", "\n", "\0", "a,a\n1,2\n", "input\nx\n", "input,target,split,content\nx\n", "x;y\n1;2\n", TITLE * 3]
)
def test_any_table_of_a_run_is_read_or_refused(run, finished_run, clipart, file, content):
    original = (finished_run / file).read_text()
    (run / file).write_text(content)
    try:
        for text in _looked_at(run, finished_run):
            assert file in text
        if file == "split.csv":
            try:
                zoo.load_run(run).evaluate(str(clipart), split="auto")
            except zoo.ZooError as error:
                assert file in str(error) or "examples" in str(error)  # noqa: PT017
    finally:
        (run / file).write_text(original)


def _with_card(run: Path, original: Path, card: object) -> None:
    with zipfile.ZipFile(original / "model.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(run / "model.keras", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, json.dumps(card).encode() if name == "zoo.json" else content)


def _card(run: Path) -> dict:
    with zipfile.ZipFile(run / "model.keras") as archive:
        return json.loads(archive.read("zoo.json"))


@pytest.mark.parametrize(
    ("at", "new", "said"),
    [
        (("backbone",), 3, "backbone is 3: it must be text"),
        (("head",), GONE, "head is missing"),
        (("head",), "nobody/has", "There is no head called 'nobody/has'"),
        (("modality",), TITLE, "There is no modality"),
        (("reads",), "everything", "no examples of the form 'everything'"),
        (("input_column",), {"a": 1}, "input_column is "),
        (("task",), [], "task is \\[\\]: it must be a table"),
        (("task", "options"), GONE, "task is not a state of the head classification \\(KeyError: 'options'\\)"),
        (("task", "options"), True, "task is not a state of the head classification"),
        (("task", "options", "dropout"), [1], "task is not a state of the head classification"),
        (("task", "options", "class_weight"), "/etc/passwd", "class_weight=/etc/passwd"),
        (("task", "labels"), "birds", "labels is 'birds'; it must be a list of texts"),
        (("task", "labels"), ["one", "two"], "task is of another model"),
        (("task", "labels", 0), {}, "labels is .*; it must be a list of texts"),
        (("task", "labels", 0), "bugs", "labels has a text twice"),
        (("reading",), {"integers": "/dev/zero"}, "reading is .* not a setting"),
        (("parts", "head"), GONE, "does not have the parts"),
        (("format",), 99, "was written by another version"),
        ((), [], "damaged"),
    ],
    ids=str,
)
def test_a_card_is_converted_strictly(run, finished_run, unseen, at, new, said):
    _with_card(run, finished_run, _changed(_card(finished_run), at, new))
    with pytest.raises(zoo.BadRun, match=said) as refused:
        zoo.load_run(run).predict([unseen / "violin.png"])
    assert "model.keras" in str(refused.value)
    shutil.copy(finished_run / "model.keras", run)


@pytest.mark.parametrize("place", ["/etc/passwd", "/dev/zero", "/dev/stdin", "/proc/self/mem", "/dev", "pipe"])
@pytest.mark.parametrize("name", ["data", "val", "weights"])
def test_a_plan_that_names_something_of_the_system_is_a_sentence(finished_run, tmp_path, place, name, clipart):
    if place == "pipe":
        os.mkfifo(tmp_path / "pipe")
        place = str(tmp_path / "pipe")
    plan = tomllib.loads((finished_run / "plan.toml").read_text()) | {"data": str(clipart)}
    (tmp_path / "plan.toml").write_text(tomli_w.dumps(plan | {name: place}))
    before = sorted(tmp_path.iterdir())
    with pytest.raises(zoo.ZooError) as refused:
        zoo.train_plan(tmp_path / "plan.toml", out=tmp_path / "run")
    assert "root:" not in str(refused.value)
    assert len(str(refused.value)) < 700
    assert sorted(tmp_path.iterdir()) == before
