"""TensorBoard's own reader finds in a run what plan.toml, metrics.json and figures.json say."""

import io
import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata
from tensorboard.util.tensor_util import make_ndarray

from zoo.plan import Phase, Plan
from zoo.runs.folder import RunFolder
from zoo.runs.predictions import Judged
from zoo.training.board import FILE, write_board

HEAD = Phase(unfreeze=0, epochs=50, learning_rate=1e-3, patience=5)
TAIL = Phase(unfreeze="all", epochs=10, learning_rate=1e-4, patience=3)


def _read(run: Path) -> EventAccumulator:
    """What TensorBoard shows of a run beside its epochs."""
    reader = EventAccumulator(str(run / "logs"))
    reader.Reload()
    return reader


def _settings(reader: EventAccumulator) -> dict[str, object]:
    content = reader.SummaryMetadata(metadata.SESSION_START_INFO_TAG).plugin_data.content
    settings = metadata.parse_session_start_info_plugin_data(content).hparams
    return {name: getattr(value, value.WhichOneof("kind")) for name, value in settings.items()}


def _scalars(reader: EventAccumulator) -> dict[str, list[float]]:
    tags = reader.PluginTagToContent("scalars")
    return {tag: [float(make_ndarray(event.tensor_proto)) for event in reader.Tensors(tag)] for tag in tags}


def _pictures(reader: EventAccumulator) -> dict[str, list[np.ndarray]]:
    """The pictures by tag, in grey."""
    found: dict[str, list[np.ndarray]] = {}
    for tag in reader.PluginTagToContent("images"):
        for event in reader.Tensors(tag):
            width, height, png = make_ndarray(event.tensor_proto)
            picture = Image.open(io.BytesIO(png))
            assert picture.size == (int(width), int(height))
            found.setdefault(tag, []).append(np.asarray(picture.convert("L")))
    return found


def _metrics(run: Path) -> dict[str, list[float]]:
    """The metrics of metrics.json under the names that they have in TensorBoard, as it rounds them."""
    summary = json.loads((run / "metrics.json").read_text())
    metrics = {"validation": summary["metrics"], "test": summary.get("test_metrics") or {}}
    return {f"{split}/{name}": [np.float32(value)] for split, some in metrics.items() for name, value in some.items()}


def test_a_run_shows_its_settings_metrics_and_confusion_matrix(finished_run):
    reader, plan = _read(finished_run), tomllib.loads((finished_run / "plan.toml").read_text())
    settings, (phase,) = _settings(reader), plan["phases"]
    of_the_plan = ("backbone", "head", "weights", "data", "seed", "batch_size", "augment", "precision")
    of_the_phase = ("epochs", "learning_rate", "optimizer", "layer_decay")
    assert settings == {
        **{name: plan[name] for name in of_the_plan},
        **{name: phase[name] for name in of_the_phase},
        "unfreeze": "0",
    }
    assert _scalars(reader) == _metrics(finished_run) != {}
    assert [(tag, len(some)) for tag, some in _pictures(reader).items()] == [("validation/Confusion matrix", 1)]


def test_killed_resumed_and_finished_twice_it_is_there_once(few_pictures, zoo_command):
    run = few_pictures.parent / "run"
    command = [sys.executable, "-m", "zoo", "train", "efficientnet_lite0", few_pictures, "--out", run, "--epochs", "30"]
    process = subprocess.Popen(command, env=os.environ | {"ZOO_CHECKPOINT_SECONDS": "0"}, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 300
    while not list((run / "checkpoints").glob("00000[2-9].npz")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (run / FILE).exists()
    for _ in range(2):
        (run / "logs" / ".new-events.out.tfevents.torn").write_bytes(b"half of it")
        resumed = zoo_command("resume", run)
        assert resumed.returncode == 0, resumed.stderr
        assert [path.name for path in (run / "logs").iterdir() if path.is_file()] == [Path(FILE).name]
        reader = _read(run)
        assert _scalars(reader) == _metrics(run) != {}
        assert _settings(reader)["epochs"] == 30
        assert len(_pictures(reader)["validation/Confusion matrix"]) == 1
        (run / "metrics.json").unlink()  # as if it had been killed just before this was written


def _board(folder: Path, values: object, labels: list[str], **settings: object) -> EventAccumulator:
    figures = [
        {"kind": "bars", "title": "Examples", "labels": ["a"], "values": [1]},
        {"kind": "matrix", "title": "Confusion matrix", "labels": labels, "values": values},
    ]
    judged = {"test": Judged(None, [], [], {"accuracy": 0.5}, {}, figures, None)}
    plan = Plan(backbone="b", data="d", phases=(HEAD, TAIL), options={"hidden": "auto", "dropout": 0.1, "wide": [1]})
    write_board(RunFolder(folder), plan, "2026-01-02T03:04:05+00:00", judged)
    return _read(folder)


@pytest.mark.parametrize(("values", "first"), [([[9, 1], [5, 5]], True), ([[1, 9], [5, 5]], False)])
def test_a_matrix_is_dark_where_the_answers_are(values, first, tmp_path):
    (picture,) = _pictures(_board(tmp_path, values, ["a", "b"]))["test/Confusion matrix"]
    rows, columns = np.nonzero(picture == np.bincount(picture[picture < 128]).argmax())  # the darkest cell
    place = rows.mean() / len(picture) < 0.5, columns.mean() / picture.shape[1] < 0.5
    assert place == ((True, True) if first else (True, False))


@pytest.mark.parametrize("count", [2, 31, 61])
def test_names_of_any_kind_are_drawn(count, tmp_path, recwarn):
    labels = [("$a_{", "日本語\n", "x" * 5_000, "\x1b[31m", "")[number % 5] for number in range(count)]
    ((picture,),) = _pictures(_board(tmp_path, np.zeros((count, count), int).tolist(), labels)).values()
    assert 100 < min(picture.shape) < 1300
    assert not recwarn.list


def test_a_matrix_that_cannot_be_drawn_is_said_and_the_rest_is_there(tmp_path, capsys):
    reader = _board(tmp_path, [[1, 2, 3]], ["a", "b"])
    assert capsys.readouterr().err.startswith("A confusion matrix cannot be drawn for TensorBoard: ")
    assert _scalars(reader) == {"test/accuracy": [0.5]}
    settings = _settings(reader)
    assert settings["unfreeze"] == "all"
    assert (settings["learning_rate"], settings["fine-tuning.learning_rate"]) == (1e-3, 1e-4)
    assert (settings["epochs"], settings["fine-tuning.epochs"]) == (50, 10)
    assert [settings[f"options.{name}"] for name in ("hidden", "dropout", "wide")] == ["auto", 0.1, "[1]"]
    start = reader.SummaryMetadata(metadata.SESSION_START_INFO_TAG).plugin_data.content
    assert metadata.parse_session_start_info_plugin_data(start).start_time_secs == 1767323045
