"""The encoder, which is a backbone once it is built: preprocessing, a network, and stages that can be unfrozen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from zoo import engine
from zoo.catalog import Backbone, Offer, Pixels, Weights
from zoo.catalog.imports import resolve_import
from zoo.errors import BadPlan, BadWeights, ZooError
from zoo.filters import filtered
from zoo.weights import choose, refuse_foreign_parts

if TYPE_CHECKING:
    import keras

Unfreeze = int | Literal["all"]


@dataclass(frozen=True)
class Encoder:
    """A backbone that has been built.

    preprocess  turns raw input into the input of the network. Images: (batch, height, width, 3) RGB pixels 0..255 of
                any size. Texts: strings (batch,), which become token ids, padded to the longest text in the batch.
    network     turns that into a dict of features: `pooled` (batch, dim); `map` (batch, height, width, channels);
                `sequence` (batch, tokens, dim) with `mask` (batch, tokens)
    stages      groups of the network's layers, from input to output; together they contain all of its weights
    pair        for texts: preprocessing of two texts, two inputs (batch,)
    words       for texts: preprocessing that also returns `words` int32 (batch, words), the position of the first token
                of each word, or -1 if it has none
    others      preprocessing of other forms of examples, by the names that `Backbone.reads` uses
    """

    preprocess: keras.Model
    network: keras.Model
    stages: tuple[tuple[keras.layers.Layer, ...], ...]
    pair: keras.Model | None = None
    words: keras.Model | None = None
    others: Mapping[str, keras.Model] = field(default_factory=dict)

    @property
    def forms(self) -> dict[str, keras.Model]:
        """The preprocessing for each form of examples that this encoder reads."""
        known = {"single": self.preprocess, "pair": self.pair, "words": self.words, **self.others}
        return {form: model for form, model in known.items() if model is not None}

    def reading(self, form: str) -> Encoder:
        """This encoder for examples of one form; the weights are shared.

        With "words", `sequence` (batch, words, dim) and `mask` (batch, words) have one entry per word, not per token.
        """
        if form not in self.forms:
            raise BadPlan(f"This backbone cannot read examples of the form {form!r}, only {', '.join(self.forms)}.")
        network = _by_words(self.network) if form == "words" else self.network
        return replace(self, preprocess=self.forms[form], network=network)

    def unfreeze(self, last: Unfreeze) -> None:
        """Make the last `last` stages trainable ("all": every stage; 0: none) and freeze the rest.

        BatchNormalization layers always stay frozen, and therefore use their stored statistics (Keras ties the two).
        Compile the model again afterwards: Keras decides at `compile` which variables are trained.
        Raises `BadPlan` if there are fewer stages.
        """
        import keras

        count = len(self.stages) if last == "all" else last
        if not 0 <= count <= len(self.stages):
            most = len(self.stages)
            raise BadPlan(f"--unfreeze {last}: this backbone has {most} stages. Give at most {most}, or all.")
        self.network.trainable = True
        free = self.stages[len(self.stages) - count :]
        for stage in self.stages:
            for layer in stage:
                layer.trainable = stage in free
        for layer in _leaves(self.network.layers):
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.trainable = False


def _by_words(network: keras.Model) -> keras.Model:
    """The network with one vector for each word: the vector of its first token."""
    import keras

    entry = {t.name: keras.Input(t.shape[1:], dtype=t.dtype, name=t.name) for t in network.inputs}
    features = network(dict(entry))
    words = keras.Input((None,), dtype="int32", name="words")
    place = keras.ops.expand_dims(keras.ops.maximum(words, 0), -1)
    vectors = keras.ops.take_along_axis(features["sequence"], place, axis=1)
    outputs = {"pooled": features["pooled"], "sequence": vectors, "mask": keras.ops.cast(words >= 0, "int32")}
    return keras.Model(entry | {"words": words}, outputs, name=f"{network.name}_words")


def build_encoder(offer: Offer[Backbone], weights: str = "default") -> Encoder:
    """Build a backbone with the chosen weights.

    weights  "default", "none" (random), the name of one of its weights, or the path of a local file
    """
    return encoder_of(offer, *choose(offer, weights))


def encoder_of(offer: Offer[Backbone], weights: Weights | None, file: Path | None) -> Encoder:
    """Build a backbone with the weights in a file, or random ones; `weights` says how they were trained."""
    engine.start()
    function = resolve_import(offer.spec.build, offer.plugin, f"backbone {offer.name}")
    if file is not None:
        refuse_foreign_parts(file)
    try:
        # If a file has no weights for a part of the network, Keras only warns, and uses random ones.
        with filtered("error", message="Skipping nested container"):
            encoder: Encoder = function(offer.spec, weights, file)
    except ZooError:
        raise
    except (OSError, ValueError, UserWarning) as error:
        if file is None:
            raise
        if isinstance(error, OSError) and error.errno is not None:  # of the system, and not of what is in the file
            raise BadWeights(f"{file} cannot be used for {offer.name}: {_first_line(error)}.") from error
        raise BadWeights(f"{file} does not contain weights for {offer.name}: {_first_line(error)}") from error
    return encoder


def image_preprocess(size: int, pixels: Pixels) -> keras.Model:
    """Preprocessing of an image backbone: resize to `size` x `size`, then `(pixel - mean) / std` in the given order.

    Takes float32 or uint8 RGB (batch, height, width, 3) in 0..255 of any height and width; returns float32
    (batch, size, size, 3). Bilinear with antialiasing; the aspect ratio is not kept, so nothing is cut off.
    Uses only Keras operations, so that a saved model needs none of our code. Does not use Keras's Resizing layer, which
    would switch a nested network to training mode (keras-team/keras pull 23166).
    """
    import keras

    raw = keras.Input((None, None, 3), name="pixels")
    x = keras.ops.image.resize(raw, (size, size), interpolation="bilinear", antialias=True)
    if pixels.order == "BGR":
        x = keras.ops.flip(x, axis=-1)
    if pixels != Pixels(order=pixels.order):
        scale = [1.0 / s for s in pixels.std]
        offset = [-m / s for m, s in zip(pixels.mean, pixels.std, strict=True)]
        x = keras.layers.Rescaling(scale, offset, name="normalize")(x)
    return keras.Model(raw, x, name="preprocess")


def _leaves(layers: Iterable[keras.layers.Layer]) -> Iterator[keras.layers.Layer]:
    for layer in layers:
        if inner := getattr(layer, "layers", None):
            yield from _leaves(inner)
        yield layer


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
