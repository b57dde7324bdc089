"""Vectors of pictures and texts, from a backbone as it is: nothing is trained."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import engine
from zoo.atomic import atomic_path
from zoo.catalog import catalog
from zoo.compose.encoder import build_encoder
from zoo.compose.model import compose
from zoo.compose.task import fitting_head, make_task
from zoo.data.examples import Raw, Skipped
from zoo.data.given import Input
from zoo.data.pipeline import Unreadable
from zoo.data.sources import Reading
from zoo.errors import BadData, BadPlan
from zoo.runs.ask import ask
from zoo.runs.forward import outputs

if TYPE_CHECKING:
    import numpy as np

HEAD = "embedding"


@dataclass(frozen=True)
class Vectors:
    """One vector for each input that could be read.

    inputs   what each is called: its path, or its row in a table
    texts    the texts themselves; empty for pictures
    values   float32 (inputs, dim)
    skipped  the inputs that could not be read, each with the reason
    about    backbone, weights and options that they were made with
    """

    inputs: list[str]
    texts: list[str]
    values: np.ndarray
    skipped: list[Skipped]
    about: dict[str, Any]

    def write(self, path: Path) -> None:
        """Write a Parquet table: `input`, `text` (of texts), `vector`; the file appears whole or not at all."""
        import pyarrow
        from pyarrow import parquet

        flat = pyarrow.array(self.values.ravel(), pyarrow.float32())
        columns = {"input": pyarrow.array([_utf8(name) for name in self.inputs], pyarrow.string())}
        if self.texts:
            columns["text"] = pyarrow.array([_utf8(text) for text in self.texts], pyarrow.string())
        columns["vector"] = pyarrow.FixedSizeListArray.from_arrays(flat, self.values.shape[1])
        table = pyarrow.table(columns).replace_schema_metadata({"zoo": json.dumps(self.about)})
        try:
            with atomic_path(path) as beside:
                parquet.write_table(table, beside)
        except OSError as error:
            raise BadData(f"{path} cannot be written: {error.strerror or error}.") from None


def check_out(path: Path) -> None:
    """Raise `BadPlan` for a name that vectors cannot be written to."""
    if path.suffix.lower() != ".parquet":
        raise BadPlan(f"--out {path}: vectors are written as Parquet; name the file {path.with_suffix('.parquet')}.")
    if path.exists():
        raise BadPlan(f"--out {path}: the file exists, and is not overwritten; name another.")
    if not os.access(path.absolute().parent, os.W_OK):
        raise BadPlan(f"--out {path}: the folder {path.parent} does not exist, or may not be written to.")


def embed(
    backbone: str, given: Sequence[Input], input_column: str, weights: str, options: Mapping[str, Any]
) -> Vectors:
    """The vectors of inputs, in their order. Raises `BadData` when none of them can be read."""
    offer = catalog().backbone(backbone)
    head = fitting_head(HEAD, offer)
    task = make_task(head, options)
    reading = Reading(offer.spec.modality, head.spec.reads, input_column)

    def run(raws: list[Raw], errors: Unreadable) -> np.ndarray:
        engine.start()
        composed = compose(build_encoder(offer, weights), task, head.spec)
        return outputs(composed.from_prepared, composed.encoder.preprocess, raws, "Embedding", errors)

    asked = ask(given, reading, run)
    place = {name: row for row, name in enumerate(asked.known)}
    inputs = [name for name in asked.names if name in place]
    texts = [str(asked.known[name]) for name in inputs] if reading.modality == "text" else []
    skipped = [Skipped(name, reason) for name, reason in asked.errors.items()]
    about = {"backbone": offer.name, "weights": weights, "options": task.state()["options"]}
    return Vectors(inputs, texts, asked.outputs[[place[name] for name in inputs]], skipped, about)


def _utf8(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
