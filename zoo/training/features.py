"""Running the frozen backbone once for each example, and training batches from what it gave."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from zoo.data.examples import Raw
from zoo.inference.precision import Precision
from zoo.runs.forward import forward

if TYPE_CHECKING:
    import keras
    import numpy as np
    import tensorflow as tf

    from zoo.compose.encoder import Encoder


class FeatureFile:
    """One feature of each example on disk, read where it lies: arrays of one shape, or of one row for each word.

    Examples are added in any order, a batch at a time; those of one batch have the same length.
    """

    def __init__(self, path: Path, spec: keras.KerasTensor, count: int) -> None:
        import numpy as np

        self.shape = spec.shape
        self.dtype, self._path = np.dtype("int32" if "int" in spec.dtype else "float32"), path
        self._each = tuple(size for size in spec.shape[1:] if size is not None)
        self._ragged = len(self._each) < len(spec.shape) - 1
        self._starts, self._lengths = np.zeros(count, "int64"), np.zeros(count, "int64")
        self._end = 0
        self._file: BinaryIO = path.open("wb")
        self._values: np.ndarray = np.empty(0)

    def add(self, rows: np.ndarray, batch: np.ndarray) -> None:
        """Write the feature of the examples `rows`: `batch` (rows, ...)."""
        import numpy as np

        length = batch.shape[1] if self._ragged else 1
        self._starts[rows] = self._end + np.arange(len(rows)) * length
        self._lengths[rows] = length
        self._end += len(rows) * length
        self._file.write(np.ascontiguousarray(batch, self.dtype).data)

    def close(self) -> None:
        """Nothing more is added; from now on it can be read."""
        import numpy as np

        self._file.close()
        shape = (self._end, *self._each)
        empty = self._end == 0  # there is nothing to map then
        self._values = np.zeros(shape, self.dtype) if empty else np.memmap(self._path, self.dtype, "r", shape=shape)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """The feature of the examples `rows`; shorter ones are filled up with zeros to the longest."""
        import numpy as np

        starts, lengths = self._starts[rows], self._lengths[rows]
        if not self._ragged:
            return np.asarray(self._values[starts])
        batch = np.zeros((len(rows), lengths.max(initial=0), *self._each), self.dtype)
        for place, (start, length) in enumerate(zip(starts, lengths, strict=True)):
            batch[place, :length] = self._values[start : start + length]
        return batch


Features = dict[str, FeatureFile]


def compute_features(
    encoder: Encoder, names: Sequence[str], raws: Sequence[Raw], folder: Path, title: str, precision: Precision
) -> Features:
    """Features of the frozen network for each example, in files in a new `folder`."""
    import keras

    folder.mkdir()
    outputs = {name: encoder.network.output[name] for name in names}
    features = {name: FeatureFile(folder / name, tensor, len(raws)) for name, tensor in outputs.items()}
    network = keras.Model(encoder.network.input, outputs)
    for rows, batch in forward(network, encoder.preprocess, raws, title, precision=precision):
        for name, feature in features.items():
            feature.add(rows, batch[name])
    for feature in features.values():
        feature.close()
    return features


def feature_batches(
    features: Features, encoded: np.ndarray, weights: np.ndarray, batch_size: int, seed: int | None
) -> tf.data.Dataset:
    """Batches of ({feature: rows}, targets, example weights); in another order each epoch where there is a seed."""
    import tensorflow as tf

    order = tf.data.Dataset.range(len(encoded))
    if seed is not None:
        order = order.shuffle(len(encoded), seed=seed, reshuffle_each_iteration=True)

    def gather(rows: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]:
        found = {
            name: tf.ensure_shape(tf.numpy_function(feature.read, [rows], feature.dtype), feature.shape)
            for name, feature in features.items()
        }
        return found, tf.gather(encoded, rows), tf.gather(weights, rows)

    return order.batch(batch_size).map(gather, tf.data.AUTOTUNE).prefetch(2)
