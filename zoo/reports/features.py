"""The features of a run's examples from its backbone as it was before the training, as the cache has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
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


def kept_features(run: Run, shelf: Shelf | None = None, most: int = MOST) -> Kept:
    """The features of at most so many of the run's examples, as the cache has them.

    shelf  where the examples are: the features that the cache lacks are computed

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
    every = run.folder.rows("split.csv")
    rows = [row for row in islice(every, most) if row.get("content")]
    left = sum(1 for _ in every)
    examples = [Example(row["input"], None, row["target"], None, row["content"]) for row in rows]
    if shelf is not None:
        rows, examples = _found(rows, shelf)
        extractor.features(examples)
    there = [place for place, lacking in enumerate(extractor.lacking(examples)) if not lacking]
    if not there:
        again = run.folder.command("errors")
        raise BadData(f"The features of {run.path} are not in the cache. To compute them: {again}")
    left += len(rows) - len(there)
    rows = [rows[place] for place in there]
    store = extractor.features([examples[place] for place in there])
    contents = [row["content"] for row in rows]
    return Kept(rows, {name: store.read(name, contents) for name in names}, left)


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
