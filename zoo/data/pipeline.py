"""From examples to batches of what a network takes, read and prepared in parallel, a few at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.data.augment import Augmentation
from zoo.data.examples import Raw
from zoo.data.order import Order
from zoo.data.pictures import read_picture
from zoo.errors import BadData

if TYPE_CHECKING:
    import keras
    import numpy as np
    import tensorflow as tf

Unreadable = dict[str, str]  # path of a picture -> why it could not be read


@dataclass(frozen=True)
class Views:
    """Which view of each picture is taken: `keys` int32 (examples, 2) and the epoch decide how it is changed."""

    augmentation: Augmentation
    keys: np.ndarray


def refuse_unreadable(errors: Unreadable) -> None:
    """Raise `BadData` for pictures that could be read when the data was checked, and no longer can."""
    if errors:
        path, reason = next(iter(errors.items()))
        raise BadData(f"{path} could be read at first, and no longer can ({reason}); bring it back and start again.")


def text_lengths(raws: Sequence[Raw]) -> list[int] | None:
    """The lengths by which texts are put together in `Order`; None for pictures."""
    if isinstance(raws[0], Path):
        return None
    return [len(raw) if isinstance(raw, str) else sum(map(len, raw)) for raw in raws if not isinstance(raw, Path)]


def prepared(
    raws: Sequence[Raw], preprocess: keras.Model, order: Order, errors: Unreadable, views: Views | None = None
) -> tf.data.Dataset:
    """Batches of (rows int64 (batch,), what `preprocess` makes of them); `rows` are positions in `raws`.

    Each picture, of any size, goes through `preprocess` on its own; in the place of one that cannot be read stands a
    white one, and the reason is put into `errors`. A batch of texts is as long as its longest.
    """
    if isinstance(raws[0], Path):
        return _pictures([raw for raw in raws if isinstance(raw, Path)], preprocess, order, errors, views)
    texts = [(raw,) if isinstance(raw, str) else raw for raw in raws if not isinstance(raw, Path)]
    return _texts(texts, preprocess, order)


def with_targets(batches: tf.data.Dataset, encoded: np.ndarray, weights: np.ndarray) -> tf.data.Dataset:
    """From batches of (rows, prepared) to batches of (prepared, target, example weight)."""
    import tensorflow as tf

    return batches.map(lambda rows, inputs: (inputs, tf.gather(encoded, rows), tf.gather(weights, rows)))


def _pictures(
    paths: Sequence[Path], preprocess: keras.Model, order: Order, errors: Unreadable, views: Views | None
) -> tf.data.Dataset:
    import keras
    import numpy as np
    import tensorflow as tf

    size = preprocess.output.shape[1:3]
    enough = 2 * max(size)  # twice what the network takes: resizing it gives the same picture

    def read(row: np.ndarray) -> np.ndarray:
        path = paths[int(row)]
        try:
            return read_picture(path, enough)
        except BadData as error:
            errors[str(path)] = str(error)
            return np.full((1, 1, 3), 255, "uint8")

    def prepare(epoch: tf.Tensor, row: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        pixels = tf.ensure_shape(tf.numpy_function(read, [row], tf.uint8), (None, None, 3))
        pixels = tf.cast(pixels, tf.float32)[tf.newaxis]
        if views is not None:
            key = tf.random.experimental.stateless_fold_in(tf.gather(views.keys, row), epoch)
            pixels = keras.ops.image.resize(pixels, size, interpolation="bilinear", antialias=True)
            pixels = views.augmentation(pixels[0], key)[tf.newaxis]
        return row, preprocess(pixels)[0]

    rows = order.dataset().flat_map(
        lambda epoch, rows: tf.data.Dataset.from_tensor_slices(rows).map(lambda row: (epoch, row))
    )
    rows = rows.apply(tf.data.experimental.assert_cardinality(sum(map(len, order.batches()))))
    return rows.map(prepare, tf.data.AUTOTUNE).batch(order.batch_size).prefetch(2)


def _texts(texts: Sequence[tuple[str, ...]], preprocess: keras.Model, order: Order) -> tf.data.Dataset:
    import tensorflow as tf

    columns = [tf.constant([text.encode("utf-8", "replace") for text in column]) for column in zip(*texts, strict=True)]

    def prepare(_: tf.Tensor, rows: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        parts = [tf.gather(column, rows) for column in columns]
        return rows, preprocess(parts[0] if len(parts) == 1 else parts)

    return order.dataset().map(prepare, tf.data.AUTOTUNE).prefetch(2)
