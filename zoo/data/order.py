"""In which order, and in which batches, examples are gone through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf

_SORTED_TOGETHER = 50  # batches of texts


@dataclass
class Order:
    """Batches of positions below `count`. With a seed, another order in each `epoch`, which seed and epoch decide.

    lengths  of texts: those of like length come together, in the whole or, with a seed, within 50 batches
    skip     so many batches at the beginning of an epoch are left out
    needed   batches without any of these positions are left out; None: all are needed
    """

    count: int
    batch_size: int
    seed: int | None = None
    lengths: Sequence[int] | None = None
    epoch: int = 0
    skip: int = 0
    needed: frozenset[int] | None = None

    def __len__(self) -> int:
        """Batches."""
        return -(-self.count // self.batch_size) - self.skip if self.needed is None else len(self.batches())

    def batches(self) -> list[np.ndarray]:
        """The batches of this epoch: int64 (batch,) each."""
        batches = self._all()[self.skip :]
        if self.needed is None:
            return batches
        return [rows for rows in batches if not self.needed.isdisjoint(rows.tolist())]

    def _all(self) -> list[np.ndarray]:
        import numpy as np

        chance = np.random.default_rng((self.seed or 0, self.epoch))
        rows = np.arange(self.count) if self.seed is None else chance.permutation(self.count)
        if self.lengths is None:
            return self._split(rows)
        lengths = np.asarray(self.lengths)
        together = self.count if self.seed is None else self.batch_size * _SORTED_TOGETHER
        windows = np.split(rows, range(together, self.count, together))
        rows = np.concatenate([window[np.argsort(lengths[window], kind="stable")] for window in windows])
        batches = self._split(rows)
        if self.seed is None:
            return batches
        *whole, last = batches  # the last one may be smaller, and stays the last
        return [whole[place] for place in chance.permutation(len(whole))] + [last]

    def dataset(self) -> tf.data.Dataset:
        """(epoch int64 (), rows int64 (batch,)); gone through again, in the order of `epoch` as it is then."""
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
