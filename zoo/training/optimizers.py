"""The optimizer of a phase: Adam, or AdamW as language models are fine-tuned with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from zoo.compose.encoder import Encoder
from zoo.training.plan import Phase

# Biases and the scales and offsets of normalization are not decayed (BERT, github.com/google-research/bert).
NOT_DECAYED = ["bias", "beta", "gamma", "norm"]


def make_optimizer(phase: Phase, encoder: Encoder, steps: int) -> keras.optimizers.Optimizer:
    """A new optimizer for a phase of so many steps."""
    warm_up = round(phase.warm_up * steps)
    rate = phase.learning_rate if phase.schedule == "constant" else WarmUpAndDecay(phase.learning_rate, warm_up, steps)
    clip = phase.clip_norm or None
    if phase.optimizer == "adam":
        return keras.optimizers.Adam(rate, global_clipnorm=clip)
    optimizer = LayerwiseAdamW(
        _scales(encoder, phase.layer_decay), learning_rate=rate, weight_decay=phase.weight_decay, global_clipnorm=clip
    )
    optimizer.exclude_from_weight_decay(var_names=NOT_DECAYED)
    return optimizer


class WarmUpAndDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Linearly up to `peak` in the first `warm_up` steps, then linearly down to 0, which step `steps` would have."""

    def __init__(self, peak: float, warm_up: int, steps: int) -> None:
        self._peak, self._warm_up, self._steps = peak, warm_up, steps

    def __call__(self, step: Any) -> Any:
        step = keras.ops.cast(step, "float32")
        up = (step + 1) / (self._warm_up + 1)
        down = (self._steps - step) / max(self._steps - self._warm_up, 1)
        return self._peak * keras.ops.maximum(keras.ops.minimum(up, down), 0.0)

    def get_config(self) -> dict[str, Any]:
        return {"peak": self._peak, "warm_up": self._warm_up, "steps": self._steps}


class LayerwiseAdamW(keras.optimizers.AdamW):
    """AdamW whose step is scaled for each variable, by `scales` of its path; 1 where it is not named there."""

    def __init__(self, scales: dict[str, float], **arguments: Any) -> None:
        super().__init__(**arguments)
        self._scale_of = scales
        self._scales: list[float] = []

    def build(self, variables: Sequence[Any]) -> None:
        super().build(variables)
        self._scales = [self._scale_of.get(variable.path, 1.0) for variable in variables]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        scale = self._scales[self._get_variable_index(variable)]
        super().update_step(gradient, variable, learning_rate * scale)


def _scales(encoder: Encoder, decay: float) -> dict[str, float]:
    """decay ** 1 for the last stage of the backbone, decay ** 2 for the one before it, and so on."""
    return {
        variable.path: decay**depth
        for depth, stage in enumerate(reversed(encoder.stages), start=1)
        for layer in stage
        for variable in layer.trainable_variables
    }
