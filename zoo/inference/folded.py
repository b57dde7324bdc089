"""TensorFlow as the engine: variables become constants, so that batch normalization is fused into convolutions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from zoo.inference.options import Precision

if TYPE_CHECKING:
    import keras

# Rewritings of the graph, besides those that TensorFlow always makes
_REWRITING = {
    "bfloat16": "auto_mixed_precision_onednn_bfloat16",  # on processors
    "float16": "auto_mixed_precision",  # on GPUs
}


class Folded:
    """A concrete function of one batch, as an inference graph in `precision`, compiled by XLA on request.

    TensorFlow rewrites the graph at the first call and keeps the result. The options for that are part of the call:
    the global ones are neither read nor changed. Thread-safe.

    Arithmetic optimization is off: it merges the bias and the shortcut of a residual block into one sum, which can no
    longer be fused into a convolution (ResNet50 took 2.7 times as long).
    """

    def __init__(self, function: Any, precision: Precision, *, xla: bool = False) -> None:
        from tensorflow.core.protobuf import config_pb2, rewriter_config_pb2

        config, on_off = config_pb2.ConfigProto(), rewriter_config_pb2.RewriterConfig
        rewriting, optimizer = config.graph_options.rewrite_options, config.graph_options.optimizer_options
        config.allow_soft_placement = True
        rewriting.arithmetic_optimization = on_off.OFF
        if precision in _REWRITING:
            setattr(rewriting, _REWRITING[precision], on_off.ON)
        if xla:
            optimizer.global_jit_level = optimizer.ON_1
        self._function, self._config = function, config.SerializeToString()

    def __call__(self, batch: Any) -> Any:
        """Run a batch; returns numpy arrays, nested like the function's outputs."""
        import tensorflow as tf

        function = self._function
        inputs = [tf.convert_to_tensor(array) for array in tf.nest.flatten(batch)]
        results = tf.raw_ops.StatefulPartitionedCall(
            args=[*inputs, *function.captured_inputs],
            Tout=[tensor.dtype for tensor in function.outputs],
            f=function,
            config_proto=self._config,
        )
        arrays = [tensor.numpy() for tensor in results]
        return tf.nest.pack_sequence_as(function.structured_outputs, arrays)


def trace(model: keras.Model, spec: Any) -> Any:
    """The model in inference mode as a concrete function of one batch, with its variables."""
    import tensorflow as tf

    @tf.function(input_signature=[spec])  # type: ignore[untyped-decorator]
    def infer(batch: Any) -> Any:
        return model(batch, training=False)

    return infer.get_concrete_function()


def trace_constant(model: keras.Model, spec: Any) -> Any:
    """The same, with the current values of the variables as constants."""
    import keras
    import tensorflow as tf

    values = [(variable, keras.ops.convert_to_numpy(variable)) for variable in model.variables]

    @tf.function(input_signature=[spec])  # type: ignore[untyped-decorator]
    def infer(batch: Any) -> Any:
        with keras.StatelessScope(state_mapping=[(variable, tf.constant(value)) for variable, value in values]):
            return model(batch, training=False)

    return infer.get_concrete_function()


def holds_functions(function: Any) -> bool:
    """Whether a concrete function calls a network that is not made of Keras layers: a function of a SavedModel.

    Its variables cannot be replaced from outside. Folding it with TensorFlow's `convert_variables_to_constants_v2`
    takes 6 s for MiniLM, and saves no time in float32 and a quarter in bfloat16.
    """
    return any("PartitionedCall" in operation.type for operation in function.graph.get_operations())


@contextmanager
def training_in(precision: Precision) -> Iterator[None]:
    """A context in which TensorFlow computes the products and convolutions of training steps in `precision`.

    Inputs, outputs and variables keep their types. Sets global options of the process, for `keras.Model.fit`.
    """
    import tensorflow as tf

    options = {"arithmetic_optimization": False}  # as in `Folded`
    if precision in _REWRITING:
        options[_REWRITING[precision]] = True
    settings = tf.config.optimizer
    before = settings.get_experimental_options()
    settings.set_experimental_options(options)
    try:
        yield
    finally:
        settings.set_experimental_options({name: before.get(name, not value) for name, value in options.items()})


def input_names(function: Any) -> list[str]:
    """The names of a concrete function's inputs without captured ones, in the order of `tf.nest.flatten`."""
    own = function.inputs[: len(function.inputs) - len(function.captured_inputs)]
    return [tensor.name.partition(":")[0] for tensor in own]
