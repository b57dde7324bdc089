"""The command line as a person and a program use it.

Commands run in processes of their own, but for help and wrong usage: many of them run in the process of the tests.
"""

import csv
import io
import json
import signal
import subprocess
import sys
import time

import pytest


def test_the_main_job_end_to_end(zoo_command, zoo_here, finished_run, unseen, clipart):
    answers = json.loads(zoo_command("predict", finished_run, unseen, "--json", "--top", 2).stdout)
    assert [set(a) for a in answers] == [{"input", "label", "probabilities"}] * 6
    assert all(len(a["probabilities"]) == 2 for a in answers)
    rows = list(csv.DictReader(io.StringIO(zoo_here("predict", finished_run, unseen, "--csv")[1])))
    assert [row["label"] for row in rows] == [a["label"] for a in answers]
    assert all(float(row["probability_1"]) >= float(row["probability_2"]) for row in rows)
    shown = zoo_here("predict", finished_run, unseen / "puffin.png", "--top", 1)[1]
    assert shown.startswith(str(unseen / "puffin.png"))

    evaluated = json.loads(zoo_here("evaluate", finished_run, clipart, "--json")[1])
    assert set(evaluated) == {"run", "backbone", "head", "metrics", "examples", "seconds"}
    summary = json.loads((finished_run / "metrics.json").read_text())
    assert evaluated["examples"] == {"evaluated": 48, "trained_on": 183, "skipped": 0}
    assert evaluated["metrics"] == pytest.approx(summary["metrics"], abs=1e-5)

    assert {"run", "backbone", "head", "metrics", "examples", "seconds"} <= set(summary)
    assert summary["metrics"]["accuracy"] >= 0.6


def test_what_cannot_be_read_is_left_out_and_said(zoo_command, few_pictures, tmp_path):
    (few_pictures / "birds" / "notes.txt").write_text("not a picture")
    whole = next((few_pictures / "music").iterdir())
    (few_pictures / "music" / "broken\nname.png").write_bytes(whole.read_bytes()[:200])
    out = tmp_path / "run"
    result = zoo_command("train", "efficientnet_lite0", few_pictures, "--epochs", 1, "--out", out, "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["examples"]["skipped"] == 2
    assert "Inputs left out: 2" in result.stderr
    skipped = {row["input"]: row["reason"] for row in csv.DictReader((out / "skipped.csv").open(newline=""))}
    assert skipped["birds/notes.txt"] == "not a picture"
    assert set(skipped) == {"birds/notes.txt", "music/broken\nname.png"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "efficientnet_lite", "DATA"], "Did you mean efficientnet_lite0"),
        (["train", "efficientnet_lite0", "DATA/birds"], "There are no examples"),
        (["predict", "nowhere", "picture.png"], "There is no run nowhere"),
        (["info", "inceptionv3"], "Did you mean inception_v3"),
        (["list", "nothing_like_this"], "Nothing matches"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_sentence_and_exit_status_1(zoo_command, few_pictures, arguments, said):
    before = sorted(few_pictures.rglob("*"))
    result = zoo_command(*[a.replace("DATA", str(few_pictures)) for a in arguments])
    assert result.returncode == 1
    assert result.stdout == ""
    assert said in result.stderr
    assert result.stderr.splitlines()[-1].startswith("zoo: ")
    assert "Traceback" not in result.stderr
    assert sorted(few_pictures.rglob("*")) == before


def test_one_class_and_single_pictures_are_sentences(zoo_command, few_pictures):
    for picture in sorted((few_pictures / "music").iterdir())[1:]:
        picture.unlink()
    single = zoo_command("train", "efficientnet_lite0", few_pictures)
    assert single.returncode == 1
    assert "'music' has one distinct example" in single.stderr
    next((few_pictures / "music").iterdir()).unlink()
    one_class = zoo_command("train", "efficientnet_lite0", few_pictures)
    assert one_class.returncode == 1
    assert "needs at least two classes" in one_class.stderr


def test_a_keras_set_up_for_something_else_is_a_sentence(zoo_command, few_pictures, tmp_path):
    (tmp_path / "keras.json").write_text('{"image_data_format": "channels_first"}')
    for variables, said in (
        ({"KERAS_BACKEND": "jax"}, "KERAS_BACKEND=tensorflow"),
        ({"KERAS_HOME": str(tmp_path)}, "zoo needs 'channels_last'"),
    ):
        result = zoo_command("train", "efficientnet_lite0", few_pictures, "--out", tmp_path / "run", **variables)
        assert result.returncode == 1
        assert said in result.stderr
        assert "Traceback" not in result.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "arguments", [["train"], ["train", "x", "y", "--unfreeze", "some"], ["predict", "run"], ["list", "--nonsense"]]
)
def test_wrong_usage_is_exit_status_2(zoo_here, arguments):
    assert zoo_here(*arguments)[0] == 2


def test_every_command_has_help_with_an_example(zoo_command, zoo_here):
    overview = zoo_command("--help").stdout
    light = (
        "list",
        "info",
        "heads",
        "plugins",
        "doctor",
        "search",
        "install",
        "uninstall",
        "upgrade",
        "new",
        "check",
        "cache",
    )
    for command in (*light, "train", "pull", "predict", "evaluate", "embed"):
        assert command in overview
        _, text, _ = zoo_here(command, "--help")
        assert f"zoo {command}" in text.partition("Example")[2], command
    for command in ("list", "use", "forget", "check", "schema", "add"):
        _, text, _ = zoo_here("registry", command, "--help")
        assert f"zoo registry {command}" in text.partition("Example")[2], command


def test_colours_only_on_a_terminal(zoo_command):
    listed = zoo_command("list").stdout
    assert "\x1b" not in listed
    assert "efficientnet_lite0" in listed


def _interrupt(few_pictures, out, number):
    """Send a signal to a real training once it has finished an epoch; gives its exit status and what it said."""
    command = [
        sys.executable,
        "-m",
        "zoo",
        "train",
        "efficientnet_lite0",
        few_pictures,
        "--out",
        out,
        "--epochs",
        "500",
    ]
    process = subprocess.Popen([*map(str, command), "--unfreeze", "1"], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (out / "history.csv").exists():
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    said = process.communicate(timeout=120)[1]
    return process.returncode, said


def test_a_killed_training_leaves_no_run_that_looks_finished(few_pictures, tmp_path, zoo_command):
    out = tmp_path / "run"
    _interrupt(few_pictures, out, signal.SIGKILL)
    assert list(csv.DictReader((out / "history.csv").open()))
    predicted = zoo_command("predict", out, few_pictures)
    assert predicted.returncode == 1
    assert f"{out} is not finished. To continue it: zoo resume {out}" in predicted.stderr
    again = zoo_command("train", "efficientnet_lite0", few_pictures, "--out", out)
    assert again.returncode == 1
    assert f"zoo resume {out}" in again.stderr


def test_ctrl_c_ends_with_a_sentence_and_removes_what_was_temporary(few_pictures, tmp_path):
    status, said = _interrupt(few_pictures, tmp_path / "run", signal.SIGINT)
    assert status == 130
    assert said.splitlines()[-2:] == [
        f"Saved. To continue from here: zoo resume {tmp_path / 'run'}",
        "zoo: stopped by Ctrl-C.",
    ]
    assert "Traceback" not in said
    assert [path.name for path in (tmp_path / "run").glob(".*")] == [".lock"]


def test_sigterm_saves_and_leaves(few_pictures, tmp_path):
    status, said = _interrupt(few_pictures, tmp_path / "run", signal.SIGTERM)
    assert status == 128 + signal.SIGTERM
    assert said.splitlines()[-1] == f"Saved. To continue from here: zoo resume {tmp_path / 'run'}"
    assert list((tmp_path / "run" / "checkpoints").glob("*.npz"))
