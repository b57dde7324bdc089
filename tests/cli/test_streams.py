"""The command line where the shell has closed a stream."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import zoo
from zoo.progress import counted, progress, say


def _closed(*arguments, streams="2>&-"):
    words = " ".join(f"'{word}'" for word in (sys.executable, "-m", "zoo", *map(str, arguments)))
    return subprocess.run(["sh", "-c", f"exec {words} {streams}"], capture_output=True, text=True)


def test_without_standard_error_nothing_is_put_before_the_json(tmp_path):
    (tmp_path / "settings.json").write_text("{}")
    listed = _closed("search", "--registry", "http://127.0.0.1:9/none.toml", "--json")
    assert (listed.returncode, listed.stdout) == (1, "")
    listed = _closed("list", "--json", streams="2>&- <&-")
    assert len(json.loads(listed.stdout)) > 100


def test_a_training_needs_no_standard_error(few_pictures, tmp_path):
    out = tmp_path / "run"
    trained = _closed("train", "efficientnet_lite0", few_pictures, "--out", out, "--epochs", 1, "--json")
    assert trained.returncode == 0
    assert json.loads(trained.stdout)["metrics"] == zoo.load_run(out).metrics


def test_in_a_process_without_standard_error_nothing_is_said_on_standard_output(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stderr", None)
    say("a message")
    with progress("Reading", 2, "files") as advance:
        advance(2)
    assert capsys.readouterr().out == ""


def test_a_bar_of_what_goes_on_tells_the_rate_of_what_is_new(monkeypatch, capsys):
    moments = iter([0.0, 10.0])
    monkeypatch.setattr("time.monotonic", lambda: next(moments))
    with progress("Head", 1000, "steps", before=900) as advance:
        advance(100)
    assert capsys.readouterr().err == "Head: 100 steps in 10 s (10 steps/s)\n"


def test_what_is_one_is_not_several():
    assert [counted(number, "pictures") for number in (0, 1, 2)] == ["0 pictures", "1 picture", "2 pictures"]
    assert counted(1, "classes") == "1 class"


@pytest.mark.parametrize("arguments", [("list",), ("list", "--json"), ("info", "resnet50"), ("--version",)])
@pytest.mark.parametrize(
    ("streams", "reason"), [(">&-", "Bad file descriptor"), ("> /dev/full", "No space left on device")]
)
def test_what_cannot_be_written_is_a_sentence(arguments, streams, reason):
    if "full" in streams and not Path("/dev/full").exists():
        pytest.skip("this system has no disk that is always full")
    done = _closed(*arguments, streams=streams)
    assert done.returncode == 1
    assert done.stderr == f"zoo: Cannot write to the standard output: {reason}.\n"
    assert _closed(*arguments, streams=f"{streams} 2>&-").returncode == 1
