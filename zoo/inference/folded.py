"""TensorFlow's own engine: variables are constants, so that batch normalization is fused into convolutions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from zoo.inference.how import Precision

if TYPE_CHECKING:
    import keras

# Rewritings of the graph, on top of those that are always made
_REWRITING = {
    "bfloat16": "auto_mixed_precision_onednn_bfloat16",  # on processors
    "float16": "auto_mixed_precision",  # on GPUs
}


class Folded:
    """A concrete function of one batch, as an inference graph in `precision`; on a GPU perhaps compiled by XLA."""

    def __init__(self, function: Any, precision: Precision, *, xla: bool = False) -> None:
        self._function, self._precision, self._xla = function, precision, xla

    def __call__(self, batch: Any) -> Any:
        """Numpy arrays, nested as the function's outputs."""
        import tensorflow as tf

        with computing_in(self._precision, self._xla):
            return tf.nest.map_structure(lambda tensor: tensor.numpy(), self._function(batch))


def trace(model: keras.Model, spec: Any) -> Any:
    """A concrete function of one batch: the model in inference mode, with its variables."""
    import tensorflow as tf

    @tf.function(input_signature=[spec])  # type: ignore[untyped-decorator]
    def infer(batch: Any) -> Any:
        return model(batch, training=False)

    return infer.get_concrete_function()


def trace_constant(model: keras.Model, spec: Any) -> Any:
    """The same with constants of the variables' present values."""
    import keras
    import tensorflow as tf

    values = [(variable, keras.ops.convert_to_numpy(variable)) for variable in model.variables]

    @tf.function(input_signature=[spec])  # type: ignore[untyped-decorator]
    def infer(batch: Any) -> Any:
        with keras.StatelessScope(state_mapping=[(variable, tf.constant(value)) for variable, value in values]):
            return model(batch, training=False)

    return infer.get_concrete_function()


def holds_functions(function: Any) -> bool:
    """Whether a network that is no longer Keras's, a SavedModel's function, is called in a concrete function.

    Its variables cannot be told from outside. Folding it by TensorFlow's `convert_variables_to_constants_v2`
    takes 6 s for MiniLM, and gains nothing in float32, a quarter in bfloat16.
    """
    return any("PartitionedCall" in operation.type for operation in function.graph.get_operations())


@contextmanager
def computing_in(precision: Precision, xla: bool = False) -> Iterator[None]:
    """Let TensorFlow rewrite the graphs that are run in the block: products and convolutions in `precision`.

    Inputs, outputs and variables keep their type. Arithmetic is not rewritten: that turns the bias and the shortcut of
    a residual block into one sum, which then is fused into no convolution (ResNet50 took 2.7 times as long).
    """
    import tensorflow as tf

    options = {"arithmetic_optimization": False}
    if precision in _REWRITING:
        options[_REWRITING[precision]] = True
    settings = tf.config.optimizer
    before, jit = settings.get_experimental_options(), settings.get_jit()
    settings.set_experimental_options(options)
    settings.set_jit("autoclustering" if xla else False)
    try:
        yield
    finally:
        settings.set_experimental_options({name: before.get(name, not value) for name, value in options.items()})
        settings.set_jit(jit or False)


def input_names(function: Any) -> list[str]:
    """The names of a concrete function's inputs, as `tf.nest.flatten` orders them, without what it captures."""
    own = function.inputs[: len(function.inputs) - len(function.captured_inputs)]
    return [tensor.name.partition(":")[0] for tensor in own]
