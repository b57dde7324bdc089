"""The options for running a network that is not being trained: engine and precision."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from zoo.errors import BadPlan

Precision = Annotated[
    Literal["auto", "float32", "bfloat16", "float16"], Meta(description="The numeric type to compute in.")
]
Engine = Annotated[Literal["auto", "tensorflow", "openvino"], Meta(description="What runs the frozen part.")]

_BFLOAT16, _FLOAT16 = {"avx512_bf16", "amx_bf16"}, {"avx512_fp16", "amx_fp16"}  # as Linux calls them


class Inference(msgspec.Struct, frozen=True):
    """How to run a network. Raises `BadPlan` for an engine that is not installed."""

    precision: Precision = "auto"
    engine: Engine = "auto"

    def __post_init__(self) -> None:
        if self.engine == "openvino" and not _has_openvino():
            raise BadPlan("--engine openvino: OpenVINO is not installed. To install it: pip install 'tfzoo[openvino]'")

    def resolved(self) -> Inference:
        """The same options, with "auto" replaced by what it means on this machine. Starts TensorFlow.

        OpenVINO if it is installed and there is no GPU, otherwise TensorFlow; float16 on a GPU, bfloat16 if the
        processor can multiply in it, otherwise float32. Raises `BadPlan` for float16 if nothing computes in it.
        """
        gpu = on_gpu()
        engine = self.engine
        if engine == "auto":
            engine = "openvino" if _has_openvino() and not gpu else "tensorflow"
        precision = self.precision
        if precision == "auto":
            half: Precision = "float16" if engine == "tensorflow" else "float32"
            precision = half if gpu else "bfloat16" if _processor() & _BFLOAT16 else "float32"
        if precision == "float16" and not (gpu if engine == "tensorflow" else _processor() & _FLOAT16):
            where = "a GPU" if engine == "tensorflow" else "processors with AVX512-FP16"
            raise BadPlan(f"--precision float16: {engine} computes in it only on {where}. Give bfloat16 or float32.")
        return Inference(precision, engine)


def on_gpu() -> bool:
    """Whether TensorFlow uses a GPU."""
    import tensorflow as tf

    return bool(tf.config.get_visible_devices("GPU"))


@functools.cache
def _processor() -> set[str]:
    """The processor's features, as Linux lists them; empty on other systems."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    return next((set(line.split()) for line in lines if line.startswith("flags")), set())


def _has_openvino() -> bool:
    return importlib.util.find_spec("openvino") is not None
