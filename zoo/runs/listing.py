"""Lists the runs below a folder, with the facts about each. Light to import."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import BadRun, ZooError
from zoo.plan import Plan
from zoo.runs.folder import RunFolder
from zoo.runs.provenance import read_provenance
from zoo.runs.summary import read_summary

_DEEP = 4  # folders


@dataclass(frozen=True)
class RunSummary:
    """The facts about a run, read from its files.

    state    "finished", "training" (by a running process), "interrupted", or "damaged" (its files cannot be read)
    metrics  the metrics on the validation set
    epochs   the number of completed epochs
    seconds  how long the training took, if it is finished
    bytes    the size of the whole folder
    """

    path: Path
    state: str
    backbone: str = ""
    head: str = ""
    data: str = ""
    metrics: dict[str, float] | None = None
    epochs: int = 0
    seconds: float | None = None
    started: str = ""
    bytes: int = 0


def list_runs(folder: Path) -> list[RunSummary]:
    """The runs in a folder and below it, in the order in which they were started.

    Raises `BadRun` if the folder does not exist.
    """
    if not folder.is_dir():
        raise BadRun(f"There is no folder {folder}. `zoo train` puts runs into ./runs, or into the folder after --out.")
    return sorted((_facts(RunFolder(path)) for path in _runs(folder)), key=lambda run: (run.started, str(run.path)))


def _runs(folder: Path) -> Iterator[Path]:
    for at, folders, files in os.walk(folder):
        path = Path(at)
        if "plan.toml" in files:
            folders.clear()
            yield path
        elif len(path.relative_to(folder).parts) >= _DEEP:
            folders.clear()


def _facts(folder: RunFolder) -> RunSummary:
    size = sum(_size(file) for file in folder.path.rglob("*"))
    try:
        plan = Plan.from_toml(folder.path / "plan.toml")
        about = read_provenance(folder)
        summary = read_summary(folder) if folder.finished else None
        epochs = len(folder.read_csv("history.csv")) if folder.exists("history.csv") else 0
    except ZooError:
        return RunSummary(folder.path, "damaged", bytes=size)
    state = "finished" if summary else "training" if folder.held() else "interrupted"
    return RunSummary(
        folder.path,
        state,
        plan.backbone,
        plan.head,
        plan.data,
        summary.metrics if summary else None,
        epochs,
        summary.seconds if summary else None,
        about["started"],
        size,
    )


def _size(path: Path) -> int:
    """The size of a file in bytes; 0 for anything else, and for a file that a training has just removed."""
    try:
        found = path.lstat()
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0
