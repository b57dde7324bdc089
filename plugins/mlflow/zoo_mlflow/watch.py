"""A small process that waits for the end of a training's process, and tells MLflow if the training was broken off.

A process that is killed can tell nobody, so MLflow would show its run as running for ever.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import uuid
from pathlib import Path

from zoo_mlflow import state

# It reads to the end of a pipe that only the other process holds open, and imports nothing before.
_PROGRAM = """
import sys
given, said = sys.stdin.buffer.readline(), sys.stdin.buffer.read()
if not said:
    from zoo_mlflow.watch import broken_off
    broken_off(given)
"""


class Watch:
    """A process that watches this one, and marks the run as killed if this one ends before `end` is called."""

    def __init__(self, path: Path, run_id: str, tracking_uri: str) -> None:
        mine = uuid.uuid4().hex
        state.write(path, state.State(run_id, mine))
        nowhere = subprocess.DEVNULL
        command = [sys.executable, "-P", "-c", _PROGRAM]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=nowhere, stderr=nowhere, start_new_session=True
        )
        given = {"path": str(path.resolve()), "process": mine, "uri": tracking_uri}
        self._say(json.dumps(given).encode() + b"\n")  # not as arguments, which everybody on the machine can read

    def end(self) -> None:
        """The run is reported, or as good as: it was not broken off."""
        self._say(b"reported")
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.wait(5)

    def _say(self, message: bytes) -> None:
        with contextlib.suppress(OSError, ValueError):  # it was killed, or has ended
            assert self._process.stdin is not None
            self._process.stdin.write(message)
            self._process.stdin.flush()


def broken_off(line: bytes) -> None:
    """Mark the run as killed, unless another process has gone on with it."""
    given = json.loads(line)
    path = Path(given["path"])
    if state.read(path).process != given["process"]:
        return
    import mlflow

    client = mlflow.MlflowClient(tracking_uri=given["uri"])
    if (now := state.read(path)).process == given["process"]:  # importing takes seconds
        client.set_terminated(now.run_id, "KILLED")
