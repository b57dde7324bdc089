"""The network. Whatever needs Keras stands here, behind the import string in `zoo.Backbone.build`."""

from pathlib import Path

from keras import Input, Model, layers

import zoo

PIXELS = zoo.Pixels(mean=(127.5, 127.5, 127.5), std=(127.5, 127.5, 127.5))  # what the weights were trained with


def build(backbone: zoo.Backbone, weights: zoo.Weights | None, file: Path | None) -> zoo.Encoder:
    """The encoder: preprocessing, a network that gives `pooled` and `map`, and the stages by which it is unfrozen.

    `file` is the verified local file of the weights, or None for a random start.
    """
    stages = [
        layers.Conv2D(width, size, strides=2, padding="same", activation="relu", name=f"stage_{number}")
        for number, (width, size) in enumerate([(16, 5), (32, 3), (64, 3)], start=1)
    ]
    pixels = Input((backbone.input, backbone.input, 3))
    x = pixels
    for layer in stages:
        x = layer(x)
    pooled = layers.GlobalAveragePooling2D(name="pooled")(x)
    network = Model(pixels, {"pooled": pooled, "map": x}, name=backbone.name)
    if file is not None:
        network.load_weights(file)
    return zoo.Encoder(zoo.image_preprocess(backbone.input, PIXELS), network, tuple((layer,) for layer in stages))
