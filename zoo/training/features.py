"""Running the frozen backbone once for each example, in all trainings, and training batches from what it gave."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.catalog import Backbone, Offer, catalog
from zoo.data.examples import Example, Raw
from zoo.data.pipeline import prepared
from zoo.features.store import Store
from zoo.inference.precision import Precision, check_precision, resolve
from zoo.inference.runner import CHECKED, Inference, Runner
from zoo.progress import say
from zoo.runs.forward import BATCH, forward, gathered, prepared_spec
from zoo.weights import content_sha256

if TYPE_CHECKING:
    import keras
    import numpy as np
    import tensorflow as tf


class Frozen:
    """The frozen part of a model (prepared input -> {feature: tensor}), and its kept features."""

    def __init__(
        self,
        backbone: Offer[Backbone],
        weights: Path | None,
        preprocess: keras.Model,
        front: keras.Model,
        how: Inference,
    ) -> None:
        self._preprocess, self._front = preprocess, front
        self._precision, self._engine = resolve(how.precision), how.engine
        self._about = _about(backbone, weights, preprocess, front)
        self._store = self._open(self._precision)
        if self._store.better is not None:
            self._precision = check_precision(self._store.better)
            self._store = self._open(self._precision)
        self._runner: Runner | None = None
        self._told = False

    @property
    def precision(self) -> Precision:
        """In which the features are computed; "float32" where another one has been found to spoil them."""
        return self._precision

    def features(self, examples: Sequence[Example]) -> Store:
        """The store with the features of all these examples; what it lacks is computed first, and said."""
        lacking = self._lacking(examples)
        if lacking and self._precision != "float32":
            self._settle(lacking)
            lacking = self._lacking(examples)
        known = len({example.content for example in examples}) - len(lacking)
        if known and not self._told:
            say(f"Features of {known} of {known + len(lacking)} examples are kept from an earlier run.")
        self._told = True
        if lacking:
            self._compute(lacking)
        return self._store

    def _open(self, precision: Precision) -> Store:
        shapes = {name: tensor.shape[1:] for name, tensor in self._front.output.items()}
        return Store({**self._about, "precision": precision}, shapes)

    def _lacking(self, examples: Sequence[Example]) -> list[Example]:
        return [examples[place] for place in self._store.missing([example.content for example in examples])]

    def _settle(self, examples: Sequence[Example]) -> None:
        """Go over to float32 where the precision that is wanted spoils the features of the first examples."""
        some = [example.raw for example in examples[:CHECKED]]
        infer = self._infer(some)
        for _, batch in prepared(some, self._preprocess, CHECKED, {}).take(1):
            if infer.settle(batch) != self._precision:
                self._store.leave_to(infer.precision)
                self._precision, self._store = infer.precision, self._open(infer.precision)

    def _infer(self, raws: Sequence[Raw]) -> Runner:
        if self._runner is None:
            how = Inference(self._precision, self._engine)
            self._runner = Runner(self._front, prepared_spec(raws, self._preprocess), how)
        return self._runner

    def _compute(self, examples: Sequence[Example]) -> None:
        raws = [example.raw for example in examples]
        halved = self._precision != "float32"
        try:
            for rows, batch in forward(self._infer(raws), self._preprocess, raws, "Features"):
                self._store.add([examples[row].content for row in rows], batch, halved=halved)
        finally:
            self._store.flush()


def feature_batches(
    store: Store,
    examples: Sequence[Example],
    encoded: np.ndarray,
    weights: np.ndarray,
    spec: Mapping[str, keras.KerasTensor],
    batch_size: int,
    seed: int | None,
) -> tf.data.Dataset:
    """Batches of ({feature: rows}, targets, example weights); in another order each epoch where there is a seed."""
    import tensorflow as tf

    order = tf.data.Dataset.range(len(encoded))
    if seed is not None:
        order = order.shuffle(len(encoded), seed=seed, reshuffle_each_iteration=True)

    def read(name: str, rows: np.ndarray) -> np.ndarray:
        return store.read(name, [examples[row].content for row in rows])

    def gather(rows: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]:
        found = {
            name: tf.ensure_shape(
                tf.numpy_function(functools.partial(read, name), [rows], tensor.dtype), (None, *tensor.shape[1:])
            )
            for name, tensor in spec.items()
        }
        return found, tf.gather(encoded, rows), tf.gather(weights, rows)

    return order.batch(batch_size).map(gather, tf.data.AUTOTUNE).prefetch(2)


def head_outputs(model: keras.Model, store: Store, examples: Sequence[Example]) -> np.ndarray:
    """What a model that takes features gives for examples, in their order."""
    import numpy as np
    import tensorflow as tf

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def infer(batch: dict[str, tf.Tensor]) -> tf.Tensor:
        return model(batch, training=False)

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for rows in np.array_split(np.arange(len(examples)), range(BATCH, len(examples), BATCH)):
            contents = [examples[row].content for row in rows]
            yield rows, infer({name: store.read(name, contents) for name in model.input}).numpy()

    return gathered(batches(), len(examples))


def _about(
    backbone: Offer[Backbone], weights: Path | None, preprocess: keras.Model, front: keras.Model
) -> dict[str, Any]:
    """What decides the features, but for their precision.

    The weights count by their values, the preprocessing by what it makes of a few inputs.
    """
    import keras

    plugins = {plugin.name: f"{plugin.distribution} {plugin.version}" for plugin in catalog().plugins}
    values = hashlib.sha256()
    for variable in front.weights:
        values.update(keras.ops.convert_to_numpy(variable).tobytes())
    return {
        "backbone": backbone.name,
        "plugin": plugins[backbone.plugin],
        "keras": keras.version(),
        "weights": values.hexdigest(),
        "file": content_sha256(weights) if weights is not None else "none",
        "preprocessing": _behaviour(preprocess),
        "features": [f"{name} {tensor.dtype}{list(tensor.shape[1:])}" for name, tensor in front.output.items()],
    }


def _behaviour(preprocess: keras.Model) -> str:
    """A checksum of what preprocessing makes of a picture, or of a text."""
    import numpy as np
    import tensorflow as tf

    if preprocess.inputs[0].dtype == "string":
        texts = tf.constant(["The quick brown fox, 1234.5 times; naïve Ångström & 日本語!", "zoo"])
        made = preprocess([texts] * len(preprocess.inputs) if len(preprocess.inputs) > 1 else texts)
    else:
        made = preprocess(tf.constant(np.random.default_rng(0).uniform(0, 255, (1, 60, 80, 3)), "float32"))
    parts = [np.asarray(tensor, "float64").round(3) + 0.0 for tensor in tf.nest.flatten(made)]
    return hashlib.sha256(b"".join(repr(part.shape).encode() + part.tobytes() for part in parts)).hexdigest()
