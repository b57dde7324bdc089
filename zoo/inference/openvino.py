"""OpenVINO as the engine: faster than TensorFlow on Intel and AMD processors. Needs the extra `tfzoo[openvino]`."""

from __future__ import annotations

import functools
import threading
from typing import Any

from zoo.inference.folded import input_names
from zoo.inference.options import Precision

_HINTS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}


@functools.cache
def _core() -> Any:
    """The one Core of this process, which never ends.

    Each Core gives its thread a stack for signals. When a second one ends, it puts back that of the first; if that has
    ended too, the memory belongs to something else by now, and the next signal, such as Ctrl-C, destroys it.
    """
    import openvino

    return openvino.Core()


class OpenVino:
    """A concrete function of one batch, compiled for the processor. Lets OpenVINO's own errors through."""

    @staticmethod
    def convert(function: Any) -> Any:
        """The function in OpenVINO's own form, for all precisions."""
        import openvino

        return openvino.convert_model(function)

    def __init__(self, function: Any, converted: Any, precision: Precision) -> None:
        self._outputs = function.structured_outputs
        place = {name.partition(":")[0]: i for i, port in enumerate(converted.inputs) for name in port.get_names()}
        self._places = [place[name] for name in input_names(function)]
        settings = {"INFERENCE_PRECISION_HINT": _HINTS[precision], "PERFORMANCE_HINT": "LATENCY"}
        self._alone = threading.Lock()  # a compiled model handles one request at a time
        self._compiled = _core().compile_model(converted, "CPU", settings)

    def __call__(self, batch: Any) -> Any:
        """Run a batch; returns numpy arrays, nested like the function's outputs."""
        import numpy as np
        import tensorflow as tf

        given = dict(zip(self._places, map(np.asarray, tf.nest.flatten(batch)), strict=True))
        with self._alone:
            results = self._compiled(given, share_inputs=True)
            arrays = [results[port].copy() for port in self._compiled.outputs]
        return tf.nest.pack_sequence_as(self._outputs, arrays)
