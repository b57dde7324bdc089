"""Reads and preprocesses examples and puts them into batches, a few batches ahead of the network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zoo.data.order import Order
from zoo.data.reader import Augmentation, Raw, Reader, Value
from zoo.data.spool import held
from zoo.errors import BadData, ZooError

if TYPE_CHECKING:
    import keras
    import numpy as np
    import tensorflow as tf

Unreadable = dict[int, str]  # position of an example -> why it could not be read


def refuse_unreadable(errors: Unreadable, raws: Sequence[Raw], way_on: str = "start again") -> None:
    """Raise `BadData` if there are examples that could be read when the data was checked, but no longer can."""
    if errors:
        position, reason = next(iter(errors.items()))
        raise BadData(f"{raws[position]} could be read earlier but no longer can ({reason}). Restore it and {way_on}.")


def lengths(raws: Sequence[Raw], reader: Reader) -> np.ndarray | None:
    """The lengths by which `Order` groups the examples, int32; None if they do not matter."""
    import numpy as np

    if not len(raws) or reader.length(held(raws[0])) is None:
        return None
    return np.fromiter((reader.length(held(raw)) or 0 for raw in raws), "int32", len(raws))


class Preprocessing:
    """A backbone's preprocessing, as a graph that is built once. Thread-safe.

    model         a Keras model with one input, or several if an example is a tuple
    augmentation  changes each value before it is preprocessed, by a key, int64 (2,)
    """

    def __init__(self, model: keras.Model, reader: Reader, augmentation: Augmentation | None = None) -> None:
        import tensorflow as tf

        self.model, self.reader = model, reader
        self.one_by_one = None in reader.shape
        self._augmentation = augmentation
        self._several = len(model.inputs) > 1
        batch = 1 if self.one_by_one else None
        spec = [tf.TensorSpec((batch, *reader.shape), reader.dtype)] * len(model.inputs)
        key = [tf.TensorSpec((2,), "int64")] if augmentation is not None else []
        graph = tf.function(lambda values, *key: self.prepare(values, *key), input_signature=[spec, *key])
        self._graph = graph.get_concrete_function()
        if self.one_by_one:
            self._refuse_unmasked_padding()

    @property
    def spec(self) -> Any:
        """The shapes and types of a prepared batch of any number of examples, as `tf.TensorSpec`."""
        import tensorflow as tf

        outputs = self._graph.structured_outputs
        return tf.nest.map_structure(lambda t: tf.TensorSpec((None, *t.shape[1:]), t.dtype), outputs)

    def read(self, raw: Raw) -> tuple[Value, ...]:
        """The value of an example, or both values of a pair; raises `BadData`."""
        value = self.reader.read(raw, self.model.output)
        return value if self._several else (value,)

    def _refuse_unmasked_padding(self) -> None:
        """Shorter inputs are filled up with zeros to the longest in their batch, which the network has to know of."""
        spec = self.spec
        tensors = list(spec.values()) if isinstance(spec, dict) else [spec]
        if "mask" not in (spec if isinstance(spec, dict) else {}) and any(None in t.shape[1:] for t in tensors):
            shapes = ", ".join(str(tuple(t.shape)) for t in tensors)
            raise ZooError(
                f"The preprocessing {self.model.name!r} gives inputs of any length, {shapes}, but no `mask` of ones "
                "beside them. Shorter inputs are filled up with zeros, and without a mask the network cannot tell them "
                "from data. Report this to the author of the plugin; docs/plugins.md says how it is done."
            )

    def prepare(self, values: Sequence[tf.Tensor], key: tf.Tensor | None = None) -> Any:
        """In a graph: turn a batch of values (one batch for each input) into the input of the network."""
        import tensorflow as tf

        if self._augmentation is not None:
            values = [self._augmentation(value[0], key)[tf.newaxis] for value in values]
        inputs = [
            value if value.dtype == tf.string else tf.cast(value, tensor.dtype)
            for value, tensor in zip(values, self.model.inputs, strict=True)
        ]
        return self.model(inputs if self._several else inputs[0])

    def __call__(self, values: Sequence[tuple[Value, ...]], key: np.ndarray | None = None) -> Any:
        """Turn values (only one if `one_by_one`) into numpy arrays, nested like the input of the network."""
        import tensorflow as tf

        columns = [tf.constant(_column(column, self.reader), self.reader.dtype) for column in zip(*values, strict=True)]
        made = self._graph(columns) if key is None else self._graph(columns, tf.constant(key))
        return tf.nest.map_structure(lambda tensor: tensor.numpy(), made)


def training_batches(
    raws: Sequence[Raw],
    preprocessing: Preprocessing,
    order: Order,
    errors: Unreadable,
    keys: np.ndarray | None = None,
) -> tf.data.Dataset:
    """Batches of (rows int64 (batch,), input of the network); `rows` are positions in `raws`.

    An example that cannot be read is replaced by one that is all ones, and the reason is put into `errors`.

    keys  for augmentation: int32 (examples, 2); key and epoch decide how each example is changed
    """
    import numpy as np
    import tensorflow as tf

    reader = preprocessing.reader
    inputs = len(preprocessing.model.inputs)

    def read(rows: np.ndarray) -> list[np.ndarray]:
        values = []
        for row in rows:
            try:
                values.append(preprocessing.read(raws[int(row)]))
            except BadData as error:
                errors[int(row)] = str(error)
                values.append((_nothing(reader),) * inputs)
        return [np.asarray(_column(column, reader)) for column in zip(*values, strict=True)]

    def load(rows: tf.Tensor) -> list[tf.Tensor]:
        values = tf.numpy_function(read, [rows], [tf.as_dtype(reader.dtype)] * inputs)
        return [tf.ensure_shape(value, (None, *reader.shape)) for value in values]

    def prepare(epoch: tf.Tensor, rows: tf.Tensor) -> tuple[tf.Tensor, Any]:
        if keys is None:
            return rows, preprocessing.prepare(load(rows))
        return rows, preprocessing.prepare(load(rows), view_key(tf.gather(keys, rows[0]), epoch))

    if not preprocessing.one_by_one:
        return order.dataset().map(prepare, tf.data.AUTOTUNE).prefetch(2)
    single = order.dataset().flat_map(
        lambda epoch, rows: tf.data.Dataset.from_tensor_slices(rows).map(lambda row: (epoch, row[tf.newaxis]))
    )
    single = single.apply(tf.data.experimental.assert_cardinality(sum(map(len, order.batches()))))
    made = single.map(prepare, tf.data.AUTOTUNE)
    made = made.map(lambda rows, batch: (rows[0], tf.nest.map_structure(lambda tensor: tensor[0], batch)))
    return made.padded_batch(order.batch_size).prefetch(2)


def view_key(key: Any, view: Any) -> tf.Tensor:
    """The key that decides how an example is changed, int64 (2,), from its own, int32 (2,), and the number
    of the view or epoch."""
    import tensorflow as tf

    return tf.random.experimental.stateless_fold_in(key, tf.cast(view, tf.int64))


def with_targets(batches: tf.data.Dataset, encoded: Any, weights: np.ndarray) -> tf.data.Dataset:
    """Turn batches of (rows, prepared) into batches of (prepared, target, example weight).

    Targets and weights stay in NumPy: in a graph, they would be copied several times, and limited to 2 GB.
    """
    import tensorflow as tf

    arrays = [*tf.nest.flatten(encoded), weights]

    def take(rows: np.ndarray) -> list[np.ndarray]:
        return [array[rows] for array in arrays]

    def add(rows: tf.Tensor, inputs: Any) -> tuple[Any, Any, tf.Tensor]:
        taken = tf.numpy_function(take, [rows], [array.dtype for array in arrays], stateful=False)
        for tensor, array in zip(taken, arrays, strict=True):
            tensor.set_shape((None, *array.shape[1:]))
        return inputs, tf.nest.pack_sequence_as(encoded, taken[:-1]), taken[-1]

    return batches.map(add)


def _column(values: Sequence[Value], reader: Reader) -> Any:
    """The values of one input as one array, ready to become a tensor."""
    import numpy as np

    if reader.dtype == "string":
        return np.array([value.encode("utf-8", "replace") for value in values], object)
    return np.stack(values)


def _nothing(reader: Reader) -> Value:
    import numpy as np

    if reader.dtype == "string":
        return ""
    return np.ones([1 if size is None else size for size in reader.shape], reader.dtype)
