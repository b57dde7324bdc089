"""The optimizer of a phase: Adam, or AdamW as used to fine-tune language models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.compose.encoder import Encoder
from zoo.inference.options import Precision
from zoo.plan import Phase

# Biases and the scales and offsets of normalization are not decayed (BERT, github.com/google-research/bert).
NOT_DECAYED = ["bias", "beta", "gamma", "norm"]


def make_optimizer(phase: Phase, encoder: Encoder, steps: int, precision: Precision) -> keras.optimizers.Optimizer:
    """A new optimizer for a phase of `steps` steps, computed in `precision`; with float16 the loss is scaled."""
    optimizer = _unscaled(phase, encoder, steps)
    return keras.optimizers.LossScaleOptimizer(optimizer) if precision == "float16" else optimizer


def _unscaled(phase: Phase, encoder: Encoder, steps: int) -> keras.optimizers.Optimizer:
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
    """Rises linearly to `peak` over the first `warm_up` steps, then falls linearly to reach 0 at step `steps`."""

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
    """AdamW with a step size for each variable: `scales` has the factors by variable path; the default is 1.

    The same formula as Keras's, but as one TensorFlow operation; Keras uses a dozen, and each of them passes over the
    memory. A training step of MiniLM takes a tenth less time.
    """

    def __init__(self, scales: dict[str, float], **arguments: Any) -> None:
        super().__init__(**arguments)
        self._scale_of = scales
        self._scales: list[float] = []

    def build(self, variables: Sequence[Any]) -> None:
        super().build(variables)
        self._scales = [self._scale_of.get(variable.path, 1.0) for variable in variables]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        index = self._get_variable_index(variable)
        step = tf.cast(self.iterations.value + 1, "float32")
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(self.beta_1, step),
            beta2_power=tf.pow(self.beta_2, step),
            lr=learning_rate * self._scales[index],
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )

    def _clip_gradients(self, grads: Sequence[Any]) -> list[Any]:
        grads = [tf.convert_to_tensor(grad) for grad in grads]  # an embedding's gradient may list a row twice
        return tf.clip_by_global_norm(grads, self.global_clipnorm)[0] if self.global_clipnorm else grads

    def _apply_weight_decay(self, variables: Sequence[Any]) -> None:
        keep = 1.0 - self.weight_decay * tf.cast(self.learning_rate, "float32")
        for variable in variables:
            if self._use_weight_decay(variable):
                variable.assign(variable * keep)


def _scales(encoder: Encoder, decay: float) -> dict[str, float]:
    """decay ** 1 for the last stage of the backbone, decay ** 2 for the one before it, and so on."""
    return {
        variable.path: decay**depth
        for depth, stage in enumerate(reversed(encoder.stages), start=1)
        for layer in stage
        for variable in layer.trainable_variables
    }
