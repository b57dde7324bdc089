"""The order of the examples in an epoch, and their batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf

_SORTED_TOGETHER = 50  # batches of texts


@dataclass
class Order:
    """Batches of positions below `count`. With a seed, every `epoch` has its own order, fixed by seed and epoch.

    lengths  of the texts: similar lengths are put together, among all texts or, with a seed, among those of 50 batches
    skip     leave out this many batches at the start of the epoch
    needed   leave out batches without any position that is needed, bool (count,); None: all are needed
    """

    count: int
    batch_size: int
    seed: int | None = None
    lengths: np.ndarray | None = None
    epoch: int = 0
    skip: int = 0
    needed: np.ndarray | None = None

    def __len__(self) -> int:
        """The number of batches."""
        return -(-self.count // self.batch_size) - self.skip if self.needed is None else len(self.batches())

    def batches(self) -> list[np.ndarray]:
        """The batches of this epoch: int64 (batch,) each."""
        batches = self._all()[self.skip :]
        if self.needed is None:
            return batches
        return [rows for rows in batches if self.needed[rows].any()]

    def _all(self) -> list[np.ndarray]:
        import numpy as np

        chance = np.random.default_rng((self.seed or 0, self.epoch))
        rows = np.arange(self.count) if self.seed is None else chance.permutation(self.count)
        if self.lengths is None:
            return self._split(rows)
        together = self.count if self.seed is None else self.batch_size * _SORTED_TOGETHER
        windows = np.split(rows, range(together, self.count, together))
        rows = np.concatenate([window[np.argsort(self.lengths[window], kind="stable")] for window in windows])
        batches = self._split(rows)
        if self.seed is None:
            return batches
        *whole, last = batches  # the last one may be smaller, so it stays last
        return [whole[place] for place in chance.permutation(len(whole))] + [last]

    def dataset(self) -> tf.data.Dataset:
        """(epoch int64 (), rows int64 (batch,)) for each batch; each iteration uses the current value of `epoch`."""
        import tensorflow as tf

        def generate() -> Iterator[tuple[int, np.ndarray]]:
            epoch = self.epoch
            for rows in self.batches():
                yield epoch, rows

        signature = tf.TensorSpec((), tf.int64), tf.TensorSpec((None,), tf.int64)
        batches = tf.data.Dataset.from_generator(generate, output_signature=signature)
        return batches.apply(tf.data.experimental.assert_cardinality(len(self)))

    def _split(self, rows: np.ndarray) -> list[np.ndarray]:
        import numpy as np

        return np.split(rows, range(self.batch_size, self.count, self.batch_size))
