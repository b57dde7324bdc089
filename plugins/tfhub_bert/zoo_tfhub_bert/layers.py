"""Keras 3 layers around TensorFlow Hub's text SavedModels, whose files are stored in the saved Keras model."""

import functools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from zoo_tfhub_bert.saved_model import INPUTS, Files, load, read_files, write_files

_PACKAGE = "zoo_tfhub_bert"
_STEP = 8  # tokens; each new length of a batch costs time, because it needs its own kernels


class _Bundled(keras.layers.Layer):
    """A layer that contains the files of a SavedModel."""

    supports_jit = False

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._files: Files = {}

    def attach(self, files: Files) -> None:
        raise NotImplementedError

    def save_assets(self, inner_path: str) -> None:
        write_files(self._files, Path(inner_path))

    def load_assets(self, inner_path: str) -> None:
        self.attach(read_files(Path(inner_path), variables=True))


@keras.saving.register_keras_serializable(_PACKAGE)
class VariableGroup(keras.layers.Layer):
    """The variables of one part of a SavedModel, which are frozen or trained together. Computes nothing."""

    def __init__(self, variables: Sequence[dict[str, Any]], **arguments: Any) -> None:
        super().__init__(**arguments)
        self._specs = list(variables)
        for spec in self._specs:
            self.add_weight(
                # Keras allows no slash in a name
                name=spec["name"].replace("/", "."),
                shape=spec["shape"],
                dtype=spec["dtype"],
                trainable=spec["trainable"],
                initializer="zeros",
                autocast=False,
            )
        self.built = True

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"variables": self._specs}


@keras.saving.register_keras_serializable(_PACKAGE)
class TextEncoder(_Bundled):
    """A text encoder SavedModel: {input_word_ids, input_mask, input_type_ids}, int32 (batch, tokens), to features.

    Returns `pooled` (batch, dim), `sequence` (batch, tokens, dim) and `mask` int32 (batch, tokens). Its variables are
    those of the SavedModel, in `groups` from input to output. Dropout is active in training if a group is trainable.
    """

    def __init__(self, variables: Sequence[dict[str, Any]], dim: int, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._specs, self._dim = list(variables), dim
        parts = _parts([spec["name"] for spec in self._specs])
        self.groups = [
            VariableGroup([self._specs[i] for i in members], name=part, dtype=self.dtype_policy)
            for part, members in parts.items()
        ]
        self._order = [i for members in parts.values() for i in members]
        self._model: Any = None
        self.built = True

    @classmethod
    def of(cls, model: Any, files: Files, dim: int, **arguments: Any) -> "TextEncoder":
        """The layer for a loaded SavedModel, with its values."""
        trainable = {id(variable) for variable in model.trainable_variables}
        specs = [
            {
                "name": variable.name.partition(":")[0],
                "shape": variable.shape.as_list(),
                "dtype": variable.dtype.name,
                "trainable": id(variable) in trainable,
            }
            for variable in model.variables
        ]
        layer = cls(specs, dim, **arguments)
        layer._bind(model, files)
        return layer

    def _bind(self, model: Any, files: Files) -> None:
        """Make Keras's variables use those of the SavedModel."""
        ours = [weight for group in self.groups for weight in group.variables]
        theirs = list(model.variables)
        for weight, index in zip(ours, self._order, strict=True):
            weight._value = theirs[index]
        self._model, self._files = model, files

    def attach(self, files: Files) -> None:
        values = [weight.numpy() for group in self.groups for weight in group.variables]
        model = load(files)
        theirs = list(model.variables)
        for value, index in zip(values, self._order, strict=True):
            theirs[index].assign(value)
        self._bind(model, files)

    def call(self, inputs: dict[str, Any], training: bool | None = None) -> dict[str, Any]:
        active = bool(training) and any(group.trainable for group in self.groups)
        ids = {name: keras.ops.cast(tensor, "int32") for name, tensor in inputs.items()}
        outputs = self._model(ids, training=active)
        return {
            "pooled": keras.ops.cast(outputs["pooled_output"], self.compute_dtype),
            "sequence": keras.ops.cast(outputs["sequence_output"], self.compute_dtype),
            "mask": ids["input_mask"],
        }

    def compute_output_spec(self, inputs: dict[str, Any], training: bool | None = None) -> dict[str, Any]:
        batch, tokens = inputs["input_word_ids"].shape
        return {
            "pooled": keras.KerasTensor((batch, self._dim), self.compute_dtype),
            "sequence": keras.KerasTensor((batch, tokens, self._dim), self.compute_dtype),
            "mask": keras.KerasTensor((batch, tokens), "int32"),
        }

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"variables": self._specs, "dim": self._dim}


@keras.saving.register_keras_serializable(_PACKAGE)
class TextPreprocessor(_Bundled):
    """A text preprocessor SavedModel: strings (batch,) to {input_word_ids, input_mask, input_type_ids}, padded to the
    longest text in the batch, rounded up to 8 tokens, at most `max_tokens`.

    reads  "single": one text; "pair": a list of two texts; "words": one text, with `words` int32 (batch, words), the
           position of the first token of each word (separated by white space), or -1 if the word has none
    """

    def __init__(self, max_tokens: int, reads: str = "single", **arguments: Any) -> None:
        super().__init__(**arguments)
        self._max_tokens, self._reads = max_tokens, reads
        self._model: Any = None
        self.built = True

    def attach(self, files: Files) -> None:
        self._model, self._files = _load_once(tuple(files.items())), files

    def call(self, inputs: Any) -> dict[str, Any]:
        texts = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        extra = {}
        if self._reads == "words":
            words = tf.strings.split(texts[0])
            pieces = _flat(self._model.tokenize(words.flat_values))
            segments = [words.with_values(pieces)]
            extra["words"] = self._positions(words, pieces)
        else:
            segments = [self._model.tokenize(text) for text in texts]
        lengths = tf.add_n([_flat(segment).row_lengths() for segment in segments])
        longest = tf.reduce_max(tf.concat([lengths, [0]], 0)) + 1 + len(segments)
        length = tf.minimum(-(-tf.cast(longest, tf.int32) // _STEP) * _STEP, self._max_tokens)
        packed = self._model.bert_pack_inputs(segments, seq_length=length)
        return {name: packed[name] for name in INPUTS} | extra

    def _positions(self, words: tf.RaggedTensor, pieces: tf.RaggedTensor) -> tf.Tensor:
        before = tf.gather(pieces.row_splits, words.row_starts())
        start = pieces.row_starts() - tf.gather(before, words.value_rowids()) + 1
        known = (pieces.row_lengths() > 0) & (start <= self._max_tokens - 2)
        return words.with_values(tf.cast(tf.where(known, start, -1), tf.int32)).to_tensor(-1)

    def compute_output_spec(self, inputs: Any) -> dict[str, Any]:
        batch = (inputs[0] if isinstance(inputs, (list, tuple)) else inputs).shape[0]
        names = (*INPUTS, "words") if self._reads == "words" else INPUTS
        return {name: keras.KerasTensor((batch, None), "int32") for name in names}

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"max_tokens": self._max_tokens, "reads": self._reads}


@functools.lru_cache(maxsize=4)
def _load_once(files: tuple[tuple[str, bytes], ...]) -> Any:
    """Preprocessors never change, so layers with the same files can share one."""
    return load(dict(files))


def _flat(tokens: tf.RaggedTensor) -> tf.RaggedTensor:
    """Tokens as (batch, tokens), from (batch, words, pieces) or unchanged."""
    return tokens.merge_dims(1, -1) if tokens.shape.rank == 3 else tokens


def _parts(names: Sequence[str]) -> dict[str, list[int]]:
    """The indices of variables by part, from input to output: embeddings, each transformer layer, and the rest.

    Recognised by their names (`.../layer_3/...`); without such names, everything is one part.
    """
    layers = [re.search(r"(?:^|/)layer_(\d+)(?=/|_|$)", name) for name in names]
    if not any(layers):
        return {"encoder": list(range(len(names)))}
    parts: dict[str, list[int]] = {"embeddings": []}
    parts |= {f"layer_{i}": [] for i in sorted({int(found[1]) for found in layers if found})}
    parts["output"] = []
    for index, (name, found) in enumerate(zip(names, layers, strict=True)):
        part = f"layer_{int(found[1])}" if found else "embeddings" if "embedding" in name else "output"
        parts[part].append(index)
    return {part: members for part, members in parts.items() if members}
