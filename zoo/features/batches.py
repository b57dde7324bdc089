"""Batches of cached features, for training a head and for getting its answers."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from zoo.data.batches import with_targets
from zoo.data.examples import Example
from zoo.data.order import Order
from zoo.features.extractor import VIEWS, view_of
from zoo.features.store import Store
from zoo.inference.arrays import Arrays, each
from zoo.inference.forward import BATCH

if TYPE_CHECKING:
    import keras
    import numpy as np
    import tensorflow as tf


def feature_batches(
    store: Store,
    examples: Sequence[Example],
    encoded: Arrays,
    weights: np.ndarray,
    spec: Mapping[str, keras.KerasTensor],
    order: Order,
    augment: str = "none",
) -> tf.data.Dataset:
    """Batches of ({feature: rows}, targets, example weights); with augmentation, of a random view of each example."""
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

    def gather(epoch: tf.Tensor, rows: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        return rows, {
            name: tf.ensure_shape(
                tf.numpy_function(functools.partial(read, name), [epoch, rows], tensor.dtype), (None, *tensor.shape[1:])
            )
            for name, tensor in spec.items()
        }

    return with_targets(order.dataset().map(gather, tf.data.AUTOTUNE), encoded, weights).prefetch(2)


def head_outputs(model: keras.Model, store: Store, examples: Sequence[Example]) -> Iterator[tuple[np.ndarray, Arrays]]:
    """The outputs of a model that takes features, in the order of the examples: pieces of (positions, arrays)."""
    import numpy as np
    import tensorflow as tf

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def infer(batch: dict[str, tf.Tensor]) -> tf.Tensor:
        return model(batch, training=False)

    for rows in np.array_split(np.arange(len(examples)), range(BATCH, len(examples), BATCH)):
        contents = [examples[row].content for row in rows]
        batch = infer({name: store.read(name, contents) for name in model.input})
        yield rows, each(batch, np.asarray)
