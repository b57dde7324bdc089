"""A model's answers for examples with known targets: metrics, figures, and the table predictions.parquet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.data.examples import Example
from zoo.inference.arrays import Arrays, at, gathered
from zoo.places import utf8

if TYPE_CHECKING:
    import numpy as np

    from zoo.compose.task import Figure, Task

FILE = "predictions.parquet"


@dataclass(frozen=True)
class Judged:
    """The examples of one split, and how the model did on them.

    table    a `pyarrow.Table`: input, split, target, and the head's output columns
    metrics  the metrics over all of them
    figures  the figures for a report
    """

    table: Any
    metrics: dict[str, float]
    figures: list[Figure]

    @classmethod
    def of(cls, task: Task, examples: Sequence[Example], pieces: Sequence[tuple[np.ndarray, Arrays]]) -> Judged:
        """Score and decode outputs, which are given in pieces of (positions in `examples`, arrays)."""
        import numpy as np
        import pyarrow as pa

        encoded = task.encode([example.target for example in examples])
        scorer, tables = task.scorer(), []
        for rows, outputs in pieces:
            scorer.update(at(encoded, rows), outputs)
            some = [examples[row] for row in rows]
            answers = task.as_columns(task.decode(outputs, [example.raw for example in some]))
            tables.append(pa.table(_own_columns(some) | answers))
        rows = np.concatenate([rows for rows, _ in pieces])
        table = pa.concat_tables(tables, promote_options="permissive").take(np.argsort(rows))
        return cls(table, scorer.result(), task.report_figures(encoded, gathered(pieces, len(examples))))


def write_predictions(path: Path, judged: Sequence[Judged]) -> None:
    """Write one table with all splits. Raises `OSError`."""
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.concat_tables([one.table for one in judged], promote_options="permissive"), path)


def _own_columns(examples: Sequence[Example]) -> dict[str, list[Any]]:
    return {
        "input": [utf8(example.input) for example in examples],
        "split": [example.split for example in examples],
        "target": [utf8(example.written) for example in examples],
    }
