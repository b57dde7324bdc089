"""Running the frozen backbone once for each example, and training batches from what it gave."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.data.examples import Raw
from zoo.runs.forward import forward

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf

    from zoo.compose.encoder import Encoder


def compute_features(encoder: Encoder, feature: str, raws: Sequence[Raw], file: Path, title: str) -> np.ndarray:
    """A feature of the frozen network for each example: a memory-mapped array (examples, ...) in `file`."""
    import keras
    import numpy as np

    network = keras.Model(encoder.network.input, encoder.network.output[feature])
    array = np.lib.format.open_memmap(file, mode="w+", dtype="float32", shape=(len(raws), *network.output.shape[1:]))
    for rows, batch in forward(network, encoder.preprocess, raws, title):
        array[rows] = batch
    return array


def feature_batches(
    feature: str, array: np.ndarray, encoded: np.ndarray, weights: np.ndarray, batch_size: int, seed: int | None
) -> tf.data.Dataset:
    """Batches of ({feature: rows}, targets, example weights); in another order each epoch where there is a seed."""
    import tensorflow as tf

    order = tf.data.Dataset.range(len(array))
    if seed is not None:
        order = order.shuffle(len(array), seed=seed, reshuffle_each_iteration=True)

    def gather(rows: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]:
        found = tf.numpy_function(lambda index: array[index], [rows], tf.float32)
        found = tf.ensure_shape(found, (None, *array.shape[1:]))
        return {feature: found}, tf.gather(encoded, rows), tf.gather(weights, rows)

    return order.batch(batch_size).map(gather, tf.data.AUTOTUNE).prefetch(2)
