"""Integrated gradients of texts, through any network whose word table TensorFlow can differentiate.

The table itself is changed, in a copy of the model that nobody else uses: so nothing has to be known of the network,
which may be a SavedModel. Source: Sundararajan, Taly and Yan, "Axiomatic Attribution for Deep Networks" (2017).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.compose.explained import Measure
from zoo.compose.model import Parts
from zoo.prediction.heat import of_each

if TYPE_CHECKING:
    import numpy as np

BOUND = 0.05  # the largest error, as a share of all evidence

_STEPS = (16, 32, 64)  # with more of them, only for the texts whose error is above the bound


@dataclass(frozen=True)
class Attributions:
    """The evidence of each token, in units of what is explained.

    tokens  float64 (examples, tokens); 0 for tokens that belong to no word
    errors  float64 (examples,): how far the sum misses the difference that the words make, as a share of all evidence
    """

    tokens: np.ndarray
    errors: np.ndarray


class Integrated:
    """Integrated gradients from word vectors of zero to those of the texts. Thread-safe.

    copy  makes the parts of the model anew, sharing no variable with another model; called when they are first needed
    """

    def __init__(self, copy: Callable[[], Parts]) -> None:
        self._copy, self._alone = copy, threading.Lock()
        self._parts: Parts | None = None
        self._table: tuple[Any, str | None] | None = None

    def ids_in(self, prepared: Any, measures: Sequence[Measure]) -> str | None:
        """Which input of the network holds the ids of the words, by its name; None if there is no table to change.

        prepared  input of the network: {name: (examples, tokens)}
        """
        with self._alone:
            return self._found(prepared, measures)[1]

    def __call__(self, prepared: Any, measures: Sequence[Measure], of_words: np.ndarray) -> Attributions:
        """The evidence of the tokens.

        of_words  bool (examples, tokens): the tokens that belong to words; the others stay as they are
        """
        import numpy as np

        with self._alone:
            table, ids_name = self._found(prepared, measures)
            assert ids_name is not None
            tokens, errors = self._refined(prepared, measures, of_words, table, ids_name, _STEPS[0])
            for steps in _STEPS[1:]:
                rows = np.flatnonzero(errors > BOUND).tolist()
                if not rows:
                    break
                some = {name: array[rows] for name, array in prepared.items()}
                chosen = [measures[row] for row in rows]
                tokens[rows], errors[rows] = self._refined(some, chosen, of_words[rows], table, ids_name, steps)
            return Attributions(tokens, errors)

    def _found(self, prepared: Any, measures: Sequence[Measure]) -> tuple[Any, str | None]:
        """The word table, and the input with its ids: the table with most rows that only some rows are taken from."""
        import numpy as np
        import tensorflow as tf

        if self._table is None:
            self._parts = self._parts or self._copy()
            ids = {n: np.asarray(a).ravel() for n, a in prepared.items() if np.asarray(a).dtype.kind in "iu"}
            variables = [weight.value for weight in self._parts.network.variables if len(weight.shape) == 2]
            variables = [one for one in variables if one.dtype.is_floating]
            try:
                _, gradients = self._gradients(prepared, measures, variables)
            except LookupError:  # an operation has no gradient
                gradients = [None] * len(variables)
            tables = [
                (variable, name)
                for variable, gradient in zip(variables, gradients, strict=True)
                if isinstance(gradient, tf.IndexedSlices)
                for name, array in ids.items()
                if np.array_equal(np.asarray(gradient.indices).ravel(), array)
            ]
            self._table = max(tables, key=lambda one: int(one[0].shape[0]), default=(None, None))
        return self._table

    def _gradients(
        self, prepared: Any, measures: Sequence[Measure], variables: Sequence[Any]
    ) -> tuple[np.ndarray, list[Any]]:
        """What is explained about each example, float64 (examples,), and the gradients of the sum."""
        import tensorflow as tf

        assert self._parts is not None
        entry = tf.nest.map_structure(tf.convert_to_tensor, prepared)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            features = self._parts.network(entry, training=False)
            read = {name: features[name] for name in self._parts.head.input}
            values = of_each(self._parts.head(read, training=False), measures)
            total = tf.reduce_sum(values)
        return values.numpy(), tape.gradient(total, variables)

    def _refined(
        self, prepared: Any, measures: Sequence[Measure], of_words: np.ndarray, table: Any, ids_name: str, steps: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Evidence and errors with a number of steps, at the places and with the weights of Gauss and Legendre."""
        import numpy as np
        import tensorflow as tf

        ids = np.asarray(prepared[ids_name])
        rows = np.unique(ids[of_words])
        if not len(rows):
            return np.zeros(ids.shape), np.zeros(len(ids))
        vectors = tf.gather(table, rows).numpy()
        place = np.clip(np.searchsorted(rows, ids), 0, len(rows) - 1)
        moved = vectors[place] * (rows[place] == ids)[..., np.newaxis]  # (examples, tokens, dim)

        def at(share: float) -> tuple[np.ndarray, np.ndarray]:
            table.scatter_update(tf.IndexedSlices(tf.constant(vectors * share, table.dtype), rows))
            values, (gradient,) = self._gradients(prepared, measures, [table])
            return values, np.asarray(gradient.values).reshape(moved.shape)

        try:
            nodes, weights = np.polynomial.legendre.leggauss(steps)
            evidence = sum(w / 2 * (at((x + 1) / 2)[1] * moved).sum(-1) for x, w in zip(nodes, weights, strict=True))
            difference = at(1.0)[0] - at(0.0)[0]
        finally:
            table.scatter_update(tf.IndexedSlices(tf.constant(vectors, table.dtype), rows))
        evidence = np.asarray(evidence, "float64")
        errors = np.abs(evidence.sum(1) - difference) / np.maximum(np.abs(evidence).sum(1), 1e-9)
        return np.where(of_words, evidence, 0), errors
