"""Walks through a functional model and the models inside of it, by what Keras makes public."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Step:
    """A call of a layer or operation, with the tensors that it takes and returns."""

    operation: Any
    inputs: list[keras.KerasTensor]
    outputs: list[keras.KerasTensor]


@dataclass(frozen=True)
class Flat:
    """The layers of a model from input to output, without models nested inside of it."""

    entry: Any
    outputs: Any
    steps: list[Step]


def flattened(model: keras.Model) -> Flat:
    """The steps of a functional model on inputs of their own; a model inside of it counts as its steps."""
    entry, steps = _entry(model), list[Step]()
    return Flat(entry, _called(model, entry, steps), steps)


def _entry(model: keras.Model) -> Any:
    import keras

    return keras.tree.map_structure(lambda t: keras.Input(t.shape[1:], dtype=t.dtype, name=t.name), model.input)


def _called(model: keras.Model, entry: Any, steps: list[Step]) -> Any:
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
    real = dict(zip(map(id, tensors_in(own)), tensors_in(entry), strict=True))
    for operation, taken, outputs in noted:
        given, named = keras.tree.map_structure(lambda part: real.get(id(part), part), taken)
        inner = _inner(operation, given, named) if isinstance(operation, _functional()) else None
        if inner is not None:
            made = _called(operation, inner, steps)
        else:
            made = operation(*given, **named)
            steps.append(Step(operation, tensors_in((given, named)), tensors_in(made)))
        real.update(zip(map(id, tensors_in(outputs)), tensors_in(made), strict=True))
    return keras.tree.map_structure(lambda tensor: real[id(tensor)], clone.output)


def _inner(model: keras.Model, given: Any, named: Any) -> Any:
    """What a nested model gets, in the structure of its inputs, by Keras's rules; None if it does not simply fit."""
    import keras

    passed = given[0] if given else named.get("inputs")
    if isinstance(passed, dict):
        names = list(model.input) if isinstance(model.input, dict) else [tensor.name for tensor in model.inputs]
        parts = [passed.get(name) for name in (sorted(names) if isinstance(model.input, dict) else names)]
    else:
        parts = tensors_in(passed)
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


def tensors_in(given: Any) -> list[keras.KerasTensor]:
    import keras

    return [part for part in keras.tree.flatten(given) if isinstance(part, keras.KerasTensor)]
