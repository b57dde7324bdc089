"""Divides a composed model into the frozen part and the part that is trained."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.compose.model import Composed

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Partition:
    """Two models that together are the same as `Composed.from_prepared`, and share its weights.

    front  the frozen part: turns prepared input into {name: tensor}
    tail   the trained part: turns that into outputs
    work   approximate multiplications in the front for one example; if lengths vary, for one position
    """

    front: keras.Model
    tail: keras.Model
    work: float


def partition(composed: Composed) -> Partition | None:
    """Divide the model before the first layer that is currently trainable.

    None if there is nothing to compute before it. Functional models inside the network are divided too, single layers
    are not.
    """
    import keras

    names = list(composed.head.input)
    network = composed.network
    if not network.trainable_weights:
        front = frozen_front(network, names)
        return Partition(front, composed.from_features, _work(front))
    flat = _flat(network, names)
    edge = list(_edge(flat))
    inputs = {id(tensor) for tensor in flat.inputs}
    if all(id(tensor) in inputs for tensor in edge):
        return None
    cut = {f"part_{i}": tensor for i, tensor in enumerate(edge)}
    front = keras.Model(flat.input, cut, name="front")
    work = _work(front)
    if not work:
        return None
    rest = keras.Model(list(cut.values()), flat.output, name="rest")
    entry = {name: keras.Input(t.shape[1:], dtype=t.dtype, name=name) for name, t in cut.items()}
    tail = keras.Model(entry, composed.head(rest(list(entry.values()))), name="tail")
    return Partition(front, tail, work)


def frozen_front(network: keras.Model, names: Sequence[str]) -> keras.Model:
    """The front of a network of which nothing is trained: all of it, with these features."""
    import keras

    return keras.Model(network.input, {name: network.output[name] for name in names}, name="front")


def _flat(network: keras.Model, names: list[str]) -> keras.Model:
    """The same layers, without models nested inside the model."""
    import keras

    entry = keras.tree.map_structure(lambda t: keras.Input(t.shape[1:], dtype=t.dtype, name=t.name), network.input)
    outputs = network._run_through_graph(entry, _inline)
    return keras.Model(entry, {name: outputs[name] for name in names}, name="flat")


def _inline(operation: Any) -> Callable[..., Any]:
    from keras.src.models.functional import Functional

    if isinstance(operation, Functional):
        return lambda inputs, **_: operation._run_through_graph(inputs, _inline)
    call: Callable[..., Any] = operation
    return call


def _nodes(model: keras.Model) -> Iterator[Any]:
    """The model's nodes, from input to output."""
    for depth in sorted(model._nodes_by_depth, reverse=True):
        yield from (node for node in model._nodes_by_depth[depth] if not node.is_input)


def _edge(model: keras.Model) -> Iterator[Any]:
    """The tensors that depend on no trained layer, and that a trained layer or the output needs; each once."""
    frozen = {id(tensor): tensor for tensor in model.inputs}
    needed: dict[int, Any] = {}
    for node in _nodes(model):
        trained = bool(getattr(node.operation, "trainable_weights", ()))
        if not trained and all(id(tensor) in frozen for tensor in node.input_tensors):
            frozen |= {id(tensor): tensor for tensor in node.outputs}
        else:
            needed |= {id(tensor): tensor for tensor in node.input_tensors if id(tensor) in frozen}
    needed |= {id(tensor): tensor for tensor in model.outputs if id(tensor) in frozen}
    yield from needed.values()


def _work(model: keras.Model) -> float:
    """The work of products and convolutions: output positions times kernel size. An embedding lookup counts as none."""
    import keras

    work = 0.0
    for node in _nodes(model):
        layer = node.operation
        if isinstance(layer, keras.layers.Embedding) or not isinstance(layer, keras.layers.Layer):
            continue
        positions = math.prod(size or 1 for size in node.outputs[0].shape[1:-1])
        work += positions * sum(math.prod(w.shape) for w in layer.weights if len(w.shape) > 1)
    return work
