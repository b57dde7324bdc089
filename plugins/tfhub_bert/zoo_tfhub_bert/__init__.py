"""BERT and its relatives for `zoo`: any text encoder in TensorFlow Hub's format, on Keras 3, and MiniLM."""

import zoo
from zoo_tfhub_bert.table import BACKBONES

ZOO_API = ">=1.0,<2"


@zoo.hookimpl
def zoo_backbones() -> list[zoo.Backbone]:
    return BACKBONES
