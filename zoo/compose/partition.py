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
    steps  those of the front, if they are known already
    """

    front: keras.Model
    tail: keras.Model
    steps: Sequence[_Step] | None = None

    @functools.cached_property
    def work(self) -> float:
        """Approximate multiplications in the front for one example; if lengths vary, for one position."""
        return sum(map(_work, _flat(self.front).steps if self.steps is None else self.steps))


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
    flat = _flat(frozen_front(network, names))
    frozen, edge = _frozen(flat)
    inputs = set(map(id, _tensors(flat.entry)))
    if all(id(tensor) in inputs for tensor in edge) or not all(tensor.dtype in _KEPT for tensor in edge):
        return None
    cut = {f"part_{i}": tensor for i, tensor in enumerate(edge)}
    front = keras.Model(flat.entry, cut, name="front")
    ready = set(map(id, edge))  # Keras makes no model in which an inner tensor is input and output at once
    ends = keras.tree.map_structure(lambda t: keras.layers.Identity()(t) if id(t) in ready else t, flat.outputs)
    rest = keras.Model(list(cut.values()), ends, name="rest")
    entry = {name: keras.Input(t.shape[1:], dtype=t.dtype, name=name) for name, t in cut.items()}
    tail = keras.Model(entry, composed.head(rest(list(entry.values()))), name="tail")
    divided = Partition(front, tail, frozen)
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


@dataclass(frozen=True)
class _Flat:
    """The layers of a model from input to output, without models nested inside of it."""

    entry: Any
    outputs: Any
    steps: list[_Step]


def _flat(model: keras.Model) -> _Flat:
    entry, steps = _entry(model), list[_Step]()
    return _Flat(entry, _called(model, entry, steps), steps)


def _entry(model: keras.Model) -> Any:
    import keras

    return keras.tree.map_structure(lambda t: keras.Input(t.shape[1:], dtype=t.dtype, name=t.name), model.input)


def _called(model: keras.Model, entry: Any, steps: list[_Step]) -> Any:
    """What the layers of a functional model make of `entry`; adds the steps.

    Keras walks through a model from inputs of its own alone, so its calls are noted there, and repeated on `entry`.
    """
    import keras

    noted: list[tuple[Any, Any, Any]] = []

    def call(operation: Any, *given: Any, **named: Any) -> Any:
        outputs = operation(*given, **named)
        noted.append((operation, (given, named), outputs))
        return outputs

    own = _entry(model)
    clone = keras.models.clone_model(model, own, clone_function=lambda operation: operation, call_function=call)
    real = dict(zip(map(id, _tensors(own)), _tensors(entry), strict=True))
    for operation, taken, outputs in noted:
        given, named = keras.tree.map_structure(lambda part: real.get(id(part), part), taken)
        inner = _inner(operation, given, named) if isinstance(operation, _functional()) else None
        if inner is not None:
            made = _called(operation, inner, steps)
        else:
            made = operation(*given, **named)
            steps.append(_Step(operation, _tensors((given, named)), _tensors(made)))
        real.update(zip(map(id, _tensors(outputs)), _tensors(made), strict=True))
    return keras.tree.map_structure(lambda tensor: real[id(tensor)], clone.output)


def _inner(model: keras.Model, given: Any, named: Any) -> Any:
    """What a nested model gets, in the structure of its inputs, by Keras's rules; None if it does not simply fit."""
    import keras

    passed = given[0] if given else named.get("inputs")
    if isinstance(passed, dict):
        names = list(model.input) if isinstance(model.input, dict) else [tensor.name for tensor in model.inputs]
        parts = [passed.get(name) for name in (sorted(names) if isinstance(model.input, dict) else names)]
    else:
        parts = _tensors(passed)
    fits = len(parts) == len(model.inputs) and all(
        part is not None and len(part.shape) == len(own.shape)
        for part, own in zip(parts, keras.tree.flatten(model.input), strict=True)
    )
    return keras.tree.pack_sequence_as(model.input, parts) if fits else None


@functools.cache
def _functional() -> type[Any]:
    """The class of functional models, which Keras does not name in public."""
    import keras

    entry = keras.Input((1,))
    return type(keras.Model(entry, keras.layers.Identity()(entry)))


def _tensors(given: Any) -> list[keras.KerasTensor]:
    import keras

    return [part for part in keras.tree.flatten(given) if isinstance(part, keras.KerasTensor)]


def _frozen(flat: _Flat) -> tuple[list[_Step], list[Any]]:
    """The steps that depend on no trained layer; and their tensors that a trained layer or the output needs."""
    before = []
    frozen = {id(tensor): tensor for tensor in _tensors(flat.entry)}
    needed: dict[int, Any] = {}
    for step in flat.steps:
        trained = bool(getattr(step.operation, "trainable_weights", ()))
        if not trained and all(id(tensor) in frozen for tensor in step.inputs):
            frozen |= {id(tensor): tensor for tensor in step.outputs}
            before.append(step)
        else:
            needed |= {id(tensor): tensor for tensor in step.inputs if id(tensor) in frozen}
    needed |= {id(tensor): tensor for tensor in _tensors(flat.outputs) if id(tensor) in frozen}
    return before, list(needed.values())


def _work(step: _Step) -> float:
    """The work of products and convolutions: output positions times kernel size. An embedding lookup counts as none."""
    import keras

    layer = step.operation
    if isinstance(layer, keras.layers.Embedding) or not isinstance(layer, keras.layers.Layer):
        return 0.0
    positions = math.prod(size or 1 for size in step.outputs[0].shape[1:-1])
    return float(positions * sum(math.prod(w.shape) for w in layer.weights if len(w.shape) > 1))
