"""From examples to batches of what a network takes, read and prepared in parallel, a few at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.data.examples import Raw
from zoo.data.pictures import read_picture
from zoo.errors import BadData

if TYPE_CHECKING:
    import keras
    import numpy as np
    import tensorflow as tf

Unreadable = dict[str, str]  # path of a picture -> why it could not be read

_SORTED_TOGETHER = 50  # batches of texts


def refuse_unreadable(errors: Unreadable) -> None:
    """Raise `BadData` for pictures that could be read when the data was checked, and no longer can."""
    if errors:
        path, reason = next(iter(errors.items()))
        raise BadData(f"{path} could be read at first, and no longer can ({reason}); bring it back and start again.")


def prepared(
    raws: Sequence[Raw], preprocess: keras.Model, batch_size: int, errors: Unreadable, seed: int | None = None
) -> tf.data.Dataset:
    """Batches of (rows int64 (batch,), what `preprocess` makes of them); `rows` are positions in `raws`.

    Each picture, of any size, goes through `preprocess` on its own; in the place of one that cannot be read stands a
    white one, and the reason is put into `errors`. Texts of like length share a batch, which is as long as its longest.
    With a seed, in another order each time the batches are gone through.
    """
    if isinstance(raws[0], Path):
        return _pictures([raw for raw in raws if isinstance(raw, Path)], preprocess, batch_size, errors, seed)
    texts = [(raw,) if isinstance(raw, str) else raw for raw in raws if not isinstance(raw, Path)]
    return _texts(texts, preprocess, batch_size, seed)


def with_targets(batches: tf.data.Dataset, encoded: np.ndarray, weights: np.ndarray) -> tf.data.Dataset:
    """From batches of (rows, prepared) to batches of (prepared, target, example weight)."""
    import tensorflow as tf

    return batches.map(lambda rows, inputs: (inputs, tf.gather(encoded, rows), tf.gather(weights, rows)))


def _pictures(
    paths: Sequence[Path], preprocess: keras.Model, batch_size: int, errors: Unreadable, seed: int | None
) -> tf.data.Dataset:
    import numpy as np
    import tensorflow as tf

    def read(row: np.ndarray) -> np.ndarray:
        path = paths[int(row)]
        try:
            return read_picture(path)
        except BadData as error:
            errors[str(path)] = str(error)
            return np.full((1, 1, 3), 255, "uint8")

    def prepare(row: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        pixels = tf.ensure_shape(tf.numpy_function(read, [row], tf.uint8), (None, None, 3))
        return row, preprocess(tf.cast(pixels, tf.float32)[tf.newaxis])[0]

    return _shuffled(len(paths), seed).map(prepare, tf.data.AUTOTUNE).batch(batch_size).prefetch(2)


def _texts(
    texts: Sequence[tuple[str, ...]], preprocess: keras.Model, batch_size: int, seed: int | None
) -> tf.data.Dataset:
    import tensorflow as tf

    columns = [tf.constant([text.encode("utf-8", "replace") for text in column]) for column in zip(*texts, strict=True)]
    lengths = tf.constant([sum(map(len, text)) for text in texts])
    together = len(texts) if seed is None else batch_size * _SORTED_TOGETHER

    def by_length(rows: tf.Tensor) -> tf.Tensor:
        return tf.gather(rows, tf.argsort(tf.gather(lengths, rows), stable=True))

    def prepare(rows: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        parts = [tf.gather(column, rows) for column in columns]
        return rows, preprocess(parts[0] if len(parts) == 1 else parts)

    rows = _shuffled(len(texts), seed).batch(together).map(by_length).unbatch().batch(batch_size)
    rows = rows.apply(tf.data.experimental.assert_cardinality(-(-len(texts) // batch_size)))
    if seed is not None:
        rows = rows.shuffle(_SORTED_TOGETHER, seed=seed, reshuffle_each_iteration=True)
    return rows.map(prepare, tf.data.AUTOTUNE).prefetch(2)


def _shuffled(count: int, seed: int | None) -> tf.data.Dataset:
    import tensorflow as tf

    rows = tf.data.Dataset.range(count)
    return rows if seed is None else rows.shuffle(count, seed=seed, reshuffle_each_iteration=True)
