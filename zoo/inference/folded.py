"""TensorFlow's own engine: variables are constants, so that batch normalization is fused into convolutions."""

from __future__ import annotations

from typing import Any

from zoo.inference.precision import Precision, computing_in


class Folded:
    """A concrete function of one batch, as an inference graph in `precision`."""

    def __init__(self, function: Any, precision: Precision, fold: bool = True) -> None:
        self._function, self._precision = function, precision
        self._folded = _fold(function) if fold else None

    def __call__(self, batch: Any) -> Any:
        """Numpy arrays, nested as the function's outputs."""
        import tensorflow as tf

        with computing_in(self._precision):
            return tf.nest.map_structure(lambda tensor: tensor.numpy(), self._run(batch))

    def _run(self, batch: Any) -> Any:
        import tensorflow as tf

        if self._folded is None:
            return self._function(batch)
        given = dict(zip(input_names(self._function), tf.nest.flatten(batch), strict=True))
        outputs = self._folded(**{name: given[name] for name in input_names(self._folded)})
        return tf.nest.pack_sequence_as(self._function.structured_outputs, outputs)


def input_names(function: Any) -> list[str]:
    """The names of a concrete function's inputs, as `tf.nest.flatten` orders them, without what it captures."""
    own = function.inputs[: len(function.inputs) - len(function.captured_inputs)]
    return [tensor.name.partition(":")[0] for tensor in own]


def _fold(function: Any) -> Any:
    """The function with its variables turned into constants, or None where it holds something that cannot be."""
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    try:
        return convert_variables_to_constants_v2(function)
    except (ValueError, NotImplementedError, RuntimeError, KeyError):
        return None
