"""Trainings in real environments: in one without MLflow, and in one into which pip has brought it."""

import csv
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import time
import tomllib
from pathlib import Path

import pytest

from conftest import Environment

PLUGIN = Path(__file__).parents[1]
HERE = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_EXPERIMENT_NAME": "from the tests"}
OTHERS = ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_ID", "MLFLOW_RUN_ID")
LOOK = """
import json, os, sys
import mlflow, pandas as pd
run_id, inputs = json.load(sys.stdin)
client = mlflow.MlflowClient()
run = client.get_run(run_id)
for path in (one.path for one in client.list_artifacts(run_id)):
    client.download_artifacts(run_id, path, "got")
(made,) = run.outputs.model_outputs
model = mlflow.pyfunc.load_model(f"models:/{made.model_id}")

def asked(frame):
    found = model.predict(frame)
    assert [*found.index] == [*frame.index]
    return found.astype(object).where(found.notna(), None).to_dict("records")

frame = pd.DataFrame(inputs, index=range(10, 10 + len(next(iter(inputs.values())))))
print(json.dumps({
    "experiments": [one.name for one in client.search_experiments()],
    "runs": len(client.search_runs([run.info.experiment_id])),
    "status": run.info.status,
    "name": run.info.run_name,
    "params": run.data.params,
    "metrics": run.data.metrics,
    "tags": run.data.tags,
    "epochs": {name: [[m.step, m.value] for m in client.get_metric_history(run_id, name)] for name in run.data.metrics},
    "answers": asked(frame),
    "of bytes": asked(frame.map(lambda path: open(path, "rb").read())) if "image" in inputs else None,
    "example": asked(model.input_example),
    "columns": [model.metadata.signature.inputs.input_names(), model.metadata.signature.outputs.input_names()],
}))
"""


@pytest.fixture(scope="module")
def tracked(tmp_path_factory) -> Environment:
    """An environment into which pip has installed the plugin and what it needs."""
    environment = Environment(tmp_path_factory.mktemp("tracked"))
    command = [environment.python, "-m", "pip", "install", "--quiet", "--no-build-isolation"]
    constraints = PLUGIN / "tests" / "constraints.txt"
    subprocess.run([*command, "--constraint", constraints, PLUGIN], check=True, capture_output=True, text=True)
    return environment


@pytest.fixture
def work(tmp_path, monkeypatch) -> Path:
    """The working folder, where MLflow's local store is."""
    for name in OTHERS:
        monkeypatch.delenv(name, raising=False)
    for name, value in HERE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _looked_at(environment: Environment, run: Path, **inputs: list[object]) -> dict:
    """What MLflow's own client says of the run, and what the model that it loads answers."""
    run_id = json.loads((run / "mlflow.json").read_text())["run_id"]
    os.makedirs("got", exist_ok=True)
    given = json.dumps([run_id, inputs])
    done = subprocess.run([environment.python, "-c", LOOK], input=given, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _status(store: Path) -> list[str]:
    """The state of each run, in the order of their starts, as the local store has it."""
    if not store.exists():
        return []
    with sqlite3.connect(store) as connection:
        return [row[0] for row in connection.execute("SELECT status FROM runs ORDER BY start_time")]


def _until(true, process: subprocess.Popen[str] | None = None) -> None:
    deadline = time.monotonic() + 120
    while not true():
        assert process is None or process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _flat(answer: dict) -> dict:
    """An answer of `zoo predict --json` as a row of a table."""
    shares = answer.get("probabilities", {})
    row = {name: value for name, value in answer.items() if name not in ("input", "probabilities")}
    return row | {f"probability {label}": share for label, share in shares.items()} | {"error": answer.get("error", "")}


def test_where_mlflow_is_missing_or_too_old_the_plugin_is_listed_with_the_way_to_install_it(environment):
    environment.install(PLUGIN)
    plugins = json.loads(environment.zoo("plugins", "--json").stdout)
    (listed,) = [plugin for plugin in plugins if plugin["name"] == "mlflow"]
    reason = "MLflow is not installed; to install it: pip install 'mlflow>=3.17,<4'"
    assert (listed["status"], listed["reason"]) == ("failed", f"ImportError: {reason}")
    assert reason in environment.zoo("doctor").stdout
    old = environment.library / "mlflow-1.27.0.dist-info"
    old.mkdir()
    (old / "METADATA").write_text("Metadata-Version: 2.1\nName: mlflow\nVersion: 1.27.0\n")
    assert "MLflow 1.27.0 is too old; to install it: pip install" in environment.zoo("plugins").stdout
    assert environment.zoo("heads").returncode == 0


def test_the_registry_says_what_the_plugin_says():
    about = tomllib.loads((PLUGIN / "pyproject.toml").read_text())["project"]
    listed = tomllib.loads((PLUGIN.parents[1] / "registry.toml").read_text())["plugins"]
    (entry,) = [one for one in listed if one["name"] == "mlflow"]
    assert entry["requirement"] == f"{about['name']}=={about['version']}"
    assert (entry["summary"], entry["licence"]) == (about["description"], about["license"])
    assert f'\nZOO_API = "{entry["api"]}"\n' in (PLUGIN / "zoo_mlflow" / "__init__.py").read_text()


def test_a_training_that_is_killed_and_resumed_is_one_run_whose_model_answers_as_zoo_does(tracked, few_pictures, work):
    run, store = work / "run", work / "mlflow.db"
    command = [tracked.python, "-m", "zoo", "train", "efficientnet_lite0", few_pictures, "--epochs", "6"]
    command += ["--out", run, "--unfreeze", "1"]
    variables = os.environ | {"ZOO_CHECKPOINT_SECONDS": "0"}
    process = subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    _until(lambda: list((run / "checkpoints").glob("00000[3-9].npz")), process)
    assert _status(store) == ["RUNNING"]
    process.send_signal(signal.SIGKILL)
    process.communicate()
    _until(lambda: _status(store) == ["KILLED"])
    resumed = tracked.zoo("resume", run)
    assert resumed.returncode == 0, resumed.stderr
    assert "mlflow" not in resumed.stderr.lower()

    pictures = sorted(map(str, few_pictures.rglob("*.png")))
    seen = _looked_at(tracked, run, image=pictures)
    assert (seen["runs"], seen["status"], seen["name"]) == (1, "FINISHED", "run")
    assert "from the tests" in seen["experiments"]
    with (run / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["phase"] for row in rows} == {"head", "fine-tuning"}
    for name in ("loss", "val_loss", "val_accuracy", "learning_rate"):
        assert seen["epochs"][name] == [[step, float(row[name])] for step, row in enumerate(rows, start=1)]
    summary, plan = (json.loads((run / "metrics.json").read_text()), tomllib.loads((run / "plan.toml").read_text()))
    final = {name: value for name, value in seen["metrics"].items() if name.startswith("validation/")}
    known = {f"validation/{name}": value for name, value in summary["metrics"].items()}
    known |= {f"validation/{name}_low": low for name, (low, _) in summary.get("intervals", {}).items()}
    known |= {f"validation/{name}_high": high for name, (_, high) in summary.get("intervals", {}).items()}
    assert final == known
    for name in ("backbone", "head", "data", "seed", "batch_size", "augment", "weights"):
        assert seen["params"][name] == str(plan[name])
    head, tail = plan["phases"]
    assert (seen["params"]["learning_rate"], seen["params"]["unfreeze"]) == (str(head["learning_rate"]), "1")
    assert seen["params"]["fine-tuning.learning_rate"] == str(tail["learning_rate"])
    about = json.loads((run / "provenance.json").read_text())
    assert seen["tags"]["zoo.backbone"] == "efficientnet_lite0"
    assert seen["tags"]["zoo.data_fingerprint"] == about["data"]["fingerprint"]
    assert (seen["tags"]["zoo.version"], seen["tags"]["zoo.resumed"]) == (about["versions"]["tfzoo"], "1")
    for name in ("report.html", "plan.toml", "metrics.json", "figures.json", "predictions.parquet"):
        assert (run / name).exists() == (work / "got" / name).exists()
        assert not (run / name).exists() or (run / name).read_bytes() == (work / "got" / name).read_bytes()

    predicted = json.loads(tracked.zoo("predict", run, *pictures, "--json").stdout)
    assert seen["answers"] == seen["of bytes"] == [_flat(answer) for answer in predicted]
    assert [row["error"] for row in seen["example"]] == [""]
    labels = ["label", "probability birds", "probability music", "error"]
    assert seen["columns"] == [["image"], labels]
    assert sorted(seen["answers"][0]) == sorted(labels)


@pytest.fixture
def silence():
    """The address of a server that takes connections, and answers nothing."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(64)
        yield f"http://somebody:a-password@127.0.0.1:{server.getsockname()[1]}"


def test_where_nobody_answers_the_training_goes_on_and_is_reported_later(tracked, tiny_bert, work, silence):
    rows = [{"text": f"{word} number {n}", "label": word} for n in range(12) for word in ("good", "bad")]
    (work / "table.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    run = work / "run"
    arguments = ["train", "bert", "table.jsonl", "--weights", tiny_bert, "--epochs", 2, "--out", run, "--json"]
    start = time.monotonic()
    alone = tracked.zoo(*arguments, MLFLOW_TRACKING_URI=silence)
    assert time.monotonic() - start < 150
    assert alone.returncode == 0, alone.stderr
    assert json.loads(alone.stdout)["metrics"]
    (said,) = [line for line in alone.stderr.splitlines() if "mlflow" in line.lower()]
    assert re.match(
        r"MLflow does not answer \(.*\*\*\*@127\.0\.0\.1.*\)\. The training goes on; MLflow is tried again", said
    )
    assert said.endswith(f"To report it later: zoo mlflow {run}")
    assert "a-password" not in alone.stderr + alone.stdout

    refused = tracked.zoo("mlflow", run, MLFLOW_TRACKING_URI="http://somebody:a-password@127.0.0.1:9")
    assert refused.returncode == 1
    assert refused.stderr.startswith("zoo: MLflow does not take the run: ")
    assert "a-password" not in refused.stderr
    for _ in range(2):  # the second time there is nothing new
        reported = tracked.zoo("mlflow", run)
        assert reported.returncode == 0, reported.stderr
    texts = ["good number 3", "", "no, it was bad"]
    seen = _looked_at(tracked, run, text=texts)
    assert (seen["runs"], seen["status"]) == (1, "FINISHED")
    assert [step for step, _ in seen["epochs"]["val_loss"]] == [1, 2]
    assert seen["metrics"]["validation/accuracy"] == json.loads(alone.stdout)["metrics"]["accuracy"]
    predicted = json.loads(tracked.zoo("predict", run, "--text", *texts, "--json").stdout)
    assert predicted[1]["error"] == seen["answers"][1]["error"] != ""
    assert [seen["answers"][n] for n in (0, 2)] == [_flat(predicted[n]) for n in (0, 2)]
    assert seen["columns"][0] == ["text"]
