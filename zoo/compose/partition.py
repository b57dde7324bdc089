"""Divides a composed model into the frozen part and the part that is trained."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.compose.model import Composed

if TYPE_CHECKING:
    import keras


_KEPT = ("float32", "float16", "int32")  # types of features that come back from the cache as they were


@dataclass(frozen=True)
class Partition:
    """Two models that together are the same as `Composed.from_prepared`, and share its weights.

    front  the frozen part: turns prepared input into {name: tensor}
    tail   the trained part: turns that into outputs
    """

    front: keras.Model
    tail: keras.Model

    @functools.cached_property
    def work(self) -> float:
        """Approximate multiplications in the front for one example; if lengths vary, for one position."""
        return sum(map(_work, _flat(self.front)[1]))


def partition(composed: Composed) -> Partition | None:
    """Divide the model before the first layer that is currently trainable.

    None if there is nothing to compute before it, or if its type is none in which features are kept. Functional models
    inside the network are divided too, single layers are not.
    """
    import keras

    names = list(composed.head.input)
    network = composed.network
    if not network.trainable_weights:
        return Partition(frozen_front(network, names), composed.from_features)
    flat, steps = _flat(frozen_front(network, names))
    edge = _edge(flat, steps)
    inputs = {id(tensor) for tensor in flat.inputs}
    if all(id(tensor) in inputs for tensor in edge) or not all(tensor.dtype in _KEPT for tensor in edge):
        return None
    cut = {f"part_{i}": tensor for i, tensor in enumerate(edge)}
    front = keras.Model(flat.input, cut, name="front")
    rest = keras.Model(list(cut.values()), flat.output, name="rest")
    entry = {name: keras.Input(t.shape[1:], dtype=t.dtype, name=name) for name, t in cut.items()}
    tail = keras.Model(entry, composed.head(rest(list(entry.values()))), name="tail")
    divided = Partition(front, tail)
    return divided if divided.work else None


def frozen_front(network: keras.Model, names: Sequence[str]) -> keras.Model:
    """The front of a network of which nothing is trained: all of it, with these features."""
    import keras

    return keras.Model(network.input, {name: network.output[name] for name in names}, name="front")


@dataclass(frozen=True)
class _Step:
    """A call of a layer or operation, with the tensors that it takes and returns."""

    operation: Any
    inputs: list[keras.KerasTensor]
    outputs: list[keras.KerasTensor]


def _flat(model: keras.Model) -> tuple[keras.Model, list[_Step]]:
    """The same layers, without models nested inside the model; and its steps, from input to output."""
    import keras

    entry = keras.tree.map_structure(lambda t: keras.Input(t.shape[1:], dtype=t.dtype, name=t.name), model.input)
    steps: list[_Step] = []
    return keras.Model(entry, _called(model, entry, steps), name="flat"), steps


def _called(model: keras.Model, entry: Any, steps: list[_Step]) -> Any:
    """What the layers of a functional model make of `entry`; adds the steps."""
    import keras

    def call(operation: Any, *given: Any, **named: Any) -> Any:
        if isinstance(operation, _functional()):
            return _called(operation, keras.tree.pack_sequence_as(operation.input, _tensors(given)), steps)
        outputs = operation(*given, **named)
        steps.append(_Step(operation, _tensors((given, named)), _tensors(outputs)))
        return outputs

    clone = keras.models.clone_model(model, entry, clone_function=lambda operation: operation, call_function=call)
    return clone.output


@functools.cache
def _functional() -> type[Any]:
    """The class of functional models, which Keras does not name in public."""
    import keras

    entry = keras.Input((1,))
    return type(keras.Model(entry, keras.layers.Identity()(entry)))


def _tensors(given: Any) -> list[keras.KerasTensor]:
    import keras

    return [part for part in keras.tree.flatten(given) if isinstance(part, keras.KerasTensor)]


def _edge(model: keras.Model, steps: Sequence[_Step]) -> list[Any]:
    """The tensors that depend on no trained layer, and that a trained layer or the output needs; each once."""
    frozen = {id(tensor): tensor for tensor in model.inputs}
    needed: dict[int, Any] = {}
    for step in steps:
        trained = bool(getattr(step.operation, "trainable_weights", ()))
        if not trained and all(id(tensor) in frozen for tensor in step.inputs):
            frozen |= {id(tensor): tensor for tensor in step.outputs}
        else:
            needed |= {id(tensor): tensor for tensor in step.inputs if id(tensor) in frozen}
    needed |= {id(tensor): tensor for tensor in model.outputs if id(tensor) in frozen}
    return list(needed.values())


def _work(step: _Step) -> float:
    """The work of products and convolutions: output positions times kernel size. An embedding lookup counts as none."""
    import keras

    layer = step.operation
    if isinstance(layer, keras.layers.Embedding) or not isinstance(layer, keras.layers.Layer):
        return 0.0
    positions = math.prod(size or 1 for size in step.outputs[0].shape[1:-1])
    return float(positions * sum(math.prod(w.shape) for w in layer.weights if len(w.shape) > 1))
