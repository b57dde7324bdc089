"""A Keras application as a `zoo` encoder."""

import itertools
import re
from pathlib import Path

import keras

import zoo
from zoo_keras_applications.table import FAMILIES, Family, architectures


def build(backbone: zoo.Backbone, weights: zoo.Weights, file: Path | None) -> zoo.Encoder:
    """The encoder, with the weights in `file`: Keras's own `..._notop.h5`, or a `.weights.h5` of the same network."""
    architecture = architectures()[backbone.name]
    family = FAMILIES[architecture.family]
    base = network(architecture.function, backbone.input)
    if file is not None:
        base.load_weights(file)
    pooled = keras.layers.GlobalAveragePooling2D(name="pooled")(base.output)
    encoder = keras.Model(base.input, {"pooled": pooled, "map": base.output}, name=backbone.name)
    assert weights.pixels is not None
    return zoo.Encoder(zoo.image_preprocess(backbone.input, weights.pixels), encoder, stages(base, family))


def network(function: str, size: int) -> keras.Model:
    """A `keras.applications` network for `size` x `size` pictures: random weights, without its classification layer."""
    make = getattr(keras.applications, function)
    return make(weights=None, include_top=False, input_shape=(size, size, 3))


def stages(base: keras.Model, family: Family) -> tuple[tuple[keras.layers.Layer, ...], ...]:
    """All layers in consecutive groups, from input to output, divided as the family says."""
    operations = base.operations
    keys = [match[1] if (match := re.match(family.stages, op.name)) else None for op in operations]
    found = list(dict.fromkeys(key for key in keys if key))
    if family.cut == "before":
        cuts = [keys.index(key) for key in found]
    else:
        cuts = [len(keys) - keys[::-1].index(key) for key in found]
    bounds = sorted({0, *cuts, len(operations)})
    parts = [operations[start:end] for start, end in itertools.pairwise(bounds)]
    layers = [tuple(op for op in part if isinstance(op, keras.layers.Layer)) for part in parts]
    return tuple(group for group in layers if any(layer.weights for layer in group))
