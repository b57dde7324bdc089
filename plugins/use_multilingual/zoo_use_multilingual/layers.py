"""The layers that Keras lacks: SentencePiece, whose model travels in the saved model, and the word table."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
import tensorflow_text as text

_PACKAGE = "zoo_use_multilingual"
_UNKNOWN, _START, _END = 0, 1, 2
_SPACE = "\u2581"  # as a piece
_STEP = 8  # tokens; each new length of a batch costs time, because it needs its own kernels


def pieces_of(model: bytes) -> int:
    """The number of pieces of a SentencePiece model, given as the bytes of its file; raises `ValueError` for others."""
    try:
        return int(text.SentencepieceTokenizer(model).vocab_size())
    except tf.errors.OpError:
        raise ValueError("its SentencePiece model cannot be read") from None


def _tokens_and_pieces(model: bytes) -> Callable[[tf.Tensor], tuple[tf.RaggedTensor, tf.RaggedTensor]]:
    """A function from strings (batch,) to ids and pieces (batch, tokens).

    The tokenizers are made inside of the function: one that is made outside is gone after `tf.random.set_seed`, which
    clears the kernels, and it belongs to its kernel.
    """

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string)])
    def tokenize(texts: tf.Tensor) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
        ids, pieces = (text.SentencepieceTokenizer(model, gives).tokenize(texts) for gives in (tf.int32, tf.string))
        return ids, pieces

    return tokenize


@keras.saving.register_keras_serializable(_PACKAGE)
class SentencePiece(keras.layers.Layer):
    """Strings (batch,) to {`ids`, `mask`} int32 (batch, tokens), filled up to the longest text, in steps of 8 tokens.

    max_tokens  what is longer is cut, at its end
    reads       "single"; or "words", with `words` int32 (batch, words) too: the position of the first token of each
                word (separated by white space), or -1 if it has none
    """

    supports_jit = False

    def __init__(self, max_tokens: int, reads: str = "single", **arguments: Any) -> None:
        super().__init__(**arguments)
        self._max_tokens, self._reads = max_tokens, reads
        self.built = True

    def attach(self, model: bytes) -> None:
        """Use a SentencePiece model, given as the bytes of its file."""
        self._model = model
        self._fast = text.FastSentencepieceTokenizer(model)
        self._slow = _tokens_and_pieces(model)
        self._space = int(text.SentencepieceTokenizer(model).string_to_id(_SPACE))

    def save_assets(self, inner_path: str) -> None:
        Path(inner_path, "sp.model").write_bytes(self._model)

    def load_assets(self, inner_path: str) -> None:
        self.attach(Path(inner_path, "sp.model").read_bytes())

    def call(self, texts: Any) -> dict[str, Any]:
        extra = {}
        if self._reads == "words":
            words = tf.strings.split(texts)
            pieces = self._tokenize(words.flat_values)
            extra["words"] = self._positions(words, pieces)
            tokens = words.with_values(pieces).merge_dims(1, 2)
        else:
            tokens = self._tokenize(texts)
        empty = tf.cast(tokens.row_lengths() == 0, tf.int64)
        unknown = tf.RaggedTensor.from_row_lengths(tf.fill([tf.reduce_sum(empty)], _UNKNOWN), empty)
        edge = tf.ones_like(texts, tf.int32)[:, tf.newaxis]
        tokens = tf.concat([_START * edge, tokens[:, : self._max_tokens - 2], unknown, _END * edge], 1)
        longest = tf.cast(tf.reduce_max(tf.concat([tokens.row_lengths(), [1]], 0)), tf.int32)
        length = tf.minimum(-(-longest // _STEP) * _STEP, self._max_tokens)
        ids = tokens.to_tensor()
        ids = tf.pad(ids, [[0, 0], [0, length - tf.shape(ids)[1]]])
        mask = tf.sequence_mask(tokens.row_lengths(), length, tf.int32)
        return {"ids": ids, "mask": mask} | extra

    def _tokenize(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Ids (batch, tokens), with one for each letter that is unknown, where SentencePiece has one for several.

        Of two segmentations that are equally likely, the fast tokenizer takes that of SentencePiece's own library, and
        the slow one the other; but only the slow one tells the unknown letters.
        """
        tokens = self._fast.tokenize(texts).with_row_splits_dtype(tf.int64)
        is_unknown = tokens.flat_values == _UNKNOWN

        def repeated() -> tf.RaggedTensor:
            ids, pieces = self._slow(texts)
            letters = pieces.with_flat_values(tf.strings.length(pieces.flat_values, "UTF8_CHAR"))
            letters = tf.ragged.boolean_mask(letters, ids.with_flat_values(ids.flat_values == _UNKNOWN))
            counts = tf.reduce_sum(tokens.with_flat_values(tf.cast(is_unknown, tf.int64)), 1)
            same = counts == letters.row_lengths()
            places = tf.where(is_unknown & tf.repeat(same, tokens.row_lengths()))
            once = tf.ones_like(tokens.flat_values)
            times = tf.tensor_scatter_nd_update(once, places, tf.ragged.boolean_mask(letters, same).flat_values)
            lengths = tf.cast(tf.reduce_sum(tokens.with_flat_values(times), 1), tf.int64)
            return tf.RaggedTensor.from_row_lengths(tf.repeat(tokens.flat_values, times), lengths)

        return tf.cond(tf.reduce_any(is_unknown), repeated, lambda: tokens)

    def _positions(self, words: tf.RaggedTensor, pieces: tf.RaggedTensor) -> tf.Tensor:
        """Of each word's first token, or of its second if the first is nothing but the space before the word."""
        before = tf.gather(pieces.row_splits, words.row_starts())
        start = pieces.row_starts() - tf.gather(before, words.value_rowids()) + 1
        is_space = tf.concat([pieces.flat_values, [_UNKNOWN]], 0) == self._space
        start += tf.cast(tf.gather(is_space, pieces.row_starts()) & (pieces.row_lengths() > 1), tf.int64)
        known = (pieces.row_lengths() > 0) & (start <= self._max_tokens - 2)
        return words.with_values(tf.cast(tf.where(known, start, -1), tf.int32)).to_tensor(-1)

    def compute_output_spec(self, texts: Any) -> dict[str, Any]:
        names = ("ids", "mask", "words") if self._reads == "words" else ("ids", "mask")
        return {name: keras.KerasTensor((texts.shape[0], None), "int32") for name in names}

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"max_tokens": self._max_tokens, "reads": self._reads}


@keras.saving.register_keras_serializable(_PACKAGE)
class WordTable(keras.layers.Layer):
    """Ids int32 (batch, tokens) to vectors (batch, tokens, dim), from a table of bytes, which cannot be trained.

    Id `i` is `table[i] * scale[i % chunks] + lo[i % chunks]`.
    """

    def __init__(self, pieces: int, dim: int, chunks: int, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._pieces, self._dim, self._chunks = pieces, dim, chunks

    def build(self, input_shape: Any) -> None:
        def fixed(name: str, shape: tuple[int, ...], dtype: str) -> Any:
            arguments = {"initializer": "zeros", "trainable": False, "autocast": False}
            return self.add_weight(name=name, shape=shape, dtype=dtype, **arguments)

        self.table = fixed("table", (self._pieces, self._dim), "uint8")
        self.scale = fixed("scale", (self._chunks,), "float32")
        self.lo = fixed("lo", (self._chunks,), "float32")

    def call(self, ids: Any) -> Any:
        rows = keras.ops.cast(keras.ops.take(self.table, ids, axis=0), "float32")
        chunk = keras.ops.mod(ids, self._chunks)
        scale, lo = (keras.ops.take(values, chunk)[..., None] for values in (self.scale, self.lo))
        return keras.ops.cast(rows * scale + lo, self.compute_dtype)

    def compute_output_spec(self, ids: Any) -> Any:
        return keras.KerasTensor((*ids.shape, self._dim), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"pieces": self._pieces, "dim": self._dim, "chunks": self._chunks}
