"""Vectors of pictures and texts, from a backbone as it is, without training."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.atomic import atomic_path
from zoo.catalog import catalog
from zoo.compose.encoder import build_encoder
from zoo.compose.head import fitting_head, make_task
from zoo.compose.model import compose
from zoo.data.examples import Skipped
from zoo.data.inputs import Input, as_inputs, read_entries
from zoo.data.layout import Layout
from zoo.data.settle import refuse_wrong_depth, settle
from zoo.errors import BadData, BadPlan
from zoo.places import utf8
from zoo.prediction.predictor import AUTO, Predictor, ask

if TYPE_CHECKING:
    import numpy as np

HEAD = "embedding"


@dataclass(frozen=True)
class Vectors:
    """One vector for each input that could be read.

    inputs   the name of each input: its path, or its row in a table
    texts    the texts themselves; empty for pictures
    values   the vectors, float32 (inputs, dim)
    skipped  the inputs that could not be read, each with the reason
    about    the backbone, weights and options that made the vectors
    seconds  how long it took
    """

    inputs: list[str]
    texts: list[str]
    values: np.ndarray
    skipped: list[Skipped]
    about: dict[str, Any]
    seconds: float

    def write(self, path: Path) -> None:
        """Write a Parquet table: `input`, `text` (for texts), `vector`; the file appears whole or not at all."""
        import pyarrow
        from pyarrow import parquet

        flat = pyarrow.array(self.values.ravel(), pyarrow.float32())
        columns = {"input": pyarrow.array([utf8(name) for name in self.inputs], pyarrow.string())}
        if self.texts:
            columns["text"] = pyarrow.array([utf8(text) for text in self.texts], pyarrow.string())
        columns["vector"] = pyarrow.FixedSizeListArray.from_arrays(flat, self.values.shape[1])
        table = pyarrow.table(columns).replace_schema_metadata({"zoo": json.dumps(self.about)})
        try:
            with atomic_path(path) as beside:
                parquet.write_table(table, beside)
        except OSError as error:
            raise BadData(f"{path} cannot be written: {error.strerror or error}.") from None


def check_out(path: Path) -> None:
    """Raise `BadPlan` if vectors cannot be written to this path."""
    if path.suffix.lower() != ".parquet":
        right = path.parent / f"{path.stem or 'vectors'}.parquet"
        raise BadPlan(f"--out {path}: vectors are written as Parquet. Name the file {right}.")
    if path.exists():
        raise BadPlan(f"--out {path}: the file exists, and it is never overwritten. Name another.")
    if not os.access(path.absolute().parent, os.W_OK):
        raise BadPlan(f"--out {path}: the folder {path.parent} does not exist or is not writable.")


def embed(
    backbone: str,
    inputs: Input | Iterable[Input],
    input_column: str,
    weights: str,
    options: Mapping[str, Any],
    depth: str = "auto",
) -> Vectors:
    """The vectors of the inputs, in their order. Raises `BadData` if none of them can be read."""
    start = time.monotonic()
    offer = catalog().backbone(backbone)
    head = fitting_head(HEAD, offer)
    task = make_task(head, options)
    layout = Layout(offer.spec.modality, head.spec.reads, input_column)
    refuse_wrong_depth(layout.reader, depth)
    layout = settle([], layout, depth)
    entries = read_entries(as_inputs(inputs, layout), layout)
    predictor = Predictor(compose(build_encoder(offer, weights), task, head.spec), layout.reader, task, offer.name)
    made, raws, errors = ask(predictor, entries, AUTO, "Embedding")
    names = [name for number, (name, _, _) in enumerate(entries) if number not in errors]
    texts = [str(raws[row]) for row in made.rows] if layout.reader.in_memory else []
    skipped = [Skipped(entries[number][0], reason) for number, reason in sorted(errors.items())]
    about = {"backbone": offer.name, "weights": weights, "options": task.state()["options"]}
    return Vectors(names, texts, made.arrays, skipped, about, time.monotonic() - start)
