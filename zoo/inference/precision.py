"""In which numeric type a network computes."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, get_args

from zoo.errors import BadPlan

Precision = Literal["auto", "float32", "bfloat16"]

_CPU_FLAGS = {"avx512_bf16", "amx_bf16"}


def check_precision(name: str) -> Precision:
    """`name`; raises `BadPlan` where there is no such precision."""
    if name not in get_args(Precision):
        raise BadPlan(f"--precision {name}: give {', '.join(get_args(Precision))}.")
    return name  # type: ignore[return-value]


def resolve(precision: Precision) -> Precision:
    """What "auto" means on this machine: bfloat16 where its processor multiplies in it, else float32."""
    if precision != "auto":
        return precision
    import tensorflow as tf

    return "float32" if tf.config.list_physical_devices("GPU") or not _has_bfloat16() else "bfloat16"


@functools.cache
def _has_bfloat16() -> bool:
    """As Linux tells of the processor; elsewhere it is not known, and taken for no."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    return any(_CPU_FLAGS & set(line.split()) for line in lines if line.startswith("flags"))


@contextmanager
def computing_in(precision: Precision) -> Iterator[None]:
    """Let TensorFlow rewrite the graphs that are run in the block: products and convolutions in `precision`.

    Inputs, outputs and variables keep their type (oneDNN's automatic mixed precision). It holds for this thread.
    """
    import tensorflow as tf

    if precision != "bfloat16":
        yield
        return
    option = "auto_mixed_precision_onednn_bfloat16"
    before = tf.config.optimizer.get_experimental_options().get(option, False)
    tf.config.optimizer.set_experimental_options({option: True})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({option: before})
