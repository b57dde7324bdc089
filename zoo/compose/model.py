"""Encoder and head, composed: one Keras model from raw input to answer, and the parts that training works on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.catalog import Head
from zoo.catalog.specs import Feature
from zoo.compose.encoder import Encoder
from zoo.compose.task import Task

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Composed:
    """A model, and two views of its end, which share their weights with it and are there to be compiled and fitted.

    model          raw input -> answer; never compiled, so that nothing of the training is saved with it
    from_prepared  preprocessed input -> answer: what is trained when a stage is unfrozen
    from_features  {feature: array} -> answer: what is trained when the backbone is frozen
    """

    encoder: Encoder
    model: keras.Model
    from_prepared: keras.Model
    from_features: keras.Model


def compose(encoder: Encoder, task: Task, spec: Head) -> Composed:
    """Put a head's layers on the feature of an encoder that its spec names."""
    import keras

    encoder = encoder.reading(spec.reads)
    offered = {name: encoder.network.output[name] for name in feature_names(spec.feature)}
    dtypes = {"mask": "int32"}
    entry = {name: keras.Input(x.shape[1:], dtype=dtypes.get(name), name=name) for name, x in offered.items()}
    head = keras.Model(entry, task.outputs(entry), name="head")
    from_features = keras.Model(entry, head(entry), name="from_features")
    return Composed(encoder, from_raw(encoder, head), _from_prepared(encoder.network, head), from_features)


def feature_names(feature: Feature) -> tuple[str, ...]:
    """What a head that consumes `feature` is given."""
    return ("sequence", "mask") if feature == "sequence" else (feature,)


def from_raw(encoder: Encoder, head: keras.Model | None = None) -> keras.Model:
    """One model from raw input to the head's answer, or to the dict of features where there is no head."""
    import keras

    raw = _entry(encoder.preprocess)
    features = encoder.network(encoder.preprocess(raw))
    outputs = features if head is None else head({name: features[name] for name in head.input})
    return keras.Model(raw, outputs, name="zoo")


def take_apart(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """The preprocessing of a composed model, perhaps a loaded one, and the rest: prepared input -> answer."""
    import keras

    preprocess, network, head = (layer for layer in model.layers if isinstance(layer, keras.Model))
    return preprocess, _from_prepared(network, head)


def _from_prepared(network: keras.Model, head: keras.Model) -> keras.Model:
    import keras

    prepared = _entry(network)
    features = network(prepared)
    return keras.Model(prepared, head({name: features[name] for name in head.input}), name="from_prepared")


def _entry(model: keras.Model) -> Any:
    """New inputs of the same structure as a model's: a tensor, a list, or a dict."""
    import keras

    return keras.tree.map_structure(lambda t: keras.Input(t.shape[1:], dtype=t.dtype, name=t.name), model.input)
