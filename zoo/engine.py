"""Starting TensorFlow: it takes seconds, and says things on standard error that are of no use to a person."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, TextIO

from msgspec import Meta

from zoo.errors import ZooError
from zoo.progress import progress

Device = Annotated[
    str,
    Meta(
        pattern=r"^(auto|cpu|gpu(:\d+)?)$",
        description="What to compute on: auto takes a GPU where TensorFlow sees one.",
        extra={"metavar": "auto|cpu|gpu|gpu:N", "must": "auto, cpu, gpu, or one GPU by its number, such as gpu:0"},
    ),
]

# Of glibc's mallopt, M_TRIM_THRESHOLD, M_TOP_PAD and M_MMAP_THRESHOLD: nothing that is freed goes back, also of large
# blocks, and the process grows by 64 MB at a time. TensorFlow sets the first anew, to 128 KB, for data from generators.
_HEAP = {-1: 2**31 - 1, -2: 2**26, -3: 2**30}


def keep_heap() -> None:
    """Let this process keep the memory that it frees, where the C library can: for a process that is zoo's own.

    TensorFlow takes and frees hundreds of megabytes while it makes a graph, and the kernel would make each page anew.
    """
    import ctypes

    with contextlib.suppress(OSError, AttributeError, TypeError):  # not glibc
        mallopt = ctypes.CDLL(None).mallopt
        for parameter, value in _HEAP.items():
            mallopt(parameter, value)


def use_onednn() -> None:
    """Have TensorFlow, when it is imported, use oneDNN on any x86 processor. A value of the person's own stands.

    TensorFlow's own kernels are compiled without AVX2 and FMA; oneDNN's fit the processor, and by default are used on
    newer ones only.
    """
    if platform.machine() in {"x86_64", "AMD64"}:
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def start() -> None:
    """Import TensorFlow and Keras, showing that something is happening. `ZOO_DEBUG=1` lets its messages through.

    Raises `ZooError` where Keras is set to another backend than TensorFlow, or to channels before height and width.
    """
    if "keras" not in sys.modules:
        _import()
    import keras

    if keras.config.image_data_format() != "channels_last":
        raise ZooError(
            f"Keras is set to image_data_format={keras.config.image_data_format()!r}; zoo needs 'channels_last'. "
            "Set it in the file keras.json of Keras's folder, or with keras.config.set_image_data_format."
        )


def use(device: str) -> None:
    """Compute on a `Device` from now on; "auto" leaves it as it is.

    Raises `ZooError` where there is no such GPU, or TensorFlow has already started on another device.
    """
    if device == "auto":
        return
    start()
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    kind, _, number = device.partition(":")
    wanted = [] if kind == "cpu" else gpus[int(number) :][:1] if number else gpus
    if kind == "gpu" and not wanted:
        found = f"numbers 0 to {len(gpus) - 1}" if gpus else "none"
        raise ZooError(
            f"--device {device}: of such GPUs TensorFlow sees {found}. For an NVIDIA card it needs "
            "pip install 'tensorflow[and-cuda]'; `zoo doctor` shows what this machine has."
        )
    try:
        tf.config.set_visible_devices(wanted, "GPU")
    except RuntimeError:
        raise ZooError(f"--device {device}: TensorFlow already runs on another device; start a new process.") from None


def _import() -> None:
    backend = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    if backend != "tensorflow":
        raise ZooError(
            f"KERAS_BACKEND is {backend!r}; zoo needs TensorFlow: set KERAS_BACKEND=tensorflow, or unset it."
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
    """Send what native code writes to file descriptor 2 to nowhere, while `sys.stderr` still reaches the person."""
    if os.environ.get("ZOO_DEBUG") == "1":
        yield
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = os.environ.get("TF_CPP_MIN_LOG_LEVEL") or "3"
    with contextlib.ExitStack() as undo:
        real = os.dup(2)
        undo.callback(os.close, real)
        if _is_descriptor_2(sys.stderr):
            shown = undo.enter_context(os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace"))
            undo.enter_context(contextlib.redirect_stderr(shown))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        undo.callback(os.close, nowhere)
        os.dup2(nowhere, 2)
        undo.callback(os.dup2, real, 2)
        yield


def _is_descriptor_2(stream: TextIO) -> bool:
    try:
        return stream.fileno() == 2
    except (OSError, ValueError, AttributeError):
        return False  # a notebook's stream, or one that a test captures
