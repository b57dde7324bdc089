"""All Keras applications for `zoo`: ResNets, InceptionV3, EfficientNets and the rest, with short names."""

import zoo

ZOO_API = ">=1.0,<2"


@zoo.hookimpl
def zoo_backbones() -> list[zoo.Backbone]:
    from zoo_keras_applications.table import backbones

    return backbones()
