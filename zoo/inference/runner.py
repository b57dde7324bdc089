"""Runs a network that is not being trained, with the fastest engine and precision that are accurate enough."""

from __future__ import annotations

import functools
import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from zoo.inference.folded import Folded, holds_functions, trace, trace_constant
from zoo.inference.openvino import OpenVino
from zoo.inference.options import Engine, Inference, Precision, on_gpu
from zoo.progress import say

if TYPE_CHECKING:
    import keras
    import numpy as np

LARGEST = 1_500_000_000  # bytes of weights; a graph, including its constants, is limited to 2 GB
CHECKED = 8  # examples
LAST_RESORT = ("tensorflow", "float32")
BOUNDS = {"bfloat16": 0.05, "float16": 0.05, "float32": 0.001}  # as a share of a feature's length
_TRIALS = 3


class Runner:
    """Runs `model` with its current weights, in inference mode, on batches of the given spec; returns numpy arrays.

    Before the first batch, up to `CHECKED` of its examples are also computed by the model itself in float32. If a row
    of an output differs from that by more than the share of its length in `BOUNDS`, float32 replaces the smaller type;
    if it still differs, TensorFlow replaces OpenVINO. Both give a message. On a GPU, XLA is used if it is faster on the
    first batch. Thread-safe.
    """

    def __init__(self, model: keras.Model, spec: Any, options: Inference, fold: bool = True) -> None:
        self._model, self._spec = model, spec
        self._fold = fold and sum(4 * math.prod(weight.shape) for weight in model.weights) <= LARGEST
        options = options.resolved()
        self.precision: Precision = options.precision
        self.engine: Engine = options.engine
        self._settling = threading.Lock()
        self._converted: Any = None
        self._run: Callable[[Any], Any] | None = None

    @functools.cached_property
    def _exact(self) -> Any:
        return trace(self._model, self._spec)

    @functools.cached_property
    def _constant(self) -> Any:
        if not self._fold or holds_functions(self._exact):
            return self._exact
        return trace_constant(self._model, self._spec)

    def __call__(self, batch: Any) -> Any:
        return self.settled(batch)(batch)

    def settled(self, batch: Any) -> Callable[[Any], Any]:
        """The function to run; the first call decides which, on some examples of the batch."""
        import tensorflow as tf

        with self._settling:
            while self._run is None:
                run = self._start()
                if run is None:
                    continue
                some = tf.nest.map_structure(lambda array: array[:CHECKED], batch)
                if (self.engine, self.precision) == LAST_RESORT or self._near(run, some):
                    self._run = self._compiled_where_faster(run, batch)
            return self._run

    def _compiled_where_faster(self, run: Callable[[Any], Any], batch: Any) -> Callable[[Any], Any]:
        if self.engine != "tensorflow" or not self._fold or not on_gpu():
            return run
        return fastest([run, Folded(self._constant, self.precision, xla=True)], batch)

    def _start(self) -> Callable[[Any], Any] | None:
        """Start the engine in the precision; if it cannot run the network, switch to another engine and return None."""
        if self.engine == "tensorflow":
            return Folded(self._constant, self.precision)
        try:
            self._converted = self._converted or OpenVino.convert(self._exact)
            return OpenVino(self._exact, self._converted, self.precision)
        except Exception as error:  # whatever OpenVINO raises for an operation that it does not support
            reason = str(error).strip().partition("\n")[0]
            say(f"OpenVINO cannot run this network ({reason}), so TensorFlow is used.")
            self.engine = "tensorflow"
            return None

    def _near(self, run: Callable[[Any], Any], some: Any) -> bool:
        """Whether the results of `run` are close enough to float32; if not, switch to something more accurate."""
        import tensorflow as tf

        exact = Folded(self._exact, "float32")
        pairs = zip(tf.nest.flatten(run(some)), tf.nest.flatten(exact(some)), strict=True)
        worst = max(_distance(*pair) for pair in pairs)
        if worst <= BOUNDS[self.precision]:
            return True
        if self.precision != "float32":
            say(f"The features in {self.precision} differ by {worst:.1%} from those in float32, so float32 is used.")
            self.precision = "float32"
        else:
            say(f"OpenVINO's features differ by {worst:.1%} from TensorFlow's, so TensorFlow is used.")
            self.engine = "tensorflow"
        return False


def fastest(sides: Sequence[Callable[[Any], Any]], batch: Any) -> Callable[[Any], Any]:
    """The function that takes the least time for a batch, after one call to warm up."""
    times: dict[int, float] = {}
    for number, side in enumerate(sides):
        side(batch)
        start = time.perf_counter()
        for _ in range(_TRIALS):
            side(batch)
        times[number] = time.perf_counter() - start
    return sides[min(times, key=times.__getitem__)]


def _distance(fast: np.ndarray, exact: np.ndarray) -> float:
    """The largest distance between two rows, as a share of the exact row's length; infinite if one contains NaN."""
    import numpy as np

    if fast.shape != exact.shape:
        return math.inf
    a, b = (array.reshape(len(array), -1).astype("float64") for array in (fast, exact))
    shares = np.linalg.norm(a - b, axis=1) / np.maximum(np.linalg.norm(b, axis=1), 1e-12)
    return math.inf if np.isnan(shares).any() else float(shares.max(initial=0.0))
