"""What may be wrong with the data is found, written to a table, and corrected from there."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
from pyarrow import parquet

import zoo
from zoo.reports.features import Kept
from zoo.reports.problems import Problem, problems, read_corrections, write_problems


@pytest.fixture(scope="module")
def flawed(tmp_path_factory, finished_run):
    """A run on the example pictures, six of which lie in the wrong folder and two of which are copies."""
    folder = tmp_path_factory.mktemp("flawed")
    data = Path(json.loads(json.dumps(zoo.load_run(finished_run).plan.data)))
    shutil.copytree(data, folder / "data")
    moved = []
    for label, wrong in (("birds", "vehicles"), ("vehicles", "bugs"), ("mammals", "music")):
        for path in sorted((folder / "data" / label).iterdir())[3:5]:
            name = f"{wrong}/{label}_{path.name}"
            path.rename(folder / "data" / name)
            moved.append(name)
    original = sorted((folder / "data/fruit").iterdir())[0]
    with Image.open(original) as image:
        ImageOps.mirror(image.convert("RGBA")).save(folder / "data/fruit/copy.png")
    zoo.train("efficientnet_lite0", folder / "data", out=folder / "run", epochs=5)
    return folder / "run", moved


def test_wrong_labels_come_first_with_the_right_one_beside(flawed):
    run, moved = flawed
    found = [one for one in zoo.find_errors(run) if one.problem == "label"]
    assert len({one.input for one in found[: 2 * len(moved)]} & set(moved)) >= len(moved) // 2
    for one in found:
        if one.input in moved[:2]:
            assert one.suggested == "birds"
    assert all(0 <= one.score <= 1 for one in found)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_a_copy_is_found_and_a_leak_is_one_on_the_other_side(flawed):
    run, _ = flawed
    pairs = [one for one in zoo.find_errors(run) if one.problem in ("leak", "copy")]
    assert any("fruit/copy.png" in (one.input, one.other) for one in pairs)
    for one in pairs:
        assert (one.problem == "copy") == (one.split == one.other_split)


def test_what_is_filled_in_is_trained_on_in_the_same_split(flawed, tmp_path, zoo_command):
    run, moved = flawed
    done = zoo_command("errors", run, "--csv", tmp_path / "look.csv")
    assert done.returncode == 0, done.stderr
    assert "label" in done.stdout
    with (tmp_path / "look.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    listed = [row for row in rows if row["problem"] == "label" and row["input"] in moved]
    assert len(listed) >= 2
    listed[0]["new_target"], listed[1]["new_target"] = "birds", "remove"
    with (tmp_path / "look.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, rows[0], delimiter=";")  # as a spreadsheet in Europe writes it
        table.writeheader()
        table.writerows(rows)
    again = zoo.train_corrected(run, tmp_path / "look.csv", out=tmp_path / "again")
    before = {row["content"]: row for row in zoo.load_run(run).folder.read_csv("split.csv")}
    after = {row["content"]: row for row in again.folder.read_csv("split.csv")}
    assert set(before) - set(after) == {listed[1]["content"]}
    assert after[listed[0]["content"]]["target"] == "birds"
    assert {key: row["split"] for key, row in after.items()} == {key: before[key]["split"] for key in after}
    unlike = [key for key, row in after.items() if row["target"] != before[key]["target"]]
    assert unlike == [listed[0]["content"]]
    every = zoo.load_run(run).folder.read_csv("split.csv")
    (written,) = tmp_path.glob("look-data-*.parquet")
    assert parquet.read_table(written).num_rows == len(every) - 1
    (pair,) = zoo.compare(run, again.path, timed=False).pairs.values()
    assert pair.examples >= 40  # found by content, although the names are others


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"new_target": ""}], "nothing is filled in"),
        ([{"new_target": "birds"}, {"new_target": "fruit"}], "two new targets"),
        ([{"new_target": "birds", "input": "none.png"}], "is not an example of"),
        ([{"new_target": "birds", "number": 9_999}], "is not an example of"),
        ([{"new_target": "brids"}], "'brids' is not a class"),
        ([{"new_target": "birds", "number": None}], "has no number"),
    ],
)
def test_a_table_that_does_not_fit_is_one_sentence(finished_run, tmp_path, rows, said):
    known = zoo.load_run(finished_run).folder.read_csv("split.csv")[0]
    with (tmp_path / "t.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, ["new_target", "number", "input", "content"])
        table.writeheader()
        table.writerows([{"number": 1, "input": known["input"], "content": known["content"]} | row for row in rows])
    with pytest.raises(zoo.BadData, match=said):
        zoo.train_corrected(finished_run, tmp_path / "t.csv", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_no_cell_is_a_formula_and_a_table_that_may_be_filled_in_is_not_overwritten(tmp_path):
    names = ["=HYPERLINK(1)", "+cmd|x", "-cmd|x", "@SUM(1)", "\n=1", "＝1+1", "plain", "'quoted", "'=x"]
    found = [Problem("label", 1.0, name, "train", name, content="c", number=n) for n, name in enumerate(names, start=1)]
    write_problems(tmp_path / "t.csv", found)
    with (tmp_path / "t.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert not any(cell.startswith(("=", "+", "-", "@", "\n", "＝")) for row in rows for cell in row.values())
    with pytest.raises(zoo.BadRun, match="never overwritten"):
        write_problems(tmp_path / "t.csv", found)
    for separator in (",", ";", "\t"):
        with (tmp_path / "filled.csv").open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, rows[0], delimiter=separator)
            table.writeheader()
            table.writerows([row | {"new_target": "x"} for row in rows])
        assert [one.input for one in read_corrections(tmp_path / "filled.csv").values()] == names


def _kept(rows, vectors):
    known = [
        {"input": n, "split": s, "target": t, "content": c, "number": str(i)} for i, (n, s, t, c) in enumerate(rows)
    ]
    return Kept(known, {"pooled": vectors}, vectors, 0)


def test_many_copies_of_one_example_hide_no_leak(finished_run):
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(120, 64)).astype("float32")
    vectors[:60] = vectors[0]  # 1,770 pairs of one content
    vectors[110] = vectors[100] + 0.01 * vectors[101]
    rows = [(f"{n}.png", "train", "birds", "same" if n < 60 else f"c{n}") for n in range(120)]
    rows[110] = ("110.png", "validation", "birds", "c110")
    run = zoo.load_run(finished_run)
    found = problems(run, _kept(rows, vectors), run.task)
    leaks = [one for one in found if one.problem == "leak"]
    assert [(one.input, one.other) for one in leaks] == [("100.png", "110.png")]
    assert sum(one.problem == "copy" for one in found) == 59


@pytest.fixture
def labelled(tmp_path, monkeypatch, tiny_bert):
    """A run on reviews of several labels, whose separator is not the usual one, made from another folder."""
    monkeypatch.chdir(tmp_path)
    with open("data.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["text", "split", "label"])
        for number in range(60):
            labels = [name for name, every in (("True", 2), ("short", 3), ("warm", 5)) if number % every == 0]
            table.writerow([f"text number {number}", "", "; ".join(labels) or "plain"])
    settings = {"head": "multilabel", "weights": str(tiny_bert), "epochs": 1, "split_column": "none"}
    return zoo.train("bert", "data.csv", out="run", **settings)


def test_texts_with_several_labels_are_corrected_too(labelled, tmp_path):
    rows = labelled.folder.read_csv("split.csv")
    with (tmp_path / "t.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, ["new_target", "number", "input", "content"])
        table.writeheader()
        for number, new in ((1, "warm; short"), (2, "TRUE"), (3, "REMOVE")):
            row = rows[number - 1]
            table.writerow({"new_target": new, "number": number, "input": row["input"], "content": row["content"]})
    again = zoo.train_corrected("run", tmp_path / "t.csv", out=tmp_path / "again")
    after = {row["content"]: row for row in again.folder.read_csv("split.csv")}
    assert len(after) == len(rows) - 1
    assert after[rows[0]["content"]]["target"] == "warm; short"
    assert after[rows[1]["content"]]["target"] == "True"
    assert again.task.labels == labelled.task.labels
    pair = next(iter(zoo.compare("run", "again", timed=False).pairs.values()))
    assert pair is None or pair.examples >= 10  # found by content, although the names are others


def test_a_class_called_remove_is_not_removed(tmp_path, tiny_bert):
    data = tmp_path / "data"
    for label in ("add", "remove"):
        (data / label).mkdir(parents=True)
        for number in range(8):
            (data / label / f"{number}.txt").write_text(f"{label} this {number}")
    run = zoo.train("bert", data, out=tmp_path / "run", weights=str(tiny_bert), epochs=1)
    row = run.folder.read_csv("split.csv")[0]
    with (tmp_path / "t.csv").open("w", newline="") as file:
        file.write(f"new_target,number,input,content\nremove,1,{row['input']},{row['content']}\n")
    with pytest.raises(zoo.BadData, match="has a target called remove"):
        zoo.train_corrected(run.path, tmp_path / "t.csv", out=tmp_path / "again")
