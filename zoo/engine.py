"""Starts TensorFlow, which takes seconds, and hides its messages on standard error, which are of no use to the user."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, TextIO

from msgspec import Meta

from zoo.errors import BadPlan, ZooError
from zoo.progress import progress

_DEVICES = r"^(auto|cpu|gpu(:\d+)?)$"
_MUST = "auto, cpu, gpu, or one GPU by its number, such as gpu:0"
Device = Annotated[
    str,
    Meta(
        pattern=_DEVICES,
        description="What to compute on; auto uses a GPU if TensorFlow sees one.",
        extra={"metavar": "auto|cpu|gpu|gpu:N", "must": _MUST},
    ),
]

# glibc's mallopt options M_TRIM_THRESHOLD, M_TOP_PAD and M_MMAP_THRESHOLD: freed memory, also of large blocks, is never
# returned, and the process grows by 64 MB at a time. TensorFlow resets the first to 128 KB for data from generators.
_HEAP = {-1: 2**31 - 1, -2: 2**26, -3: 2**30}


def keep_heap() -> None:
    """Let this process keep the memory that it frees, if the C library can. Only for processes that are zoo's own.

    TensorFlow takes and frees hundreds of megabytes while it builds a graph, and the kernel would clear each page anew.
    Arrow shares this heap, instead of keeping a second one.
    """
    import ctypes

    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    with contextlib.suppress(OSError, AttributeError, TypeError):  # not glibc
        mallopt = ctypes.CDLL(None).mallopt
        for parameter, value in _HEAP.items():
            mallopt(parameter, value)


def use_onednn() -> None:
    """Make TensorFlow use oneDNN on every x86 processor once it is imported, unless the user has set this already.

    TensorFlow's own kernels are compiled without AVX2 and FMA; oneDNN's are made for the processor, but by default are
    only used on newer ones.
    """
    if platform.machine() in {"x86_64", "AMD64"}:
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


_starting = threading.Lock()


def start() -> None:
    """Import TensorFlow and Keras, with a progress display. `ZOO_DEBUG=1` lets TensorFlow's messages through.

    Raises `ZooError` if Keras is set to another backend than TensorFlow, or to channels before height and width.
    """
    with _starting:
        if "keras" not in sys.modules:
            _import()
    import keras

    if keras.config.image_data_format() != "channels_last":
        raise ZooError(
            f"Keras is set to image_data_format={keras.config.image_data_format()!r}, but zoo needs 'channels_last'. "
            "Set that in Keras's keras.json, or with keras.config.set_image_data_format."
        )


def use(device: str) -> None:
    """Compute on a `Device` from now on; "auto" leaves the devices as this process has them.

    Raises `BadPlan` if it is not a `Device`; `ZooError` if there is no such GPU, or TensorFlow has already started on
    another device.
    """
    if not isinstance(device, str) or not re.match(_DEVICES, device):
        raise BadPlan(f"--device {device}: it must be {_MUST}.")
    if device == "auto":
        return
    start()
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    kind, _, number = device.partition(":")
    wanted = [] if kind == "cpu" else gpus[int(number) :][:1] if number else gpus
    if kind == "gpu" and not wanted:
        found = f"GPUs 0 to {len(gpus) - 1}" if gpus else "none"
        raise ZooError(
            f"--device {device}: there is no such GPU, TensorFlow sees {found}. An NVIDIA card needs: "
            "pip install 'tensorflow[and-cuda]'. To see what this machine has: zoo doctor"
        )
    try:
        tf.config.set_visible_devices(wanted, "GPU")
    except RuntimeError:
        raise ZooError(f"--device {device}: TensorFlow already uses another device. Start a new process.") from None


def _import() -> None:
    backend = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    if backend != "tensorflow":
        raise ZooError(
            f"KERAS_BACKEND is {backend!r}, but zoo needs TensorFlow. Set KERAS_BACKEND=tensorflow, or unset it."
        )
    use_onednn()
    with _without_native_messages(), progress("Starting TensorFlow", None, ""):
        import keras  # noqa: F401
        import tensorflow as tf

        tf.config.list_physical_devices()

    if os.environ.get("ZOO_DEBUG") != "1":
        tf.get_logger().setLevel("ERROR")


@contextmanager
def _without_native_messages() -> Iterator[None]:
    """Discard what native code writes to file descriptor 2, while `sys.stderr` still reaches the user."""
    if os.environ.get("ZOO_DEBUG") == "1" or not _has_descriptor_2():
        yield
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = os.environ.get("TF_CPP_MIN_LOG_LEVEL") or "3"
    with contextlib.ExitStack() as undo:
        real = os.dup(2)
        undo.callback(os.close, real)
        if _is_descriptor_2(sys.stderr):
            # It stays open, because loggers that are made meanwhile keep it.
            shown = os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace")
            undo.enter_context(contextlib.redirect_stderr(shown))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        undo.callback(os.close, nowhere)
        os.dup2(nowhere, 2)
        undo.callback(os.dup2, real, 2)
        yield


def _has_descriptor_2() -> bool:
    try:
        os.fstat(2)
    except OSError:
        return False
    return True


def _is_descriptor_2(stream: TextIO) -> bool:
    try:
        return stream.fileno() == 2
    except (OSError, ValueError, AttributeError):
        return False  # the stream of a notebook, or one that captures output for a test
