"""What a run folder keeps of its run of MLflow: the file mlflow.json."""

from __future__ import annotations

from pathlib import Path

import msgspec

from zoo.atomic import write_atomic

FILE = "mlflow.json"


class State(msgspec.Struct, frozen=True):
    """The run of MLflow, and a name for the process that reports to it now."""

    run_id: str = ""
    process: str = ""


def read(path: Path) -> State:
    """The state in a run folder; an empty one if there is none, or it is damaged."""
    try:
        return msgspec.json.decode((path / FILE).read_bytes(), type=State)
    except (OSError, msgspec.MsgspecError):
        return State()


def write(path: Path, state: State) -> None:
    """Keep the state. Raises `OSError`."""
    write_atomic(path / FILE, msgspec.json.encode(state) + b"\n")
