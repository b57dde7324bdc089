"""One run of zoo as one run of MLflow, however often its training is interrupted and resumed."""

from __future__ import annotations

import contextlib
import csv
import getpass
import json
import logging
import math
import os
import re
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zoo
from zoo_mlflow import state
from zoo_mlflow.watch import Watch

if TYPE_CHECKING:
    from mlflow import MlflowClient

ARTIFACTS = ("report.html", "plan.toml", "metrics.json", "figures.json", "predictions.parquet")
MODEL = "model"
_FINAL = 0  # the step of the final figures, which are those of the model
_SECRETS = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "DATABRICKS_TOKEN", "AWS_SECRET_ACCESS_KEY")
_LONGEST = 500  # letters of a parameter
_SHORT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}
_LONG = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2"}  # a model may be large


def without_secrets(text: str) -> str:
    """A text without names and passwords in addresses, and without the values of variables that are secret."""
    text = re.sub(r"//[^/@\s]+@", "//***@", text)
    for name in _SECRETS:
        if secret := os.environ.get(name):
            text = text.replace(secret, "***")
    return text


class Tracker:
    """Reports to MLflow; everything raises whatever MLflow raises.

    run_id  the run of MLflow, once `begin` has found or started it
    """

    def __init__(self, path: Path) -> None:
        self._path, self.run_id = path, ""
        self._client: MlflowClient | None = None
        self._watch: Watch | None = None
        self._beginning = threading.Lock()  # as a beginning that takes too long goes on in its thread
        self._step = 0  # the last epoch that MLflow has got, of all epochs of all phases

    def begin(self) -> None:
        """Start a run of MLflow, or go on in the one that this run had before."""
        import mlflow

        with self._beginning, _set(_SHORT):
            if self.run_id:
                return
            client = mlflow.MlflowClient()
            known = state.read(self._path).run_id
            if known and _exists(client, known):
                client.update_run(known, status="RUNNING")
                self._step = max((m.step for m in client.get_metric_history(known, "val_loss")), default=0)
            else:
                tags = {"mlflow.user": _user(), "mlflow.source.name": "zoo", "zoo.run": str(self._path)}
                known = client.create_run(_experiment(client), tags=tags, run_name=self._path.name).info.run_id
            self._watch = Watch(self._path, known, mlflow.get_tracking_uri())
            self._client, self.run_id = client, known

    def report_epochs(self) -> None:
        """Report the epochs that MLflow has not got."""
        from mlflow.entities import Metric

        client, now = self._connected, int(1000 * time.time())
        metrics, step = [], 0
        for step, row in enumerate(_history(self._path), start=1):
            figures = {name: cell for name, cell in row.items() if name not in ("phase", "epoch") and cell}
            if step > self._step:
                metrics += [Metric(name, float(cell), now, step) for name, cell in figures.items()]
        with _set(_SHORT):
            for start in range(0, len(metrics), 1000):  # MLflow takes no more at once
                client.log_batch(self.run_id, metrics=metrics[start : start + 1000])
        self._step = max(self._step, step)

    def report(self, run: Any) -> None:
        """Report a finished run: parameters, figures, tags, files and the model."""
        from mlflow.entities import Metric, Param, RunTag

        from zoo_mlflow.model import log_model

        client = self._connected
        self.report_epochs()
        with _set(_LONG):
            there = client.get_run(self.run_id)
            now = int(1000 * time.time())
            figures = {name: value for name, value in _figures(run.summary).items() if name not in there.data.metrics}
            client.log_batch(
                self.run_id,
                metrics=[Metric(name, value, now, _FINAL) for name, value in figures.items()],
                params=[Param(name, _short(value)) for name, value in run.plan.compared().items()],
                tags=[RunTag(name, value) for name, value in _tags(run).items()],
            )
            for name in ARTIFACTS:
                if (file := run.path / name).is_file():
                    client.log_artifact(self.run_id, str(file))
            if not there.outputs or not there.outputs.model_outputs:
                log_model(run, self.run_id, MODEL)
            client.set_terminated(self.run_id, "FINISHED")
        self._end_watch()

    def give_up(self) -> None:
        """Say that the run is not reported completely, if MLflow still listens."""
        self._end_watch()
        if self._client is not None:
            with contextlib.suppress(Exception), _set(_SHORT):
                self._client.set_terminated(self.run_id, "FAILED")

    @property
    def _connected(self) -> MlflowClient:
        self.begin()
        assert self._client is not None
        return self._client

    def _end_watch(self) -> None:
        if self._watch is not None:
            self._watch.end()


def _exists(client: MlflowClient, run_id: str) -> bool:
    """Whether MLflow has the run, which may have been deleted, or be in another store."""
    from mlflow.exceptions import MlflowException

    try:
        return bool(client.get_run(run_id).info.lifecycle_stage == "active")
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return False
        raise


def _experiment(client: MlflowClient) -> str:
    """The experiment that MLflow's variables name, made where it is not there; or else MLflow's default one."""
    from mlflow.exceptions import MlflowException

    if known := os.environ.get("MLFLOW_EXPERIMENT_ID"):
        return known
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or "Default"
    found = client.get_experiment_by_name(name)
    if found is None:
        with contextlib.suppress(MlflowException):  # another training makes it at this moment
            return str(client.create_experiment(name))
        found = client.get_experiment_by_name(name)
    if found is None:
        raise zoo.ZooError(f"the experiment {name!r} cannot be made")
    return str(found.experiment_id)


def _history(path: Path) -> list[dict[str, str]]:
    try:
        with (path / "history.csv").open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except FileNotFoundError:  # no epoch is finished
        return []


def _figures(summary: Mapping[str, Any]) -> dict[str, float]:
    """The final figures: validation/accuracy, with validation/accuracy_low and _high where the interval is known."""
    figures: dict[str, float] = {}
    for split, of in (("validation", ""), ("test", "test_")):
        for name, value in (summary.get(f"{of}metrics") or {}).items():
            figures[f"{split}/{name}"] = math.nan if value is None else float(value)
        for name, (low, high) in (summary.get(f"{of}intervals") or {}).items():
            figures |= {f"{split}/{name}_low": float(low), f"{split}/{name}_high": float(high)}
    return figures | {"seconds_in_all": float(summary["seconds"])}


def _tags(run: Any) -> dict[str, str]:
    about = json.loads((run.path / "provenance.json").read_text(encoding="utf-8"))
    data, weights = about.get("data", {}), about.get("weights", {})
    tags = {
        "version": about.get("versions", {}).get("tfzoo"),
        "backbone": run.summary["backbone"],
        "head": run.summary["head"],
        "modality": run.card.modality,
        "data_fingerprint": data.get("fingerprint"),
        "data_examples": data.get("examples"),
        "weights": weights.get("name"),
        "weights_sha256": weights.get("sha256"),
        "resumed": about.get("resumed", 0),
    }
    return {f"zoo.{name}": str(value) for name, value in tags.items() if value is not None}


def _short(value: object) -> str:
    return without_secrets(str(value))[:_LONGEST]


def _user() -> str:
    with contextlib.suppress(Exception):  # somebody without a name
        return getpass.getuser()
    return "unknown"


@contextlib.contextmanager
def _set(variables: Mapping[str, str]) -> Iterator[None]:
    """A context with variables of the environment that are not set otherwise, in which MLflow chats less."""
    new = {name: value for name, value in variables.items() if name not in os.environ}
    new |= {"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}
    before = {name: os.environ.get(name) for name in new}
    logger = logging.getLogger("mlflow")
    level = logger.level
    os.environ.update(new)
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
