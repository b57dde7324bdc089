"""A model's answers for examples with known targets: metrics, figures, and the table predictions.parquet."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.compose.answers import beside
from zoo.data.examples import Example
from zoo.errors import ZooError
from zoo.inference.arrays import Arrays, at, gathered
from zoo.places import utf8
from zoo.runs.column import Column
from zoo.runs.intervals import Interval, intervals
from zoo.runs.mistakes import Mistakes, worst_answers

if TYPE_CHECKING:
    import numpy as np

    from zoo.compose.task import Figure, Task

FILE = "predictions.parquet"
_AT_ONCE = 10_000  # rows


@dataclass(frozen=True)
class Judged:
    """The examples of one split, and how the model did on them.

    pieces     its outputs, in pieces of (positions in `examples`, arrays)
    metrics    the metrics over all examples, as floats
    intervals  the 95 % interval of each metric that has one
    figures    the figures for a report
    mistakes   the worst answers; None if the head does not compare answers with targets
    """

    task: Task
    examples: Sequence[Example]
    pieces: Sequence[tuple[np.ndarray, Arrays]]
    metrics: dict[str, float]
    intervals: dict[str, Interval]
    figures: list[Figure]
    mistakes: Mistakes | None

    @classmethod
    def of(cls, task: Task, examples: Sequence[Example], pieces: Sequence[tuple[np.ndarray, Arrays]]) -> Judged:
        """Score the outputs. Raises `ZooError` if the head fails at it."""
        with _blamed_on_the_head("scores"):
            encoded, scorer = task.encode([example.target for example in examples]), task.scorer()
            for rows, outputs in pieces:
                scorer.update(at(encoded, rows), outputs)
            outputs, metrics = gathered(pieces, len(examples)), as_floats(scorer.result())
            figures = task.report_figures(encoded, outputs)
            mistakes = worst_answers(task, examples, encoded, outputs)
            return cls(task, examples, pieces, metrics, intervals(task, encoded, outputs, metrics), figures, mistakes)

    def answers(self) -> Iterator[tuple[np.ndarray, dict[str, list[Any]]]]:
        """Pieces of (positions in `examples`, columns of their answers)."""
        for rows, outputs in self.pieces:
            with _blamed_on_the_head("answers"):
                columns = self.task.decode_columns(outputs, [self.examples[row].raw for row in rows])
                if lengths := {name: len(some) for name, some in columns.items() if len(some) != len(rows)}:
                    raise ValueError(f"{lengths} answers for {len(rows)} examples")
                yield rows, {str(name): list(some) for name, some in columns.items()}


@contextmanager
def _blamed_on_the_head(doing: str) -> Iterator[None]:
    """A context in which an error of a plugin's code becomes a sentence."""
    try:
        yield
    except (ZooError, MemoryError, OSError):
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
    """Write one table with all splits: input, split, target, and the answers. Raises `OSError`."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import parquet

    examples = [example for one in judged for example in one.examples]
    answers: dict[str, Column] = {}
    places: list[np.ndarray] = []  # where the rows of each piece belong
    count, start = 0, 0
    for one in judged:
        for rows, some in one.answers():
            for name in some:
                answers.setdefault(name, Column(count))
            for name, column in answers.items():
                column.add(some.get(name, [None] * len(rows)))
            places.append(start + rows)
            count += len(rows)
        start += len(one.examples)
    where = np.full(len(examples), -1)
    where[np.concatenate(places) if places else []] = np.arange(count)
    known = {
        "input": _texts([example.input for example in some] for some in _slices(examples)),
        "split": _texts([example.split for example in some] for some in _slices(examples)),
        "target": _texts([example.written for example in some] for some in _slices(examples)),
    }
    order = pa.array(where, mask=where < 0)
    table = pa.table(beside(known, {name: column.whole().take(order) for name, column in answers.items()}))
    parquet.write_table(table, path, row_group_size=_AT_ONCE)


def _slices(examples: Sequence[Example]) -> Iterator[Sequence[Example]]:
    return (examples[start : start + _AT_ONCE] for start in range(0, len(examples), _AT_ONCE))


def _texts(pieces: Iterable[Sequence[str | None]]) -> Any:
    import pyarrow as pa

    return pa.chunked_array(
        [pa.array([text and utf8(text) for text in texts], pa.string()) for texts in pieces], pa.string()
    )
