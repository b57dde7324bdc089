"""Running pictures through a model, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.data.pipeline import Unreadable, prepared
from zoo.progress import step

if TYPE_CHECKING:
    import keras
    import numpy as np

BATCH = 32


def forward(
    model: keras.Model, preprocess: keras.Model, paths: Sequence[Path], title: str, errors: Unreadable
) -> Iterator[np.ndarray]:
    """The outputs of a model that takes prepared input, for pictures in their order, batch by batch."""
    import tensorflow as tf

    batches = prepared(paths, preprocess, BATCH, errors)

    @tf.function(input_signature=[batches.element_spec])  # type: ignore[untyped-decorator]
    def infer(batch: tf.Tensor) -> tf.Tensor:
        return model(batch, training=False)

    with step(title, len(paths), "pictures") as advance:
        for batch in batches:
            yield infer(batch).numpy()
            advance(len(batch))
