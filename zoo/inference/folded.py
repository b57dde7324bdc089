"""A network as an inference graph: variables are constants, so that batch normalization is fused into convolutions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from zoo.inference.precision import Precision, computing_in, resolve
from zoo.progress import say

if TYPE_CHECKING:
    import keras
    import numpy as np

LARGEST = 1_500_000_000  # bytes of weights; a graph with its constants is limited to 2 GB
CHECKED = 8  # examples
BOUND = 0.05  # of a feature's length


class Folded:
    """Calls `model` as it is now, in inference mode: a batch of the given spec -> numpy arrays, nested as its output.

    Before the first batch, as many as `CHECKED` of its examples are also computed in float32 by the model itself. Where
    a row of an output lies further from that than `BOUND` of its length, float32 is used from then on, and said.
    """

    def __init__(self, model: keras.Model, spec: Any, precision: Precision = "auto") -> None:
        import tensorflow as tf

        @tf.function(input_signature=[spec])  # type: ignore[untyped-decorator]
        def infer(batch: tf.Tensor) -> tf.Tensor:
            return model(batch, training=False)

        self._exact = infer.get_concrete_function()
        self._folded = _fold(self._exact) if _bytes(model) <= LARGEST else None
        self.precision = resolve(precision)
        self._checked = self.precision == "float32"

    def __call__(self, batch: Any) -> Any:
        import tensorflow as tf

        self.settle(batch)
        with computing_in(self.precision):
            return tf.nest.map_structure(lambda tensor: tensor.numpy(), self._run(batch))

    def _run(self, batch: Any) -> Any:
        import tensorflow as tf

        if self._folded is None:
            return self._exact(batch)
        names = [tensor.name.partition(":")[0] for tensor in self._folded.inputs]
        given = dict(zip(self._names(), tf.nest.flatten(batch), strict=True))
        outputs = self._folded(**{name: given[name] for name in names})
        return tf.nest.pack_sequence_as(self._exact.structured_outputs, outputs)

    def _names(self) -> list[str]:
        captured = len(self._exact.captured_inputs)
        inputs = self._exact.inputs[: len(self._exact.inputs) - captured]
        return [tensor.name.partition(":")[0] for tensor in inputs]

    def settle(self, batch: Any) -> Precision:
        """Find out on some examples in which precision to compute, where that is not known yet."""
        import tensorflow as tf

        if self._checked:
            return self.precision
        some = tf.nest.map_structure(lambda tensor: tensor[:CHECKED], batch)
        exact = tf.nest.flatten(self._exact(some))
        with computing_in(self.precision):
            fast = tf.nest.flatten(self._run(some))
        worst = max(_distance(a.numpy(), b.numpy()) for a, b in zip(fast, exact, strict=True))
        if not worst <= BOUND:
            say(f"In {self.precision} the features differ by {worst:.1%} from those in float32: float32 is used.")
            self.precision = "float32"
        self._checked = True
        return self.precision


def _distance(fast: np.ndarray, exact: np.ndarray) -> float:
    """The largest distance of two rows, as a share of the length of the exact one."""
    import numpy as np

    a, b = (array.reshape(len(array), -1).astype("float64") for array in (fast, exact))
    return float(np.max(np.linalg.norm(a - b, axis=1) / np.maximum(np.linalg.norm(b, axis=1), 1e-12), initial=0.0))


def _bytes(model: keras.Model) -> int:
    return sum(4 * math.prod(weight.shape) for weight in model.weights)


def _fold(function: Any) -> Any:
    """The function with its variables turned into constants, or None where it holds something that cannot be."""
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    try:
        return convert_variables_to_constants_v2(function)
    except (ValueError, NotImplementedError, RuntimeError, KeyError):
        return None
