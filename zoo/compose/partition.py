"""Divides a composed model into the frozen part and the part that is trained."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.compose.flat import Flat, Step, flattened, tensors_in
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
    steps: Sequence[Step] | None = None

    @functools.cached_property
    def work(self) -> float:
        """Approximate multiplications in the front for one example; if lengths vary, for one position."""
        return sum(map(_work, flattened(self.front).steps if self.steps is None else self.steps))


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
    flat = flattened(frozen_front(network, names))
    frozen, edge = _frozen(flat)
    inputs = set(map(id, tensors_in(flat.entry)))
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


def _frozen(flat: Flat) -> tuple[list[Step], list[Any]]:
    """The steps that depend on no trained layer; and their tensors that a trained layer or the output needs."""
    before = []
    frozen = {id(tensor): tensor for tensor in tensors_in(flat.entry)}
    needed: dict[int, Any] = {}
    for step in flat.steps:
        trained = bool(getattr(step.operation, "trainable_weights", ()))
        if not trained and all(id(tensor) in frozen for tensor in step.inputs):
            frozen |= {id(tensor): tensor for tensor in step.outputs}
            before.append(step)
        else:
            needed |= {id(tensor): tensor for tensor in step.inputs if id(tensor) in frozen}
    needed |= {id(tensor): tensor for tensor in tensors_in(flat.outputs) if id(tensor) in frozen}
    return before, list(needed.values())


def _work(step: Step) -> float:
    """The work of products and convolutions: output positions times kernel size. An embedding lookup counts as none."""
    import keras

    layer = step.operation
    if isinstance(layer, keras.layers.Embedding) or not isinstance(layer, keras.layers.Layer):
        return 0.0
    positions = math.prod(size or 1 for size in step.outputs[0].shape[1:-1])
    return float(positions * sum(math.prod(w.shape) for w in layer.weights if len(w.shape) > 1))
