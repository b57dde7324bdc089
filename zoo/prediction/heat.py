"""Where in a picture the evidence is: Grad-CAM on the network's last map, or occlusion where there is none."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from zoo.compose.explained import Measure
from zoo.compose.model import Parts

if TYPE_CHECKING:
    import numpy as np

    from zoo.inference.arrays import Arrays

SHOWN = 640  # pixels of the longer side of a picture that is kept with its heat

_CELLS = 8  # rows and columns that are covered one by one
_NEAR = 1e-3  # difference by which a mean may miss `pooled`, as a share of its largest number


def grad_cam(parts: Parts, prepared: Any, measures: Sequence[Measure]) -> np.ndarray | None:
    """Grad-CAM of pictures: float32 (examples, rows, columns), 0 or more, in no unit.

    prepared  input of the network, (examples, ...)
    measures  what is explained about each example

    None if the network has no `map`, or if what the head reads neither comes from that tensor nor is its mean.
    Source: Selvaraju et al., "Grad-CAM" (2017).
    """
    import numpy as np
    import tensorflow as tf

    if "map" not in parts.network.output:
        return None
    entry = tf.nest.map_structure(tf.convert_to_tensor, prepared)
    with tf.GradientTape() as tape:
        tape.watch([part for part in tf.nest.flatten(entry) if part.dtype.is_floating])  # where all is frozen, too
        features = parts.network(entry, training=False)
        outputs = parts.head({name: features[name] for name in parts.head.input}, training=False)
        total = tf.reduce_sum(of_each(outputs, measures))  # one gradient serves all
    pooled = features.get("pooled")
    try:
        gradient, of_pooled = tape.gradient(total, [features["map"], pooled])
    except LookupError:  # an operation has no gradient
        return None
    map_ = np.asarray(features["map"], "float32")
    if gradient is None:
        if of_pooled is None or not _is_mean(np.asarray(pooled, "float32"), map_):
            return None
        gradient = np.asarray(of_pooled, "float32")[:, np.newaxis, np.newaxis] / np.prod(map_.shape[1:3])
    weights = np.asarray(gradient, "float32").mean((1, 2))
    cams: np.ndarray = np.einsum("bhwc,bc->bhw", map_, weights)
    return cams.clip(min=0)


def of_each(outputs: Arrays, measures: Sequence[Measure]) -> Any:
    """What is explained about each example, float64 (examples,): each measure, of its own outputs."""
    import tensorflow as tf

    def of(row: int) -> Any:
        return measures[row](tf.nest.map_structure(lambda tensor: tensor[row : row + 1], outputs))

    return tf.concat([tf.cast(tf.reshape(of(row), (1,)), tf.float64) for row in range(len(measures))], 0)


def _is_mean(pooled: np.ndarray, map_: np.ndarray) -> bool:
    import numpy as np

    mean = map_.mean((1, 2))
    return pooled.shape == mean.shape and bool(np.abs(pooled - mean).max() <= _NEAR * np.abs(pooled).max())


def occluded(value: np.ndarray, measured: Callable[[Sequence[np.ndarray]], np.ndarray]) -> np.ndarray:
    """How much less speaks for an answer where a cell of the picture is covered with its mean colour.

    value     RGB (height, width, 3)
    measured  what is explained, of several such pictures: (pictures,)

    Returns float32 (rows, columns), 0 or more; at most 8 by 8 cells.
    """
    import numpy as np

    height, width = value.shape[:2]
    rows, columns = (np.linspace(0, size, min(_CELLS, size) + 1).round().astype(int) for size in (height, width))
    colour = value.reshape(-1, value.shape[-1]).mean(0).astype(value.dtype)
    whole = float(measured([value])[0])
    drops = []
    for top, bottom in itertools.pairwise(rows):
        covered = []
        for left, right in itertools.pairwise(columns):
            covered.append(value.copy())
            covered[-1][top:bottom, left:right] = colour
        drops.append(whole - measured(covered))
    return np.array(drops, "float32").clip(min=0)


def laid_over(value: np.ndarray, grid: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A picture (height, width, 3) of at most `SHOWN` pixels, its heat (height, width) and the grid, both 0 to 1."""
    import numpy as np
    from PIL import Image

    picture = Image.fromarray(value)
    picture.thumbnail((SHOWN, SHOWN))
    heat = Image.fromarray(_to_1(grid)).resize(picture.size, Image.Resampling.BILINEAR)
    return np.asarray(picture), _to_1(np.asarray(heat).clip(min=0)), _to_1(grid)


def _to_1(values: np.ndarray) -> np.ndarray:
    """Scaled so that the largest is 1, unless all are 0: float32."""
    scaled: np.ndarray = (values / (values.max() or 1)).astype("float32")
    return scaled
