"""Another process that does one job after the other, because starting TensorFlow takes longer than most jobs."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any


class Helper:
    """A process of a Python that runs `program`, which answers each line of JSON by one; it ends when this one does.

    variables  of its environment, besides those of this process
    """

    def __init__(self, python: str | Path, program: str, **variables: str) -> None:
        pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
        command, environment = [python, "-P", "-c", program], os.environ | variables
        self._process = subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe, stderr=nowhere, env=environment)

    def ask(self, *job: object) -> Any:
        """The answer to a job, whose parts become text. Raises `EOFError` if the process crashes; it is ended then."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps([str(part) for part in job]) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())
        except (OSError, ValueError):
            self._process.kill()
            self._process.wait()
            raise EOFError from None
