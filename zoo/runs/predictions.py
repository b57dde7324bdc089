"""A model's answers for examples with known targets: metrics, figures, and the table predictions.parquet."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.compose.answers import beside
from zoo.data.examples import Example
from zoo.errors import ZooError
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
        """Score the outputs. Raises `ZooError` if the head fails at it."""
        with _blamed_on_the_head("scores"):
            encoded, scorer = task.encode([example.target for example in examples]), task.scorer()
            for rows, outputs in pieces:
                scorer.update(at(encoded, rows), outputs)
            figures = task.report_figures(encoded, gathered(pieces, len(examples)))
            return cls(task, examples, pieces, as_floats(scorer.result()), figures)

    def columns(self) -> dict[str, list[Any]]:
        """The examples as columns of a table: input, split, target, and the answers."""
        columns: dict[str, list[Any]] = {}
        for rows, outputs in self.pieces:
            with _blamed_on_the_head("answers"):
                some = self.task.decode_columns(outputs, [self.examples[row].raw for row in rows])
                for name, values in some.items():
                    column = columns.setdefault(str(name), [None] * len(self.examples))
                    for row, value in zip(rows, values, strict=True):
                        column[row] = value
        known = {
            "input": [utf8(example.input) for example in self.examples],
            "split": [example.split for example in self.examples],
            "target": [utf8(example.written) for example in self.examples],
        }
        return beside(known, columns)


@contextmanager
def _blamed_on_the_head(doing: str) -> Iterator[None]:
    """A context in which an error of a plugin's code becomes a sentence."""
    try:
        yield
    except ZooError:
        raise
    except Exception as error:
        raise ZooError(
            f"The head fails when it {doing} the examples: {type(error).__name__}: {error}. Report this to the author "
            "of its plugin. What was trained is kept: with a plugin that works, `zoo resume` finishes the run."
        ) from error


def as_floats(metrics: dict[str, Any]) -> dict[str, float]:
    """Metrics as a head computes them, perhaps as numbers of NumPy or TensorFlow, as plain floats; NaN for None.

    Raises `ZooError` for what is no number.
    """
    try:
        return {name: math.nan if value is None else float(value) for name, value in metrics.items()}
    except (TypeError, ValueError):
        raise ZooError(
            f"The head computes the metrics {metrics!r}, and not all of them are numbers. Report this to the author of "
            "its plugin."
        ) from None


def write_predictions(path: Path, judged: Sequence[Judged]) -> None:
    """Write one table with all splits. Raises `OSError`."""
    import pyarrow as pa
    from pyarrow import parquet

    splits = [one.columns() for one in judged]
    names = dict.fromkeys(name for columns in splits for name in columns)
    nothing = [[None] * len(one.examples) for one in judged]
    whole = {name: [columns.get(name, none) for columns, none in zip(splits, nothing, strict=True)] for name in names}
    table = pa.table({name: _arrow(list(chain(*parts))) for name, parts in whole.items()})
    parquet.write_table(table, path)


def _arrow(column: Sequence[Any]) -> Any:
    """A column as an array of Arrow; as JSON text if its values are of several types, or too large."""
    import pyarrow as pa

    try:
        return pa.array(column)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        return pa.array([utf8(json.dumps(value, ensure_ascii=False, default=as_json)) for value in column])
