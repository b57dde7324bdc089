"""Encoder and head as one Keras model from raw input to outputs, and its parts by name."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.catalog import Head
from zoo.compose.encoder import Encoder
from zoo.compose.task import Task

if TYPE_CHECKING:
    import keras

PARTS = ("preprocess", "network", "head")


@dataclass(frozen=True)
class Parts:
    """The parts of a composed model; all models that are made of the same parts share their weights.

    preprocess  turns raw input into the input of the network
    network     turns that into {feature: tensor}
    head        turns {feature: tensor} into outputs: a tensor, or a dict of tensors
    """

    preprocess: keras.Model
    network: keras.Model
    head: keras.Model

    @functools.cached_property
    def model(self) -> keras.Model:
        """From raw input to outputs; never compiled, so that no training state is saved with it."""
        import keras

        raw = _entry(self.preprocess)
        return keras.Model(raw, self._outputs(self.network(self.preprocess(raw))), name="zoo")

    @functools.cached_property
    def from_prepared(self) -> keras.Model:
        """From preprocessed input to outputs; this is trained if a stage is unfrozen."""
        import keras

        prepared = _entry(self.network)
        return keras.Model(prepared, self._outputs(self.network(prepared)), name="from_prepared")

    @functools.cached_property
    def features(self) -> keras.Model:
        """From preprocessed input to {feature: tensor}, with the features that the head reads."""
        import keras

        prepared = _entry(self.network)
        return keras.Model(prepared, self._read(self.network(prepared)), name="features")

    @functools.cached_property
    def from_features(self) -> keras.Model:
        """From {feature: tensor} to outputs; this is trained if the backbone is frozen."""
        import keras

        entry = _entry(self.head)
        return keras.Model(entry, self.head(entry), name="from_features")

    def signatures(self) -> dict[str, dict[str, Any]]:
        """For each part by name: the name of its layer in `model`, and the dtype and shape of each of its inputs."""
        return {part: _signature(getattr(self, part)) for part in PARTS}

    def _outputs(self, features: dict[str, Any]) -> Any:
        return self.head(self._read(features))

    def _read(self, features: dict[str, Any]) -> dict[str, Any]:
        return {name: features[name] for name in self.head.input}


@dataclass(frozen=True)
class Composed(Parts):
    """The parts of a model made of an encoder and a head."""

    encoder: Encoder


def compose(encoder: Encoder, task: Task, spec: Head) -> Composed:
    """Put a head's layers on the features that its spec names."""
    import keras

    encoder = encoder.reading(spec.reads)
    offered = {name: encoder.network.output[name] for name in feature_names(spec.feature)}
    dtypes = {"mask": "int32"}
    entry = {name: keras.Input(x.shape[1:], dtype=dtypes.get(name), name=name) for name, x in offered.items()}
    head = keras.Model(entry, task.outputs(entry), name="head")
    return Composed(encoder.preprocess, encoder.network, head, encoder)


def feature_names(feature: str) -> tuple[str, ...]:
    """The names of the tensors that a head on `feature` receives."""
    return ("sequence", "mask") if feature == "sequence" else (feature,)


def features_from_raw(encoder: Encoder) -> keras.Model:
    """One model from raw input to the dict of the encoder's features."""
    import keras

    raw = _entry(encoder.preprocess)
    return keras.Model(raw, encoder.network(encoder.preprocess(raw)), name="zoo")


def parts_of(model: keras.Model, layers: dict[str, str]) -> Parts:
    """The parts of a loaded model, by the names of their layers in it."""
    return Parts(**{part: model.get_layer(layers[part]) for part in PARTS})


def layers_in_order(model: keras.Model) -> dict[str, str]:
    """The layer of each part in a model written by version 0.1, which did not name them but had these three models."""
    import keras

    names = [layer.name for layer in model.layers if isinstance(layer, keras.Model)]
    return dict(zip(PARTS, names, strict=True))


def _signature(part: keras.Model) -> dict[str, Any]:
    inputs = {tensor.name: {"dtype": tensor.dtype, "shape": list(tensor.shape)} for tensor in part.inputs}
    return {"layer": part.name, "inputs": inputs}


def _entry(model: keras.Model) -> Any:
    """New inputs with the same structure as a model's: a tensor, a list, or a dict."""
    import keras

    return keras.tree.map_structure(lambda t: keras.Input(t.shape[1:], dtype=t.dtype, name=t.name), model.input)
