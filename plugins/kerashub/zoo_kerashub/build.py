"""A KerasHub preset as a `zoo` encoder, from a folder in KerasHub's or Hugging Face's format."""

import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import keras_hub

import zoo
from zoo_kerashub.layers import MaskedMean, Tokens

_BLOCK = re.compile(r"(?:^|_)(?:stack|stage|layer|block|blocks|level)_?(\d+)")


def build_text(backbone: zoo.Backbone, weights: zoo.Weights, file: Path | None) -> zoo.Encoder:
    """The encoder of a text preset. `pooled` is the mean over the tokens, because most families have nothing else."""
    folder = _folder(backbone, file)
    base = _load(keras_hub.models.Backbone, folder)
    known = {"token_ids", "padding_mask", "segment_ids"}
    if not isinstance(base.input, dict) or not {"token_ids"} <= set(base.input) <= known:
        raise zoo.BadWeights(f"{folder} contains a {type(base).__name__}, which does not read just texts.")
    tokenizer = _load(_kind_for(base, keras_hub.models.Tokenizer), folder)
    views = {}
    for texts in (1, 2):
        entry = [keras.Input((), dtype="string", name=name) for name in ("text", "text_b")[:texts]]
        tokens = Tokens(tokenizer, backbone.input, sorted(base.input), name="tokens")
        views[texts] = keras.Model(entry if texts == 2 else entry[0], tokens(entry), name="preprocess")
    ids = {name: keras.Input((None,), dtype="int32", name=name) for name in sorted({*base.input, "padding_mask"})}
    features = base({name: ids[name] for name in base.input})
    sequence = features["sequence_output"] if isinstance(features, dict) else features
    pooled = MaskedMean(name="pooled")([sequence, ids["padding_mask"]])
    outputs = {"pooled": pooled, "sequence": sequence, "mask": keras.ops.cast(ids["padding_mask"], "int32")}
    network = keras.Model(ids, outputs, name=_name(backbone))
    return zoo.Encoder(views[1], network, stages(base), pair=views[2])


def build_image(backbone: zoo.Backbone, weights: zoo.Weights, file: Path | None) -> zoo.Encoder:
    """The encoder of an image preset. `pooled` is a transformer's class token if it has one, or the mean of the map."""
    folder = _folder(backbone, file)
    base = _load(keras_hub.models.Backbone, folder)
    converter = _load(_kind_for(base, keras_hub.layers.ImageConverter), folder)
    if isinstance(base.input, (dict, list)) and len(base.inputs) != 1:
        raise zoo.BadWeights(f"{folder} contains a {type(base).__name__}, which does not read just pictures.")
    size = _size(base, converter, backbone)
    pixels = keras.Input((size, size, 3), name="prepared")
    named = {next(iter(base.input)): pixels} if isinstance(base.input, dict) else pixels
    features = base(named)
    if isinstance(features, dict):
        features = features["sequence_output"] if "sequence_output" in features else list(features.values())[-1]
    outputs = {}
    if len(features.shape) == 4:
        outputs["pooled"] = keras.layers.GlobalAveragePooling2D(name="pooled")(features)
        outputs["map"] = features
    else:
        has_class_token = features.shape[1] is not None and round(features.shape[1] ** 0.5) ** 2 != features.shape[1]
        outputs["pooled"] = features[:, 0] if has_class_token else keras.ops.mean(features, axis=1)
    network = keras.Model(pixels, outputs, name=_name(backbone))
    return zoo.Encoder(zoo.image_preprocess(size, _pixels(converter)), network, stages(base))


def stages(base: keras.Model) -> tuple[tuple[keras.layers.Layer, ...], ...]:
    """The layers from input to output, a stage for each numbered group; layers after a group belong to its stage."""
    parts: list[tuple[str, list[keras.layers.Layer]]] = []
    for layer in base.layers:
        match = _BLOCK.search(layer.name)
        key = match[0] if match else ""
        if not parts or (key and key != parts[-1][0]):
            parts.append((key, []))
        parts[-1][1].append(layer)
    groups = [tuple(layer for layer in group if layer.weights) for _, group in parts]
    groups = [group for group in groups if group]
    merged: list[tuple[keras.layers.Layer, ...]] = []
    for group in groups:  # a group without trainable weights joins the one before it
        if merged and not any(layer.trainable_weights for layer in group):
            merged[-1] += group
        else:
            merged.append(group)
    return tuple(merged)


def _folder(backbone: zoo.Backbone, file: Path | None) -> Path:
    if file is None:
        raise zoo.BadPlan(
            f"{backbone.name} has its architecture in its files, so it cannot start from random weights. Give "
            "--weights FOLDER with a KerasHub preset or a Hugging Face checkpoint."
        )
    if not (file / "config.json").is_file():
        raise zoo.BadWeights(f"{file} is not a folder with a config.json from KerasHub or Hugging Face.")
    return file


def _kind_for(base: Any, kind: Any) -> Any:
    """The class of tokenizer or converter that belongs to a backbone; a Hugging Face folder does not name it."""
    below = kind.__subclasses__()
    for candidate in below:
        if getattr(candidate, "backbone_cls", None) is type(base):
            return candidate
        below += candidate.__subclasses__()
    return kind


def _load(kind: Any, folder: Path) -> Any:
    try:
        return kind.from_preset(str(folder))
    except Exception as error:  # KerasHub lets the errors of its file readers through
        reason = str(error).strip().partition("\n")[0][:300]
        raise zoo.BadWeights(f"KerasHub cannot read a {kind.__name__} from {folder}: {reason}") from error


def _size(base: Any, converter: Any, backbone: zoo.Backbone) -> int:
    """Height and width of the pictures: from the network if it fixes them, otherwise from the preset's converter."""
    fixed = [side for side in base.inputs[0].shape[1:3] if side]
    given = [side for side in (converter.image_size or ()) if side]
    return int((fixed or given or [backbone.input or 224])[0])


def _pixels(converter: Any) -> zoo.Pixels:
    """KerasHub's `pixel * scale + offset` in the form `(pixel - mean) / std`."""
    scale = _three(converter.scale, 1.0)
    offset = _three(converter.offset, 0.0)
    mean = tuple(-o / s for o, s in zip(offset, scale, strict=True))
    return zoo.Pixels(mean=_triple(mean), std=_triple([1.0 / s for s in scale]))


def _three(value: Any, default: float) -> list[float]:
    if value is None:
        return [default] * 3
    if isinstance(value, (int, float)):
        return [float(value)] * 3
    return [float(part) for part in itertools.chain(value)]


def _triple(values: Sequence[float]) -> tuple[float, float, float]:
    first, second, third = values
    return first, second, third


def _name(backbone: zoo.Backbone) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", backbone.name)
