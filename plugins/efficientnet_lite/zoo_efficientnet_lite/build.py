"""EfficientNet-Lite in Keras 3: EfficientNet with ReLU6, no squeeze-and-excite, stem and head of fixed width.

Source: M. Tan, Q. V. Le, "EfficientNet" (ICML 2019), and the Lite variants of the TensorFlow TPU repository.
Shapes are (batch, height, width, channels); padding is SAME; batch normalisation has epsilon 1e-3.
"""

import functools
import math
import re
from pathlib import Path

import keras
from keras import layers

import zoo
from zoo_efficientnet_lite.pth import read_pth

# repeats, kernel, stride of the first repeat, channels, expansion: those of Lite0
STAGES = (
    (1, 3, 1, 16, 1),
    (2, 3, 2, 24, 6),
    (2, 5, 2, 40, 6),
    (3, 3, 2, 80, 6),
    (3, 5, 1, 112, 6),
    (4, 5, 2, 192, 6),
    (1, 3, 1, 320, 6),
)

# factors of channels, and of repeats but for the first and the last stage
SCALES = {"efficientnet_lite0": (1.0, 1.0), "efficientnet_lite1": (1.0, 1.1), "efficientnet_lite2": (1.1, 1.2)}


def build(backbone: zoo.Backbone, weights: zoo.Weights, file: Path | None) -> zoo.Encoder:
    """The encoder, with the weights in `file`: the published `.pth`, or a `.weights.h5` saved from this network."""
    network, stages = _network(backbone)
    if file is not None and file.suffix == ".pth":
        file = zoo.converted(file, f"{backbone.name}.weights.h5", functools.partial(_convert, backbone))
    if file is not None:
        network.load_weights(file)
    assert weights.pixels is not None
    return zoo.Encoder(zoo.image_preprocess(backbone.input, weights.pixels), network, stages)


def _channels(base: int, factor: float) -> int:
    """The scaled number of channels: a multiple of 8, and not less than nine tenths."""
    scaled = max(8, int(base * factor + 4) // 8 * 8)
    return scaled + 8 if scaled < 0.9 * base * factor else scaled


def _network(backbone: zoo.Backbone) -> tuple[keras.Model, tuple[tuple[layers.Layer, ...], ...]]:
    stages: list[list[layers.Layer]] = [[]]

    def add(layer: layers.Layer, *inputs: keras.KerasTensor) -> keras.KerasTensor:
        stages[-1].append(layer)
        return layer(inputs if len(inputs) > 1 else inputs[0])

    def norm(name: str, x: keras.KerasTensor, activate: bool = True) -> keras.KerasTensor:
        x = add(layers.BatchNormalization(epsilon=1e-3, name=name), x)
        return add(layers.ReLU(6.0, name=f"{name}_relu6"), x) if activate else x

    def conv(name: str, x: keras.KerasTensor, filters: int, kernel: int = 1, stride: int = 1) -> keras.KerasTensor:
        return add(layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False, name=name), x)

    width, depth = SCALES[backbone.name]
    pixels = keras.Input((backbone.input, backbone.input, 3), name="normalized")
    x = norm("bn0", conv("conv_stem", pixels, 32, 3, 2))
    block = 0
    for repeats, kernel, first_stride, base, expansion in STAGES:
        stages.append([])
        filters = _channels(base, width)
        for repeat in range(math.ceil(repeats * depth) if repeats > 1 else 1):
            name, stride, entry = f"blocks_{block}", first_stride if repeat == 0 else 1, x
            if expansion > 1:
                x = norm(f"{name}_bn0", conv(f"{name}_expand_conv", x, x.shape[-1] * expansion))
            depthwise = layers.DepthwiseConv2D(kernel, stride, "same", use_bias=False, name=f"{name}_depthwise_conv")
            x = norm(f"{name}_bn1", add(depthwise, x))
            x = norm(f"{name}_bn2", conv(f"{name}_project_conv", x, filters), activate=False)
            if repeat > 0:
                x = add(layers.Add(name=f"{name}_add"), x, entry)
            block += 1
    stages.append([])
    x = norm("bn1", conv("conv_head", x, 1280))
    pooled = add(layers.GlobalAveragePooling2D(name="pooled"), x)
    network = keras.Model(pixels, {"pooled": pooled, "map": x}, name=backbone.name)
    return network, tuple(map(tuple, stages))


def _convert(backbone: zoo.Backbone, file: Path, target: Path) -> None:
    """Write the published PyTorch file as Keras weights."""
    tensors = read_pth(file)
    network, _ = _network(backbone)
    for layer in network.layers:
        # our blocks_3_bn0 is _blocks.3._bn0 in PyTorch; conv_stem is _conv_stem
        source = re.sub(r"^_blocks_(\d+)_", r"_blocks.\1._", f"_{layer.name}")
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([tensors[f"{source}.{n}"] for n in ("weight", "bias", "running_mean", "running_var")])
        elif isinstance(layer, layers.DepthwiseConv2D):
            layer.set_weights([tensors[f"{source}.weight"].transpose(2, 3, 0, 1)])
        elif isinstance(layer, layers.Conv2D):
            layer.set_weights([tensors[f"{source}.weight"].transpose(2, 3, 1, 0)])
    network.save_weights(target)
