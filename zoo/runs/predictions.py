"""A model's answers for examples with known targets: metrics, figures, and the table predictions.parquet."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.compose.answers import beside
from zoo.data.examples import Example
from zoo.inference.arrays import Arrays, at, gathered
from zoo.places import utf8
from zoo.structs import as_json

if TYPE_CHECKING:
    import numpy as np

    from zoo.compose.task import Figure, Task

FILE = "predictions.parquet"


@dataclass(frozen=True)
class Judged:
    """The examples of one split, and how the model did on them.

    pieces   its outputs, in pieces of (positions in `examples`, arrays)
    metrics  the metrics over all examples, as floats
    figures  the figures for a report
    """

    task: Task
    examples: Sequence[Example]
    pieces: Sequence[tuple[np.ndarray, Arrays]]
    metrics: dict[str, float]
    figures: list[Figure]

    @classmethod
    def of(cls, task: Task, examples: Sequence[Example], pieces: Sequence[tuple[np.ndarray, Arrays]]) -> Judged:
        """Score the outputs."""
        encoded, scorer = task.encode([example.target for example in examples]), task.scorer()
        for rows, outputs in pieces:
            scorer.update(at(encoded, rows), outputs)
        figures = task.report_figures(encoded, gathered(pieces, len(examples)))
        return cls(task, examples, pieces, as_floats(scorer.result()), figures)

    @functools.cached_property
    def table(self) -> Any:
        """A `pyarrow.Table`: input, split, target, and the answers in columns."""
        import pyarrow as pa

        columns: dict[str, list[Any]] = {}
        for rows, outputs in self.pieces:
            some = self.task.decode_columns(outputs, [self.examples[row].raw for row in rows])
            for name, values in some.items():
                column = columns.setdefault(name, [None] * len(self.examples))
                for row, value in zip(rows, values, strict=True):
                    column[row] = value
        known = {
            "input": [utf8(example.input) for example in self.examples],
            "split": [example.split for example in self.examples],
            "target": [utf8(example.written) for example in self.examples],
        }
        return pa.table({name: _arrow(column) for name, column in beside(known, columns).items()})


def as_floats(metrics: dict[str, Any]) -> dict[str, float]:
    """Metrics as a head computes them, perhaps as numbers of NumPy or TensorFlow, as plain floats."""
    return {name: float(value) for name, value in metrics.items()}


def write_predictions(path: Path, judged: Sequence[Judged]) -> None:
    """Write one table with all splits. Raises `OSError`."""
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.concat_tables([one.table for one in judged], promote_options="permissive"), path)


def _arrow(column: Sequence[Any]) -> Any:
    """A column as an array of Arrow; as JSON text if its values are of several types, or too large."""
    import pyarrow as pa

    try:
        return pa.array(column)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        return pa.array([utf8(json.dumps(value, ensure_ascii=False, default=as_json)) for value in column])
