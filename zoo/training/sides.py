"""The examples of one split, encoded, as batches for training or judging."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from zoo.compose.task import Task
from zoo.data.augment import Augment, Augmentation
from zoo.data.examples import Example
from zoo.data.order import Order
from zoo.data.pipeline import Unreadable, Views, prepared, text_lengths, with_targets
from zoo.features.store import Store
from zoo.training.features import feature_batches, view_keys

if TYPE_CHECKING:
    import keras
    import numpy as np
    import tensorflow as tf


class Side:
    """One split; with a seed, its examples are gone through in another order in each epoch.

    order  tells which, and follows the number of the epoch that is set in it
    """

    def __init__(
        self, examples: list[Example], task: Task, batch_size: int, seed: int | None = None, augment: Augment = "none"
    ) -> None:
        import numpy as np

        self.examples, self.augment = examples, augment
        self.encoded = task.encode([example.target for example in examples])
        self.weights: np.ndarray = np.ones(len(examples), "float32")
        self._raws = [example.raw for example in examples]
        self.order = Order(len(examples), batch_size, seed)

    def skipping(self, batches: int) -> Side:
        """This side without the first batches of an epoch."""
        other = copy.copy(self)
        other.order = replace(self.order, skip=batches)
        return other

    def feature_batches(self, spec: Mapping[str, keras.KerasTensor], store: Store) -> tf.data.Dataset:
        """Batches of ({feature: rows}, targets, example weights)."""
        lengths_differ = any(None in tensor.shape[1:] for tensor in spec.values())
        self.order.lengths = text_lengths(self._raws) if lengths_differ else None
        return feature_batches(store, self.examples, self.encoded, self.weights, spec, self.order, self.augment)

    def raw_batches(self, preprocess: keras.Model, errors: Unreadable) -> tf.data.Dataset:
        """Batches of (prepared input, targets, example weights)."""
        self.order.lengths = text_lengths(self._raws)
        views = None
        if self.augment != "none":
            keys = view_keys(self.examples) ^ (self.order.seed or 0)
            views = Views(Augmentation(self.augment), keys)
        return with_targets(prepared(self._raws, preprocess, self.order, errors, views), self.encoded, self.weights)
