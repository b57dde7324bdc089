"""Running pictures through a model, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.data.pipeline import Unreadable, prepared, refuse_unreadable
from zoo.progress import step

if TYPE_CHECKING:
    import keras
    import numpy as np

BATCH = 32


def forward(
    model: keras.Model, preprocess: keras.Model, paths: Sequence[Path], title: str, errors: Unreadable | None = None
) -> Iterator[np.ndarray]:
    """The outputs of a model that takes prepared input, for pictures in their order, batch by batch.

    A picture that cannot be read is put into `errors`, with the reason, and its output means nothing; where no `errors`
    are given it raises `BadData`.
    """
    import tensorflow as tf

    unreadable: Unreadable = {} if errors is None else errors
    batches = prepared(paths, preprocess, BATCH, unreadable)

    @tf.function(input_signature=[batches.element_spec])  # type: ignore[untyped-decorator]
    def infer(batch: tf.Tensor) -> tf.Tensor:
        return model(batch, training=False)

    with step(title, len(paths), "pictures") as advance:
        for batch in batches:
            yield infer(batch).numpy()
            advance(len(batch))
    if errors is None:
        refuse_unreadable(unreadable)
