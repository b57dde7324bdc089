"""The features of a run's examples from its backbone as it was before the training, as the cache has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.catalog import catalog
from zoo.compose.encoder import encoder_of
from zoo.compose.model import feature_names
from zoo.compose.partition import frozen_front
from zoo.data.batches import Preprocessing
from zoo.data.examples import Example
from zoo.errors import BadData
from zoo.features.extractor import Extractor
from zoo.inference.options import Inference
from zoo.reports.shown import Shelf
from zoo.runs.provenance import read_provenance
from zoo.weights import choose

if TYPE_CHECKING:
    import numpy as np

    from zoo.runs.run import Run

MOST = 50_000  # examples


@dataclass(frozen=True)
class Kept:
    """Examples of a run with their features.

    rows      those of split.csv: input, target, split, content
    features  {feature: float32 (rows, ...)}, as a head reads them
    left      how many examples have none, or are more than `MOST`
    """

    rows: list[dict[str, str]]
    features: dict[str, np.ndarray]
    left: int

    @property
    def vectors(self) -> np.ndarray:
        """One vector for each example, float32 (rows, dim): of words, their mean."""
        if "mask" not in self.features:
            (vectors,) = self.features.values()
            return vectors.reshape(len(vectors), -1)
        mask = self.features["mask"][..., None].astype("float32")
        mean: np.ndarray = (self.features["sequence"] * mask).sum(axis=1) / mask.sum(axis=1).clip(min=1)
        return mean


def kept_features(run: Run, shelf: Shelf | None = None) -> Kept:
    """The features of the run's examples that are in the cache; with `shelf`, those that are not are computed.

    Raises `BadData` if there are none, and what building the backbone raises.
    """
    before = Path(read_provenance(run.folder)["folder"]) if run.folder.exists("provenance.json") else Path()
    plan = run.plan.seen_from(before)
    offer, head = catalog().backbone(plan.backbone), catalog().head(plan.head)
    weights, file = choose(offer, plan.weights)
    encoder = encoder_of(offer, weights, file).reading(head.spec.reads)
    names = feature_names(head.spec.feature)
    preprocessing = Preprocessing(encoder.preprocess, run.layout.reader)
    options = Inference(plan.precision, plan.engine)
    extractor = Extractor(offer, file, preprocessing, frozen_front(encoder.network, names), options, told=True)
    every = run.folder.read_csv("split.csv")
    rows = [row for row in every if row.get("content")][:MOST]
    if shelf is not None:
        rows, examples = _found(rows, shelf)
        extractor.features(examples)
    rows = [row for row in rows if not extractor.lacks(row["content"])]
    if not rows:
        raise BadData(
            f"The features of {run.path} are not in the cache. To compute them: {run.folder.command('errors')}"
        )
    examples = [Example(row["input"], None, row["target"], None, row["content"]) for row in rows]
    store = extractor.features(examples)
    contents = [row["content"] for row in rows]
    return Kept(rows, {name: store.read(name, contents) for name in names}, len(every) - len(rows))


def _found(rows: Sequence[dict[str, str]], shelf: Shelf) -> tuple[list[dict[str, str]], list[Example]]:
    """The rows whose examples are still there, and these examples."""
    kept, examples = [], []
    for row in rows:
        try:
            raw: Any = shelf.raw((row["input"], row["content"]))
        except BadData:
            continue
        kept.append(row)
        examples.append(Example(row["input"], raw, row["target"], None, row["content"]))
    return kept, examples
