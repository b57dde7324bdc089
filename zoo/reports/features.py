"""The features of a run's examples from its backbone as it was before the training, as the cache has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.catalog import catalog
from zoo.compose.encoder import encoder_of
from zoo.compose.model import feature_names
from zoo.compose.partition import frozen_front
from zoo.data.batches import Preprocessing
from zoo.data.examples import Example
from zoo.errors import BadData
from zoo.features.extractor import Extractor
from zoo.features.store import Store
from zoo.inference.options import Inference
from zoo.reports.shown import Shelf
from zoo.runs.provenance import read_provenance
from zoo.weights import choose

if TYPE_CHECKING:
    import numpy as np

    from zoo.runs.run import Run

MOST = 50_000  # examples
_AT_ONCE = 256  # texts


@dataclass(frozen=True)
class Kept:
    """Examples of a run with their features.

    rows      those of split.csv: input, target, split, content; and "number", from 1
    features  {feature: float32 (rows, ...)}, as a head reads them; empty if they are of single words, which are large
    vectors   one vector for each example, float32 (rows, dim): of words, their mean
    left      how many examples have none, or were not looked at
    """

    rows: list[dict[str, str]]
    features: dict[str, np.ndarray]
    vectors: np.ndarray
    left: int


def kept_features(run: Run, shelf: Shelf | None = None, most: int = MOST) -> Kept:
    """The features of at most so many of the run's examples, evenly chosen, as the cache has them.

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
    rows, left = _chosen(run, most)
    examples = [Example(row["input"], None, row["target"], None, row["content"]) for row in rows]
    if shelf is not None:
        _complete(extractor, examples, shelf)
    there = [place for place, lacking in enumerate(extractor.lacking(examples)) if not lacking]
    if not there:
        reason = shelf.problem if shelf is not None else f"To compute them: {run.folder.command('errors')}"
        raise BadData(f"The features of {run.path} are not in the cache. {reason}")
    store = extractor.features([examples[place] for place in there])
    chosen = [rows[place] for place in there]
    contents = [row["content"] for row in chosen]
    left += len(rows) - len(there)
    if "mask" in names:
        return Kept(chosen, {}, _means(store, contents), left)
    features = {name: store.read(name, contents) for name in names}
    (vectors,) = features.values()
    return Kept(chosen, features, vectors.reshape(len(vectors), -1), left)


def _chosen(run: Run, most: int) -> tuple[list[dict[str, str]], int]:
    """At most so many rows of split.csv, evenly chosen, and how many there are besides."""
    count = sum(1 for _ in run.folder.rows("split.csv"))
    each = max(1, -(-count // most))
    every = enumerate(run.folder.rows("split.csv"), start=1)
    rows = [row | {"number": str(number)} for number, row in every if (number - 1) % each == 0]
    if not all(row.get("content") for row in rows):
        raise BadData(f"{run.path} is of version 0.1, which kept no fingerprints of its examples. Repeat the training.")
    return rows, count - len(rows)


def _complete(extractor: Extractor, examples: list[Example], shelf: Shelf) -> None:
    """Compute the features that are lacking, of the examples that are still there."""
    found = []
    for place in extractor.lacking(examples).nonzero()[0]:
        example = examples[place]
        try:
            example.kept = shelf.raw((example.input, example.content))
        except BadData:
            continue
        found.append(example)
    if found:
        extractor.features(found)


def _means(store: Store, contents: Sequence[str]) -> np.ndarray:
    """The mean of each text's words, float32 (texts, dim), read in pieces."""
    import numpy as np

    means = []
    for start in range(0, len(contents), _AT_ONCE):
        some = contents[start : start + _AT_ONCE]
        mask = store.read("mask", some)[..., np.newaxis].astype("float32")
        means.append((store.read("sequence", some) * mask).sum(axis=1) / np.maximum(mask.sum(axis=1), 1))
    return np.concatenate(means)
