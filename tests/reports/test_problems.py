"""What may be wrong with the data is found, written to a table, and corrected from there."""

import csv
import json
import shutil
from pathlib import Path

import pytest
from PIL import Image, ImageOps
from pyarrow import parquet

import zoo
from zoo.reports.problems import Problem, read_corrections, write_problems


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
    assert parquet.read_table(tmp_path / "look-data.parquet").num_rows == len(every) - 1


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"new_target": ""}], "nothing is filled in"),
        ([{"new_target": "birds"}, {"new_target": "fruit"}], "two new targets"),
        ([{"new_target": "birds", "input": "none.png"}], "is not an example of"),
    ],
)
def test_a_table_that_does_not_fit_is_one_sentence(finished_run, tmp_path, rows, said):
    known = zoo.load_run(finished_run).folder.read_csv("split.csv")[0]
    with (tmp_path / "t.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, ["new_target", "input", "content"])
        table.writeheader()
        table.writerows([{"input": known["input"], "content": known["content"]} | row for row in rows])
    with pytest.raises(zoo.BadData, match=said):
        zoo.train_corrected(finished_run, tmp_path / "t.csv", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_no_cell_is_a_formula(tmp_path):
    names = ["=HYPERLINK(1)", "+cmd|x", "-cmd|x", "@SUM(1)", "plain", "'quoted"]
    write_problems(tmp_path / "t.csv", [Problem("label", 1.0, name, "train", name, content="c") for name in names])
    with (tmp_path / "t.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows[1:] for cell in row)
    text = (tmp_path / "t.csv").read_text(encoding="utf-8-sig").replace("\n,", "\nx,")
    (tmp_path / "t.csv").write_text(text.replace("\r", ""))
    assert [name for name, _ in read_corrections(tmp_path / "t.csv")] == names
