"""Promises of a backbone, checked on the encoder that it builds."""

from __future__ import annotations

import functools
import itertools
import math
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.catalog import Backbone, Offer, catalog
from zoo.compose.encoder import Encoder, build_encoder
from zoo.compose.model import features_from_raw
from zoo.data.batches import Preprocessing
from zoo.data.reader import reader
from zoo.errors import BadPlan, WeightsUnavailable
from zoo.inference.arrays import joined
from zoo.progress import counted
from zoo.testing.elsewhere import load_elsewhere
from zoo.testing.promises import BrokenPromise, NotChecked
from zoo.weights import HERE, states

if TYPE_CHECKING:
    import keras
    import numpy as np

_TOLERANCE = 1e-4


@dataclass(frozen=True)
class About:
    """A backbone's name, and the weights to build it with, as for `--weights`; blank: those on this machine."""

    name: str
    weights: str = ""

    @property
    def offer(self) -> Offer[Backbone]:
        return catalog().backbone(self.name)


def facts_match(about: About) -> str:
    """Parameters, width and modality match the network."""
    encoder, spec = _built(about), about.offer.spec
    params = sum(math.prod(weight.shape) for weight in encoder.network.weights if _counts(weight))
    if spec.params not in (params, encoder.network.count_params()):  # the latter includes counters
        raise BrokenPromise(f"params is {spec.params:,}, but the network has {params:,}")
    dim = encoder.network.output["pooled"].shape[-1]
    if spec.dim is not None and dim != spec.dim:
        raise BrokenPromise(f"dim is {spec.dim}, but pooled is {dim} wide")
    entry = encoder.preprocess.inputs[0]
    if (entry.dtype == "string") != (reader(spec.modality).dtype == "string"):
        raise BrokenPromise(f"modality is {spec.modality}, but the preprocessing takes {entry.dtype}")
    return f"{params:,} parameters, {dim} wide"


def features_have_shapes(about: About) -> str:
    """Each promised feature exists, with the right rank and size."""
    encoder, spec = _built(about), about.offer.spec
    raw = _raw(about.offer)
    features = encoder.network(encoder.preprocess(raw))
    sizes = {name: tuple(value.shape) for name, value in features.items()}
    for name in (*spec.features, *(["mask"] if "sequence" in spec.features else [])):
        if name not in sizes:
            raise BrokenPromise(f"the network gives {', '.join(sizes)}, but {name} was promised")
    count = len(raw)
    if "pooled" in sizes and sizes["pooled"] != (count, spec.dim or sizes["pooled"][-1]):
        raise BrokenPromise(f"pooled is {sizes['pooled']}, not {(count, spec.dim)}")
    if "map" in sizes and (len(sizes["map"]) != 4 or sizes["map"][0] != count):
        raise BrokenPromise(f"map is {sizes['map']}, not (batch, height, width, channels)")
    if "sequence" in sizes and sizes["mask"] != sizes["sequence"][:2]:
        raise BrokenPromise(f"sequence is {sizes['sequence']} and mask {sizes['mask']}, not (batch, tokens)")
    return ", ".join(f"{name} {size}" for name, size in sizes.items())


def reads_what_it_says(about: About) -> str:
    """There is preprocessing for each form of examples in `reads`, and for no other."""
    encoder, spec = _built(about), about.offer.spec
    if wrong := sorted(set(encoder.forms) ^ set(spec.reads)):
        raise BrokenPromise(f"reads is {', '.join(spec.reads)}, which is wrong about {', '.join(wrong)}")
    if unknown := sorted(set(spec.reads) - set(reader(spec.modality).forms)):
        raise BrokenPromise(f"its modality {spec.modality} has no examples of the form {unknown[0]}")
    return ", ".join(spec.reads)


def answers_agree(about: About) -> str:
    """Calling it, calling it again, and `predict` give the same numbers."""
    model, raw = features_from_raw(_built(about)), _raw(about.offer)
    first = _arrays(model(raw))
    furthest = 0.0
    for way, answer in (("called again", model(raw)), ("predicted", model.predict(raw, verbose=0))):
        for name, value in _arrays(answer).items():
            furthest = max(furthest, _compare(way, name, value, first[name]))
    return f"within {furthest:.1g}"


def neighbours_do_not_matter(about: About) -> str:
    """An example has the same features alone as in a batch with a longer one, to whose length it is filled up."""
    encoder, known = _built(about), reader(about.offer.spec.modality)
    import tensorflow as tf

    preprocessing = Preprocessing(encoder.preprocess, known)
    if preprocessing.one_by_one and not any(None in spec.shape[1:] for spec in tf.nest.flatten(preprocessing.spec)):
        return "inputs of one size"
    long, other = known.samples(2)
    if known.dtype == "string":
        short = other.split()[0]
        alone, together = preprocessing([(short,)]), preprocessing([(long,), (short,)])
    else:
        short = other[tuple(slice(size or -(-len_ // 3)) for size, len_ in zip(known.shape, other.shape, strict=True))]
        alone = preprocessing([(short,)])
        together = joined([preprocessing([(long,)]), alone])
    by_itself, beside = (_arrays(encoder.network(prepared)) for prepared in (alone, together))
    furthest = 0.0
    for name, value in by_itself.items():
        row = beside[name][1][tuple(map(slice, value[0].shape))]
        furthest = max(furthest, _compare("beside a longer example", name, row, value[0]))
    return f"within {furthest:.1g}"


def preprocessing_travels(about: About) -> str:
    """Saved, and loaded by another process, the model takes raw input of any size and gives the same answers."""
    import numpy as np

    model, raw = features_from_raw(_built(about)), _raw(about.offer)
    first = _arrays(model(raw))
    with tempfile.TemporaryDirectory() as folder:
        path, given, out = (Path(folder, name) for name in ("model.keras", "raw.npy", "out.npz"))
        model.save(path)
        np.save(given, [text.decode() for text in raw.numpy()] if raw.dtype == "string" else raw)
        if failure := load_elsewhere(about.offer.name, path, given, out):
            raise BrokenPromise(f"another process cannot load it: {failure}")
        loaded = dict(np.load(out))
    for name, value in first.items():
        _compare("loaded in another process", name, loaded[name], value)
    return "loaded in another process, it answers the same"


def frozen_means_frozen(about: About) -> str:
    """With nothing unfrozen, training a head changes none of the network's weights."""
    import numpy as np

    encoder = _built(about)
    encoder.unfreeze(0)
    if encoder.network.trainable_weights:
        raise BrokenPromise(f"{encoder.network.trainable_weights[0].path} is trainable with nothing unfrozen")
    before = [np.array(weight.numpy()) for weight in encoder.network.weights if _counts(weight)]
    _train_step(encoder, about.offer)
    after = [np.array(weight.numpy()) for weight in encoder.network.weights if _counts(weight)]
    changed = sum(not np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    if changed:
        raise BrokenPromise(f"{changed} of {len(before)} weights changed when a head was trained")
    return f"{counted(len(before), 'weights')} unchanged"


def every_stage_unfreezes(about: About) -> str:
    """The last N stages become trainable, one more each time, and together they contain every weight."""
    encoder = _built(about)
    import keras

    held = {id(weight) for stage in encoder.stages for layer in stage for weight in layer.weights}
    if loose := [weight.path for weight in encoder.network.weights if id(weight) not in held]:
        raise BrokenPromise(f"no stage contains {loose[0]}")
    counts = []
    for number in range(len(encoder.stages) + 1):
        encoder.unfreeze(number)
        counts.append(len(encoder.network.trainable_weights))
        for layer in encoder.network._flatten_layers():
            if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable:
                raise BrokenPromise(f"with {number} stages unfrozen, the batch normalization {layer.name} is trained")
    if counts[0] or any(later <= earlier for earlier, later in itertools.pairwise(counts)):
        raise BrokenPromise(f"with 0, 1, 2 ... stages unfrozen, {counts} weights are trainable")
    return counted(len(encoder.stages), "stages")


def gradients_are_finite(about: About) -> str:
    """With all stages unfrozen, the gradients of a step are finite, and every stage gets some."""
    import numpy as np

    encoder = _built(about)
    encoder.unfreeze("all")
    gradients = _gradients(encoder, about.offer)
    for stage in encoder.stages:
        ids = {id(weight) for layer in stage for weight in layer.trainable_weights}
        if ids and not ids & set(gradients):
            raise BrokenPromise(f"no gradient reaches the stage that starts with {stage[0].name}")
    if bad := sum(not np.isfinite(gradient).all() for gradient in gradients.values()):
        raise BrokenPromise(f"{bad} of {len(gradients)} gradients are not finite")
    encoder.unfreeze(0)
    return counted(len(gradients), "gradients")


@functools.lru_cache(maxsize=1)
def _built(about: About) -> Encoder:
    """The encoder; the last one is kept, because its promises are checked one after the other."""
    choice = about.weights
    if not choice:
        (where,) = states([about.offer])
        choice = "default" if where in HERE else "none"
    try:
        return build_encoder(about.offer, choice)
    except (BadPlan, WeightsUnavailable) as error:
        raise NotChecked(f"its weights are not on this machine, and it needs them: {error}") from None


def _raw(offer: Offer[Backbone]) -> Any:
    """Three examples; pictures have another size than the network's input."""
    import tensorflow as tf

    known = reader(offer.spec.modality)
    values = tf.stack([tf.constant(value, known.dtype) for value in known.samples(3)])
    return values if values.dtype == tf.string else tf.cast(values, tf.float32)


def _train_step(encoder: Encoder, offer: Offer[Backbone]) -> None:
    import keras
    import numpy as np

    model = _with_head(encoder)
    model.compile(keras.optimizers.SGD(1.0), loss="mse")
    prepared = encoder.preprocess(_raw(offer))
    model.fit(prepared, np.ones((len(_raw(offer)), 2), "float32"), verbose=0)


def _gradients(encoder: Encoder, offer: Offer[Backbone]) -> dict[int, np.ndarray]:
    import numpy as np
    import tensorflow as tf

    model, prepared = _with_head(encoder), encoder.preprocess(_raw(offer))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(prepared, training=True) - 1.0))
    weights = encoder.network.trainable_weights
    gradients = tape.gradient(loss, [weight.value for weight in weights])
    pairs = zip(weights, gradients, strict=True)
    return {id(w): np.asarray(tf.convert_to_tensor(g)) for w, g in pairs if g is not None}


def _with_head(encoder: Encoder) -> keras.Model:
    """A model from prepared input to two numbers, computed from `pooled`."""
    import keras

    entry = keras.tree.map_structure(
        lambda t: keras.Input(t.shape[1:], dtype=t.dtype, name=t.name), encoder.network.input
    )
    return keras.Model(entry, keras.layers.Dense(2)(encoder.network(entry)["pooled"]))


def _counts(weight: Any) -> bool:
    """Whether a variable is a parameter, and not a counter or the state of a random generator."""
    return "float" in str(weight.dtype)


def _arrays(features: Any) -> dict[str, np.ndarray]:
    import numpy as np

    return {name: np.asarray(value) for name, value in features.items()}


def _compare(way: str, name: str, value: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference between two arrays.

    Raises `BrokenPromise` if it is too large, if their shapes differ, and if they have anything but finite numbers.
    """
    import numpy as np

    if value.shape != expected.shape:
        raise BrokenPromise(f"{way}, {name} has the shape {value.shape}, not {expected.shape}")
    value, expected = value.astype("float64"), expected.astype("float64")
    if not (np.isfinite(value).all() and np.isfinite(expected).all()):
        raise BrokenPromise(f"{way}, {name} has numbers that are not finite")
    difference = float(np.abs(value - expected).max(initial=0.0))
    if not difference <= _TOLERANCE * max(1.0, float(np.abs(expected).max(initial=0.0))):
        raise BrokenPromise(f"{way}, {name} differs by {difference:.2g}")
    return difference
