"""Embedding: the backbone's own vector for each example, for search and clustering. Nothing is trained."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

import zoo


class Embedding(zoo.Task):
    """`pooled` (batch, dim), with each vector scaled to length 1, so that dot products are cosine similarities."""

    def __init__(self, *, normalize: bool) -> None:
        self.options = {"normalize": normalize}

    def outputs(self, features: Mapping[str, keras.KerasTensor]) -> keras.KerasTensor:
        x = features["pooled"]
        layer = keras.layers.UnitNormalization if self.options["normalize"] else keras.layers.Identity
        return layer(dtype="float32", name="vector")(x)

    def decode(self, outputs: np.ndarray, raws: Sequence[Any]) -> list[dict[str, Any]]:
        """`vector`, float32 (dim,)."""
        return [{"vector": row.tolist()} for row in outputs]

    def state(self) -> dict[str, Any]:
        return {"options": self.options}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> "Embedding":
        return cls(**state["options"])
