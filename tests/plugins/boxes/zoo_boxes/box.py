"""One box for each picture: two outputs, targets that are lists, figures from pieces, answers that are nested."""

import keras
import numpy as np

import zoo


class Overlap(zoo.Scorer):
    """The mean intersection over union, from sums: no example is kept."""

    def __init__(self):
        self.sum, self.count = 0.0, 0

    def update(self, encoded, outputs):
        shares = _overlap(_corners(encoded), _corners(outputs))
        self.sum, self.count = self.sum + float(shares.sum()), self.count + len(shares)

    def result(self):
        return {"mean_iou": self.sum / self.count}


class Box(zoo.Task):
    def read_target(self, cells, raw):
        (cell,) = cells
        if not isinstance(cell, list) or len(cell) != 4 or not all(isinstance(n, (int, float)) for n in cell):
            raise zoo.BadData(f"{cell!r} is no box: it must be [left, top, right, bottom]")
        return tuple(map(float, cell))

    def write_target(self, target):
        return ",".join(f"{number:g}" for number in target)

    def learn(self, targets, columns):
        if len(set(targets)) < 2:
            raise zoo.BadData("All boxes are the same; there is nothing to learn.")

    def strata(self, targets):
        return [""] * len(targets)

    def encode(self, targets):
        boxes = np.array(targets, "float32").reshape(-1, 2, 2)
        return {"centre": boxes.mean(axis=1), "size": boxes[:, 1] - boxes[:, 0]}

    def outputs(self, features):
        x = keras.layers.LayerNormalization()(features["map"])
        x = keras.layers.Flatten()(keras.layers.Conv2D(8, 1, activation="relu")(x))
        layers = {n: keras.layers.Dense(2, activation="sigmoid", dtype="float32", name=n) for n in ("centre", "size")}
        return {name: layer(x) for name, layer in layers.items()}

    def loss(self):
        return {name: keras.losses.MeanSquaredError() for name in ("centre", "size")}

    def metrics(self):
        return {}

    def score(self, encoded, outputs):
        scorer = Overlap()
        scorer.update(encoded, outputs)
        return scorer.result()

    def scorer(self):
        return Overlap()

    def decode(self, outputs, raws):
        return [{"box": {"corners": box.ravel().round(3).tolist()}} for box in _corners(outputs)]

    def in_words(self, answer):
        left, top, right, bottom = answer["box"]["corners"]
        return f"from {left:.2f}, {top:.2f} to {right:.2f}, {bottom:.2f}"

    def as_columns(self, answers):
        names = ("left", "top", "right", "bottom")
        return {name: [answer["box"]["corners"][n] for answer in answers] for n, name in enumerate(names)}

    def state(self):
        return {}

    @classmethod
    def restore(cls, state):
        return cls()

    @classmethod
    def sample_targets(cls):
        return [[[n / 10, n / 12, 0.5 + n / 12, 0.5 + n / 11]] for n in range(6)]


def _corners(boxes):
    """Centre and size (examples, 2) -> corners (examples, 2, 2)."""
    return np.stack([boxes["centre"] - boxes["size"] / 2, boxes["centre"] + boxes["size"] / 2], axis=1)


def _overlap(first, second):
    low, high = np.maximum(first[:, 0], second[:, 0]), np.minimum(first[:, 1], second[:, 1])
    both = np.maximum(high - low, 0).prod(axis=1)
    areas = [np.maximum(box[:, 1] - box[:, 0], 0).prod(axis=1) for box in (first, second)]
    return both / np.maximum(areas[0] + areas[1] - both, 1e-9)
