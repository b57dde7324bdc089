"""What a run knows without TensorFlow, the list of runs, and runs that an older version made."""

import json
import math
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from pyarrow import parquet

import zoo
from zoo.runs.compare import _counted, _unlike, read_split
from zoo.runs.folder import RunFolder
from zoo.structs import json_text

# Figures of 10 examples on another machine: one more or less of them may be right.
ANOTHER_MACHINES = 0.11
# What version 0.1.0 reached where a processor computes in bfloat16, and what the same plan reaches in float32.
FIGURES = {
    "bfloat16": {"accuracy": 0.7, "macro_f1": 0.670, "cross_entropy": 0.528},
    "float32": {"accuracy": 1.0, "macro_f1": 1.0, "cross_entropy": 0.093},
}
HEAVY = {"tensorflow", "keras", "PIL", "h5py"}
LOOK = """
import json, sys, zoo
run = zoo.load_run(sys.argv[1])
seen = {"metrics": run.metrics, "backbone": run.plan.backbone, "epochs": len(run.history), "figures": list(run.summary)}
seen |= {"rows": run.predictions.num_rows, "columns": run.predictions.column_names}
print(json.dumps(seen | {"modules": sorted({name.partition(".")[0] for name in sys.modules})}))
"""


def test_figures_plan_history_and_predictions_need_no_tensorflow(finished_run):
    done = subprocess.run([sys.executable, "-c", LOOK, finished_run], capture_output=True, text=True, check=True)
    seen = json.loads(done.stdout)
    assert not HEAVY & set(seen["modules"])
    assert seen["metrics"] == json.loads((finished_run / "metrics.json").read_text())["metrics"]
    assert seen["backbone"] == "efficientnet_lite0"
    assert seen["epochs"] > 5
    assert seen["columns"][:4] == ["input", "split", "target", "label"]


def test_predictions_are_those_behind_the_figures(finished_run):
    run = zoo.load_run(finished_run)
    table = parquet.read_table(finished_run / "predictions.parquet").to_pylist()
    assert {row["split"] for row in table} == {"validation"}
    right = [row["label"] == row["target"] for row in table]
    assert sum(right) / len(right) == pytest.approx(run.metrics["accuracy"])
    labels = [name.removeprefix("probability ") for name in table[0] if name.startswith("probability ")]
    assert labels == ["birds", "bugs", "fruit", "mammals", "music", "vehicles"]
    assert all(sum(row[f"probability {label}"] for label in labels) == pytest.approx(1, abs=1e-5) for row in table)
    figure = json.loads((finished_run / "figures.json").read_text())["validation"][0]
    assert sum(map(sum, figure["values"])) == len(table)


def test_the_list_of_runs_says_how_each_is_and_how_good(finished_run, tmp_path, zoo_command):
    shutil.copytree(finished_run, tmp_path / "runs/deep/finished")
    half = shutil.copytree(finished_run, tmp_path / "runs/half")
    (half / "metrics.json").unlink()
    (tmp_path / "runs/damaged").mkdir()
    (tmp_path / "runs/damaged/plan.toml").write_text("backbone = ")
    (tmp_path / "runs/notes").mkdir()
    listed = {Path(run["path"]).name: run for run in json.loads(zoo_command("runs", tmp_path, "--json").stdout)}
    assert {name: run["state"] for name, run in listed.items()} == {
        "finished": "finished",
        "half": "interrupted",
        "damaged": "damaged",
    }
    assert listed["finished"]["metrics"] == zoo.load_run(finished_run).metrics
    assert listed["finished"]["backbone"] == "efficientnet_lite0"
    assert listed["finished"]["seconds"] > 0
    assert listed["half"]["metrics"] is None
    assert listed["half"]["epochs"] > 5
    shown = zoo_command("runs", tmp_path).stdout
    assert "accuracy 0." in shown
    assert (zoo_command("runs", tmp_path / "none").returncode, zoo_command("runs", tmp_path / "runs/notes").stdout) == (
        1,
        f"There are no runs in {tmp_path / 'runs/notes'}. To make one: zoo train\n",
    )


def test_a_run_in_training_is_listed_as_such(tmp_path, finished_run):
    shutil.copytree(finished_run, tmp_path / "run")
    (tmp_path / "run/metrics.json").unlink()
    with RunFolder.reopened(tmp_path / "run"):
        held = [sys.executable, "-c", "import sys, zoo; print(zoo.list_runs(sys.argv[1])[0].state)", str(tmp_path)]
        assert subprocess.run(held, capture_output=True, text=True).stdout.strip() == "training"
    assert zoo.list_runs(tmp_path)[0].state == "interrupted"


@pytest.fixture
def old(tmp_path, tiny_bert, monkeypatch) -> Path:
    """Two runs of version 0.1.0, one finished and one interrupted, with their data and what the first one answered."""
    with zipfile.ZipFile(Path(__file__).with_name("runs_0_1_0.zip")) as archive:
        archive.extractall(tmp_path)
    (tmp_path / "tiny").symlink_to(tiny_bert)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_run_of_version_0_1_0_opens_and_answers_the_same(old):
    run = zoo.load_run("run")
    assert run.card.parts == {}
    answers, before = run.predict(Path("reviews.csv")), json.loads((old / "answers.json").read_text())
    assert [a["input"] for a in answers] == [b["input"] for b in before]
    for answer, was in zip(answers, before, strict=True):
        assert answer["label"] == was["label"]
        assert answer["probabilities"] == pytest.approx(was["probabilities"], abs=1e-3)  # another machine's
    with pytest.raises(zoo.BadRun, match=r"has no predictions\.parquet: an older version of zoo made it"):
        _ = run.predictions


def test_a_run_of_version_0_1_0_can_be_repeated(old):
    again = zoo.train_plan("run/plan.toml", out="again")
    rows = [line.rsplit(",", 1)[0] for line in (old / "again/split.csv").read_text().splitlines()]  # without `content`
    assert rows == (old / "run/split.csv").read_text().splitlines()
    precision = json.loads((again.path / "provenance.json").read_text())["computing"]["precision"]
    assert again.metrics == pytest.approx(FIGURES[precision], abs=ANOTHER_MACHINES)
    assert {d.section for d in zoo.diff("run", "again")} <= {
        "machine",
        "computing",
        "seconds",
        "figures",
        "versions",
    }


def test_a_training_of_version_0_1_0_is_resumed(old):
    assert [(run.path.name, run.state) for run in zoo.list_runs(".")] == [("run", "finished"), ("half", "interrupted")]
    run = zoo.resume("half")
    assert [row["epoch"] for row in run.history] == [1, 2, 3]
    assert run.metrics == pytest.approx(zoo.load_run("run").metrics, abs=ANOTHER_MACHINES)
    assert os.listdir("half/logs")


def test_a_run_whose_files_are_damaged_is_listed_as_such(finished_run, tmp_path):
    damage = {
        "latin": ("history.csv", "phase,epoch\nKöpfe,1\n".encode("latin-1")),
        "list": ("metrics.json", b"[]"),
        "words": ("metrics.json", b'{"run": "r", "backbone": "b", "head": "h", "metrics": "good", "seconds": 1}'),
        "plan": ("plan.toml", b"\xff"),
    }
    for name, (file, content) in damage.items():
        shutil.copytree(finished_run, tmp_path / name, ignore=shutil.ignore_patterns("model.keras"))
        (tmp_path / name / file).write_bytes(content)
    assert {run.path.name: run.state for run in zoo.list_runs(tmp_path)} == dict.fromkeys(damage, "damaged")


def test_looking_at_runs_never_stops_a_training_that_starts(finished_run, tmp_path):
    shutil.copytree(finished_run, tmp_path / "run", ignore=shutil.ignore_patterns("model.keras", "metrics.json"))
    look = "import sys, zoo\nprint(flush=True)\nwhile True: zoo.list_runs(sys.argv[1])"
    watcher = subprocess.Popen([sys.executable, "-c", look, tmp_path], stdout=subprocess.PIPE)
    try:
        watcher.stdout.readline()
        for _ in range(200):
            with RunFolder.reopened(tmp_path / "run"):
                pass
    finally:
        watcher.kill()
        watcher.wait()


def test_an_error_of_a_training_is_not_blamed_on_its_folder(tmp_path):
    with pytest.raises(PermissionError, match="a plugin's own file"), RunFolder.created(tmp_path / "run"):
        raise PermissionError("a plugin's own file")
    with RunFolder.created(tmp_path / "run") as folder:
        folder.write_text("plan.toml", "")
        with pytest.raises(zoo.BadRun, match=r"is being trained by another process\. Wait until"):
            RunFolder(tmp_path / "run").refuse_unfinished()
        folder.write_text("metrics.json", "{}")
    assert not (tmp_path / "run" / ".lock").exists()


def test_two_runs_of_the_same_do_not_differ_by_their_seconds_or_nan(finished_run, tmp_path):
    same = shutil.copytree(finished_run, tmp_path / "same")
    for file, change in (
        ("provenance.json", lambda content: content["seconds"].update(head=123.0)),
        ("metrics.json", lambda content: content.update(seconds=123.0)),
    ):
        content = json.loads((same / file).read_text())
        change(content)
        (same / file).write_text(json.dumps(content))
    assert zoo.diff(finished_run, same) == []
    found = {"figure": math.nan}
    assert list(_unlike(found, dict(found) | {"figure": float("nan")})) == []


def test_inputs_of_one_name_in_data_and_validation_are_told_apart(tmp_path):
    def run(name, *rows):
        folder = RunFolder(tmp_path / name)
        folder.path.mkdir()
        folder.write_csv("split.csv", ["input", "target", "split", "content"], rows)
        return read_split(folder)

    first = run("a", ("row 1", "cat", "train", "1"), ("row 1", "dog", "validation", "2"))
    second = run("b", ("row 1", "DOG", "train", "1"), ("row 1", "dog", "validation", "2"))
    assert _counted(first, second) == {"with another target": (1, 1)}


@pytest.mark.parametrize("cell", ["neg\rative", "a\r\nb", 'q"\r', "x" * 140_000, "caf\udce9"])
def test_every_cell_that_is_written_is_read_again(cell, tmp_path):
    folder = RunFolder(tmp_path)
    folder.write_csv("split.csv", ["input", "target"], [("a", cell), ("b", "plain")])
    rows = folder.read_csv("split.csv")
    assert [row["target"] for row in rows] == [cell.encode("utf-8", "backslashreplace").decode(), "plain"]
    assert (tmp_path / "split.csv").read_text().endswith("b,plain\n")


def test_a_run_that_was_finished_before_its_first_epoch_has_no_history(finished_run, tmp_path):
    run = shutil.copytree(finished_run, tmp_path / "run")
    (run / "history.csv").unlink()
    assert zoo.load_run(run).history == []


def test_json_of_odd_names_has_no_nan_either():
    assert json.loads(json_text({"name": "caf\udce9", "figure": math.nan})) == {"name": "caf\udce9", "figure": None}
