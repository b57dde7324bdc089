"""The examples of one split with encoded targets, as batches for training or validation."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from zoo.compose.task import Task
from zoo.data.batches import (
    Preprocessing,
    Unreadable,
    lengths,
    refuse_unreadable,
    training_batches,
    with_targets,
)
from zoo.data.examples import Example
from zoo.data.order import Order
from zoo.data.reader import Raw, Reader
from zoo.features.batches import feature_batches
from zoo.features.extractor import view_keys
from zoo.features.store import Store

if TYPE_CHECKING:
    import keras
    import numpy as np
    import tensorflow as tf


class EncodedSplit:
    """One split; with a seed, its examples come in another order in each epoch.

    order  the order of the examples; depends on the epoch that is set in it
    """

    def __init__(
        self,
        examples: list[Example],
        task: Task,
        reader: Reader,
        batch_size: int,
        seed: int | None = None,
        augment: str = "none",
    ) -> None:
        import numpy as np

        self.examples, self.augment = examples, augment
        self.encoded = task.encode([example.target for example in examples])
        self.weights: np.ndarray = np.ones(len(examples), "float32")
        self._reader = reader
        self._errors: Unreadable = {}
        self.order = Order(len(examples), batch_size, seed)

    def skipping(self, batches: int) -> EncodedSplit:
        """This split without the first batches of an epoch."""
        other = copy.copy(self)
        other.order = replace(self.order, skip=batches)
        return other

    def feature_batches(self, spec: Mapping[str, keras.KerasTensor], store: Store) -> tf.data.Dataset:
        """Batches of ({feature: rows}, targets, example weights)."""
        lengths_differ = any(None in tensor.shape[1:] for tensor in spec.values())
        self.order.lengths = lengths(self._raws(), self._reader) if lengths_differ else None
        return feature_batches(store, self.examples, self.encoded, self.weights, spec, self.order, self.augment)

    def raw_batches(self, plain: Preprocessing) -> tf.data.Dataset:
        """Batches of (prepared input, targets, example weights)."""
        raws = self._raws()
        self.order.lengths = lengths(raws, self._reader)
        preprocessing, keys = plain, None
        if self.augment != "none":
            reader, model = plain.reader, plain.model
            preprocessing = Preprocessing(model, reader, reader.augmentation(self.augment, model))
            keys = view_keys(self.examples) ^ (self.order.seed or 0)
        batches = training_batches(raws, preprocessing, self.order, self._errors, keys)
        return with_targets(batches, self.encoded, self.weights)

    def refuse_unreadable(self, way_on: str) -> None:
        """Raise `BadData` for an example that could be read when the data was checked, but no longer can."""
        if self._errors:
            refuse_unreadable(self._errors, self._raws(), way_on)

    def _raws(self) -> list[Raw]:
        return [example.kept for example in self.examples]
