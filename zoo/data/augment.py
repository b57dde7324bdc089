"""Augmentation of pictures: changed views of them, for training only."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from zoo.data.reader import Augmentation

if TYPE_CHECKING:
    import tensorflow as tf


class PictureAugmentation(Augmentation):
    """Resizes pictures with values 0..255 to `size` (height, width), and changes them at random.

    light   mirrored; moved, rotated and scaled a little; a little brighter or darker
    strong  more of each; also contrast, saturation, and an erased part
    """

    def __init__(self, level: str, size: tuple[int, int]) -> None:
        import keras

        self._size = size
        layers = keras.layers
        far = level == "strong"
        self._layers = [
            layers.RandomFlip("horizontal"),
            layers.RandomTranslation(0.2 if far else 0.08, 0.2 if far else 0.08),
            layers.RandomRotation(0.08 if far else 0.03),
            layers.RandomZoom(0.25 if far else 0.1),
            layers.RandomBrightness(0.3 if far else 0.1, value_range=(0, 255)),
        ]
        if far:
            self._layers += [
                layers.RandomContrast(0.2, value_range=(0, 255)),
                layers.RandomSaturation((0.4, 0.6), value_range=(0, 255)),
                layers.RandomErasing(0.5, scale=(0.02, 0.2), value_range=(0, 255)),
            ]

    def __call__(self, value: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
        """Change a picture (height, width, 3) of any size, by a key, int64 (2,); returns float32 pixels of `size`."""
        import keras
        import tensorflow as tf

        batch = tf.cast(value, tf.float32)[tf.newaxis]
        batch = keras.ops.image.resize(batch, self._size, interpolation="bilinear", antialias=True)
        for number, layer in enumerate(self._layers):
            seed = _key_class()(tf.random.experimental.stateless_fold_in(key, number))
            change = layer.get_random_transformation(batch, training=True, seed=seed)
            batch = layer.transform_images(batch, change, training=True)
        return tf.ensure_shape(tf.clip_by_value(batch, 0, 255)[0], (*self._size, 3))


@functools.cache
def _key_class() -> Any:
    import keras
    import tensorflow as tf

    class Key(keras.random.SeedGenerator):
        """Derives seeds from a key. Keras's own class counts up a variable, so `super().__init__` is not called."""

        def __init__(self, key: tf.Tensor) -> None:
            self._key, self._drawn = key, 0

        def next(self, ordered: bool = True) -> Any:
            self._drawn += 1
            return tf.cast(tf.random.experimental.stateless_fold_in(self._key, 1000 + self._drawn), tf.uint32)

    return Key
