"""From examples to batches of what a network takes, read and prepared in parallel, a few at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.data.pictures import read_picture
from zoo.errors import BadData

if TYPE_CHECKING:
    import keras
    import numpy as np
    import tensorflow as tf


Unreadable = dict[str, str]  # path of a picture -> why it could not be read


def refuse_unreadable(errors: Unreadable) -> None:
    """Raise `BadData` for pictures that could be read when the data was checked, and no longer can."""
    if errors:
        path, reason = next(iter(errors.items()))
        raise BadData(f"{path} could be read at first, and no longer can ({reason}); bring it back and start again.")


def prepared(paths: Sequence[Path], preprocess: keras.Model, batch_size: int, errors: Unreadable) -> tf.data.Dataset:
    """Batches of prepared pictures, in order: each picture of any size goes through `preprocess` on its own.

    In the place of a picture that cannot be read stands a white one; the reason is put into `errors`.
    """
    import tensorflow as tf

    names = tf.data.Dataset.from_tensor_slices([os.fsencode(path) for path in paths])
    return names.map(_prepare(preprocess, errors), tf.data.AUTOTUNE).batch(batch_size).prefetch(2)


def with_targets(
    paths: Sequence[Path],
    encoded: np.ndarray,
    weights: np.ndarray,
    preprocess: keras.Model,
    batch_size: int,
    seed: int | None,
    errors: Unreadable,
) -> tf.data.Dataset:
    """Batches of (prepared picture, target, example weight); in another order each epoch where there is a seed."""
    import tensorflow as tf

    rows = tf.data.Dataset.from_tensor_slices(([os.fsencode(path) for path in paths], encoded, weights))
    if seed is not None:
        rows = rows.shuffle(len(paths), seed=seed, reshuffle_each_iteration=True)
    prepare = _prepare(preprocess, errors)
    rows = rows.map(lambda path, target, weight: (prepare(path), target, weight), tf.data.AUTOTUNE)
    return rows.batch(batch_size).prefetch(2)


def _prepare(preprocess: keras.Model, errors: Unreadable) -> Callable[[tf.Tensor], tf.Tensor]:
    import numpy as np
    import tensorflow as tf

    def read(name: bytes) -> np.ndarray:
        path = os.fsdecode(name)
        try:
            return read_picture(Path(path))
        except BadData as error:
            errors[path] = str(error)
            return np.full((1, 1, 3), 255, "uint8")

    def prepare(path: tf.Tensor) -> tf.Tensor:
        pixels = tf.ensure_shape(tf.numpy_function(read, [path], tf.uint8), (None, None, 3))
        return preprocess(tf.cast(pixels, tf.float32)[tf.newaxis])[0]

    return prepare
