"""Starting TensorFlow: it takes seconds, and says things on standard error that are of no use to a person."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from zoo.progress import step


def start() -> None:
    """Import TensorFlow and Keras, showing that something is happening. `ZOO_DEBUG=1` lets its messages through."""
    if "keras" in sys.modules:
        return
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with step("Starting TensorFlow", None, "") as _, _without_native_messages():
        import keras  # noqa: F401
        import tensorflow as tf

        tf.config.list_physical_devices()

    if os.environ.get("ZOO_DEBUG") != "1":
        tf.get_logger().setLevel("ERROR")


@contextmanager
def _without_native_messages() -> Iterator[None]:
    """Send what native code writes to file descriptor 2 to nowhere, while Python's own `sys.stderr` still works."""
    if os.environ.get("ZOO_DEBUG") == "1":
        yield
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
