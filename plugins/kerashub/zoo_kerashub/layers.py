"""Two layers of text models that Keras lacks; a run's `model.keras` refers to them and contains the vocabulary."""

from typing import Any

import keras
import tensorflow as tf
import tensorflow_text as tf_text


@keras.saving.register_keras_serializable("zoo_kerashub")
class Tokens(keras.layers.Layer):
    """Turns one or two string tensors (batch,) into the input of a KerasHub text backbone, padded to the longest text.

    tokenizer   a KerasHub tokenizer; its files are saved in the model
    max_tokens  longer texts are cut off at the end; in a pair, the longer one first
    names       the backbone's inputs: some of `token_ids`, `padding_mask`, `segment_ids`; the mask is always included
    """

    def __init__(self, tokenizer: Any, max_tokens: int, names: list[str], **more: Any) -> None:
        super().__init__(trainable=False, **more)
        self.tokenizer, self.max_tokens, self.names = tokenizer, max_tokens, sorted({*names, "padding_mask"})
        # In a graph, KerasHub's tokenizers return ragged tensors; called eagerly, they would return Python lists.
        self._packed = tf.function(self._pack, reduce_retracing=True)
        self.built = True

    def call(self, texts: list[tf.Tensor]) -> dict[str, tf.Tensor]:
        return self._packed(list(texts) if isinstance(texts, (list, tuple)) else [texts])

    def _pack(self, texts: list[tf.Tensor]) -> dict[str, tf.Tensor]:
        start, end, between = self._special()
        room = self.max_tokens - len(start) - len(between) * (len(texts) - 1) - len(end)
        pieces = [tf.cast(_ragged(self.tokenizer(text)), tf.int32) for text in texts]
        pieces = tf_text.RoundRobinTrimmer(room).trim(pieces)
        rows = pieces[0].nrows()
        parts, kinds = [], []
        for number, piece in enumerate(pieces):
            before = start if number == 0 else []
            after = end if number == len(pieces) - 1 else between
            part = tf.concat([_column(before, rows), piece, _column(after, rows)], axis=1)
            parts.append(part)
            kinds.append(tf.ones_like(part) * number)
        ids, segments = tf.concat(parts, axis=1), tf.concat(kinds, axis=1)
        made = {
            "token_ids": ids.to_tensor(default_value=self.tokenizer.pad_token_id or 0),
            "padding_mask": tf.ones_like(ids).to_tensor(),
            "segment_ids": segments.to_tensor(),
        }
        return {name: made[name] for name in self.names}

    def compute_output_spec(self, texts: Any) -> dict[str, keras.KerasTensor]:
        return {name: keras.KerasTensor((None, None), dtype="int32") for name in self.names}

    def _special(self) -> tuple[list[int], list[int], list[int]]:
        """The special tokens before a text, after the last one, and between two, as in the family's training."""
        own = self.tokenizer
        start = [_id(own, "cls_token_id", "start_token_id")]
        end = [_id(own, "sep_token_id", "end_token_id")]
        doubled = "Roberta" in type(own).__name__  # it has two separators between two texts
        found = [[token for token in tokens if token is not None] for tokens in (start, end)]
        return found[0], found[1], found[1] * (2 if doubled else 1)

    def get_config(self) -> dict[str, Any]:
        own = {"max_tokens": self.max_tokens, "names": self.names}
        return super().get_config() | own | {"tokenizer": keras.saving.serialize_keras_object(self.tokenizer)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Tokens":
        config = {name: value for name, value in config.items() if name != "trainable"}
        config["tokenizer"] = keras.saving.deserialize_keras_object(config["tokenizer"])
        return cls(**config)


@keras.saving.register_keras_serializable("zoo_kerashub")
class MaskedMean(keras.layers.Layer):
    """The mean over the tokens without padding: (batch, tokens, dim) and mask (batch, tokens) -> (batch, dim)."""

    def call(self, inputs: list[Any]) -> Any:
        sequence, mask = inputs
        share = keras.ops.expand_dims(keras.ops.cast(mask, sequence.dtype), -1)
        return keras.ops.sum(sequence * share, axis=1) / keras.ops.maximum(keras.ops.sum(share, axis=1), 1.0)

    def compute_output_shape(self, shapes: Any) -> tuple[Any, Any]:
        return shapes[0][0], shapes[0][-1]


def _ragged(tokens: Any) -> tf.RaggedTensor:
    return tokens if isinstance(tokens, tf.RaggedTensor) else tf.RaggedTensor.from_tensor(tokens)


def _column(tokens: list[int], rows: tf.Tensor) -> tf.RaggedTensor:
    return tf.RaggedTensor.from_tensor(tf.tile(tf.constant([tokens], tf.int32, (1, len(tokens))), [rows, 1]))


def _id(tokenizer: Any, *names: str) -> int | None:
    for name in names:
        value = getattr(tokenizer, name, None)
        if value is not None:
            return int(value)
    return None
