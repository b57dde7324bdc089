"""Makes golden.json: what plain Keras, with its own `preprocess_input`, gives for one architecture of each family.

Nothing of `zoo` is used here. The pretrained files cannot be fetched everywhere, so every weight is set by a formula.

    python make_golden.py
"""

import json
from pathlib import Path

import keras
import numpy as np

GOLDEN = Path(__file__).with_name("golden.json")
# name in zoo: function of keras.applications, module with its preprocess_input, input size
FAMILIES = {
    "vgg16": ("VGG16", "vgg16", 224),
    "resnet50": ("ResNet50", "resnet", 224),
    "resnet50_v2": ("ResNet50V2", "resnet_v2", 224),
    "inception_v3": ("InceptionV3", "inception_v3", 299),
    "inception_resnet_v2": ("InceptionResNetV2", "inception_resnet_v2", 299),
    "xception": ("Xception", "xception", 299),
    "densenet121": ("DenseNet121", "densenet", 224),
    "nasnet_mobile": ("NASNetMobile", "nasnet", 224),
    "mobilenet": ("MobileNet", "mobilenet", 224),
    "mobilenet_v2": ("MobileNetV2", "mobilenet_v2", 224),
    "mobilenet_v3_small": ("MobileNetV3Small", "mobilenet_v3", 224),
    "efficientnet_b0": ("EfficientNetB0", "efficientnet", 224),
    "efficientnet_v2_b0": ("EfficientNetV2B0", "efficientnet_v2", 224),
    "convnext_tiny": ("ConvNeXtTiny", "convnext", 224),
}


def picture(size: int) -> np.ndarray:
    """A picture whose channels differ: float32 RGB 0..255 (1, size, size, 3)."""
    y, x = np.mgrid[0:size, 0:size] / size
    channels = [255 * x, 255 * y * x, 127.5 * (1 + np.sin(9 * x + 5 * y))]
    return np.stack(channels, -1)[None].astype("float32")


def fill(network: keras.Model) -> None:
    """Set every weight by a formula of its place, shape and kind, so that activations stay finite and not zero."""
    values = []
    for place, weight in enumerate(network.weights):
        shape, rng = tuple(weight.shape), np.random.default_rng(place)
        if weight.name in ("gamma", "moving_variance", "variance") or "scale" in weight.name:
            values.append(rng.uniform(0.5, 1.5, shape))
        elif len(shape) > 1:
            values.append(rng.normal(0, np.sqrt(1.5 / np.prod(shape[:-1])), shape))
        elif weight.name == "seed_generator_state":
            values.append(np.zeros(shape))
        else:
            values.append(rng.normal(0, 0.1, shape))
    network.set_weights(values)


def main() -> None:
    golden = {}
    for name, (function, module, size) in FAMILIES.items():
        base = getattr(keras.applications, function)(weights=None, include_top=False, input_shape=(size, size, 3))
        fill(base)
        prepared = getattr(keras.applications, module).preprocess_input(picture(size))
        pooled = np.asarray(base(prepared)).mean((1, 2))[0]
        golden[name] = [float(f"{value:.6g}") for value in pooled[:8]]
        print(name, golden[name])
    GOLDEN.write_text(json.dumps({"keras": keras.__version__, "pooled": golden}, indent=1) + "\n")


if __name__ == "__main__":
    main()
