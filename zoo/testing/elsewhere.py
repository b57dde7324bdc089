"""Another process, in which models that were saved are loaded and called."""

from __future__ import annotations

import functools
import json
import subprocess
import sys

_LOADER = """
import json, sys
from pathlib import Path
import numpy as np
from zoo.runs.model_file import load_model
for line in sys.stdin:
    name, path, given, out = json.loads(line)
    try:
        import tensorflow as tf
        model = load_model(Path(path), name)
        np.savez(out, **{key: np.asarray(value) for key, value in model(tf.constant(np.load(given))).items()})
        answer = ""
    except Exception as error:
        answer = f"{type(error).__name__}: {error}"
    print(json.dumps(answer), flush=True)
"""


def load_elsewhere(*job: object) -> str:
    """Let another process load and call a model; returns the reason if it cannot, otherwise ""."""
    loader = _loader()
    assert loader.stdin is not None
    assert loader.stdout is not None
    try:
        loader.stdin.write(json.dumps([str(part) for part in job]) + "\n")
        loader.stdin.flush()
        return str(json.loads(loader.stdout.readline()))
    except (OSError, ValueError):
        _loader.cache_clear()
        return "the process that loads it crashes"


@functools.cache
def _loader() -> subprocess.Popen[str]:
    """One process for all backbones, because starting TensorFlow takes longer than loading a model."""
    command = [sys.executable, "-P", "-c", _LOADER]
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    # It ends when its input does, which is when this process ends.
    return subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe, stderr=nowhere)
