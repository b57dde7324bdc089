"""Running the frozen backbone once for each example, in all trainings, and training batches from what it gave."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.catalog import Backbone, Offer, catalog
from zoo.data.augment import Augment, Augmentation
from zoo.data.examples import Example, Raw
from zoo.data.order import Order
from zoo.data.pipeline import Views, prepared
from zoo.features.store import Store
from zoo.inference.how import Inference, Precision
from zoo.inference.memory import with_fewer_where_needed
from zoo.inference.runner import CHECKED, Runner
from zoo.progress import say
from zoo.runs.forward import BATCH, forward, gathered, prepared_spec
from zoo.weights import content_sha256

if TYPE_CHECKING:
    import keras
    import numpy as np
    import tensorflow as tf


VIEWS = 4  # changed views of each picture that are kept with --augment


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
        self._how = how.resolved()
        self._about = _about(backbone, weights, preprocess, front)
        self._store = self._open()
        if self._store.spoilt:
            self._go_over_to_float32()
        self._runner: Runner | None = None
        self._told = False

    @property
    def precision(self) -> Precision:
        """In which the features are computed; "float32" where another one has been found to spoil them."""
        return self._how.precision

    def features(self, examples: Sequence[Example], views: Sequence[Example] = (), augment: Augment = "none") -> Store:
        """The store with the features of all these examples; what it lacks is computed first, and said.

        Of `views` also those of `VIEWS` changed views each, as `view_of` calls them.
        """
        store = self._features(examples)
        for view in range(1, VIEWS + 1) if views and augment != "none" else ():
            changed = _distinct([replace(example, content=view_of(example, augment, view)) for example in views])
            if self._lacking(changed):
                keys = Views(Augmentation(augment), view_keys(changed))
                self._compute(changed, f"View {view} of {VIEWS}", keys, view)
        return store

    def _features(self, examples: Sequence[Example]) -> Store:
        examples = _distinct(examples)
        lacking = self._lacking(examples)
        if lacking and self.precision != "float32":
            self._settle(examples)
            lacking = self._lacking(examples)
        known = len(examples) - len(lacking)
        if known and not self._told:
            say(f"Features of {known} of {known + len(lacking)} examples are kept from an earlier run.")
        self._told = True
        if lacking:
            self._compute(examples, "Features")
        return self._store

    def _open(self) -> Store:
        shapes = {name: tensor.shape[1:] for name, tensor in self._front.output.items()}
        return Store({**self._about, "precision": self.precision}, shapes)

    def _go_over_to_float32(self) -> None:
        self._how = replace(self._how, precision="float32")
        self._store = self._open()

    def _lacking(self, examples: Sequence[Example]) -> list[int]:
        return self._store.missing([example.content for example in examples])

    def _settle(self, examples: Sequence[Example]) -> None:
        """Go over to float32 where the precision that is wanted spoils the features of the first examples."""
        some = [example.raw for example in examples[:CHECKED]]
        infer = self._infer(some)
        for _, batch in prepared(some, self._preprocess, Order(len(some), CHECKED), {}):
            if infer.settle(batch) != self.precision:
                self._store.mark_spoilt()
                self._go_over_to_float32()

    def _infer(self, raws: Sequence[Raw]) -> Runner:
        if self._runner is None:
            self._runner = Runner(self._front, prepared_spec(raws, self._preprocess), self._how)
        return self._runner

    def _compute(self, examples: Sequence[Example], title: str, views: Views | None = None, view: int = 0) -> None:
        """Compute what is lacking, in the batches that all of them make: what a killed process lost comes again."""
        raws = [example.raw for example in examples]
        halved, infer = self.precision != "float32", self._infer(raws)

        def run(batch_size: int) -> None:
            lacking = frozenset(self._lacking(examples))
            batches = forward(
                infer, self._preprocess, raws, title, views=views, view=view, needed=lacking, batch_size=batch_size
            )
            try:
                for rows, batch in batches:
                    places = [place for place, row in enumerate(rows) if int(row) in lacking]
                    contents = [examples[rows[place]].content for place in places]
                    self._store.add(contents, {name: array[places] for name, array in batch.items()}, halved=halved)
            finally:
                self._store.flush()

        with_fewer_where_needed(BATCH, run)


def _distinct(examples: Sequence[Example]) -> list[Example]:
    """Each content once, in order."""
    return list({example.content: example for example in reversed(examples)}.values())[::-1]


def view_of(example: Example, augment: Augment, view: int) -> str:
    """The fingerprint of a changed view of a picture; of view 0, the picture as it is, its own."""
    if view == 0:
        return example.content
    return hashlib.blake2b(f"{example.content} {augment} {view}".encode(), digest_size=16).hexdigest()


def view_keys(examples: Sequence[Example]) -> np.ndarray:
    """What decides how each picture is changed: int32 (examples, 2), from its content."""
    import numpy as np

    return np.array([np.frombuffer(bytes.fromhex(example.content)[:8], "int32") for example in examples])


def feature_batches(
    store: Store,
    examples: Sequence[Example],
    encoded: np.ndarray,
    weights: np.ndarray,
    spec: Mapping[str, keras.KerasTensor],
    order: Order,
    augment: Augment = "none",
) -> tf.data.Dataset:
    """Batches of ({feature: rows}, targets, example weights), with augmentation of one kept view of each, in turn."""
    import numpy as np
    import tensorflow as tf

    @functools.lru_cache(maxsize=2)
    def views(epoch: int) -> np.ndarray:
        return np.random.default_rng((order.seed or 0, epoch, 1)).integers(0, VIEWS + 1, order.count)

    def contents(epoch: int, rows: np.ndarray) -> list[str]:
        if augment == "none":
            return [examples[row].content for row in rows]
        return [view_of(examples[row], augment, views(epoch)[row]) for row in rows]

    def read(name: str, epoch: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return store.read(name, contents(int(epoch), rows))

    def gather(epoch: tf.Tensor, rows: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]:
        found = {
            name: tf.ensure_shape(
                tf.numpy_function(functools.partial(read, name), [epoch, rows], tensor.dtype), (None, *tensor.shape[1:])
            )
            for name, tensor in spec.items()
        }
        return found, tf.gather(encoded, rows), tf.gather(weights, rows)

    return order.dataset().map(gather, tf.data.AUTOTUNE).prefetch(2)


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
