"""Compares two models on the same examples: differences of metrics, and which examples only one answers rightly."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.compose.answers import answer_in
from zoo.compose.head import restore_task
from zoo.errors import BadRun
from zoo.inference.arrays import Arrays, at
from zoo.runs.compare import read_split
from zoo.runs.intervals import LEVEL, Interval, bootstrap

if TYPE_CHECKING:
    import numpy as np

    from zoo.compose.task import Task
    from zoo.runs.run import Run

# The content, or the name where a run of version 0.1 kept none; the target; and the how manieth of these it is.
Key = tuple[str, str, int]


_FEWEST = 10  # examples that two models are compared on


@dataclass(frozen=True)
class Answered:
    """The validation examples of a run, by key, and how it answered them.

    right  whether each answer is right, bool (examples,); None if the head does not say
    """

    run: Run
    task: Task
    keys: list[Key]
    names: dict[Key, str]
    encoded: Arrays
    outputs: Arrays
    right: np.ndarray | None

    @classmethod
    def of(cls, run: Run) -> Answered | None:
        """None if the outputs are not in the run's predictions, or it has none. Raises `BadData` for odd targets."""
        import numpy as np

        known = {}  # by name and target; a run's inputs may have the same names in DATA and --val
        for (name, content), (target, split) in read_split(run.folder).items():
            if split == "validation":
                known[name, target] = content
        try:
            table = run.predictions
        except BadRun:
            return None
        table = table.take([row for row, split in enumerate(table["split"].to_pylist()) if split == "validation"])
        columns = {name: table[name].to_pylist() for name in table.column_names}
        task = restore_task(run.card.head, run.card.task)
        found = task.from_columns(columns["target"], answer_in(columns))
        if found is None:
            return None
        encoded, outputs = found
        pairs = list(zip(columns["input"], columns["target"], strict=True))
        counts = Counter[tuple[str, str]]()
        keys: list[Key] = []
        for name, target in pairs:
            same = known.get((name, target)) or name, target
            keys.append((*same, counts[same]))
            counts[same] += 1
        names = {key: name for key, (name, _) in zip(keys, pairs, strict=True)}
        wrong = task.mistakes(encoded, outputs) if task.is_right_or_wrong() else None
        return cls(run, task, keys, names, encoded, outputs, None if wrong is None else np.asarray(wrong) == 0)

    def chosen(self, keys: Sequence[Key]) -> Answered:
        """Only these examples, in this order."""
        place = {key: row for row, key in enumerate(self.keys)}
        rows = [place[key] for key in keys]
        right = None if self.right is None else self.right[rows]
        encoded, outputs = at(self.encoded, rows), at(self.outputs, rows)
        return Answered(self.run, self.task, list(keys), self.names, encoded, outputs, right)


@dataclass(frozen=True)
class Difference:
    """How much larger each metric is for the first of two models.

    differences  {metric: (difference, its 95 % interval)}; None for an interval that is not known
    only_first   the examples that only the first answers rightly (name, content, target); None: not known
    p            of McNemar's exact test that both are right equally often; None: not known
    """

    examples: int
    differences: dict[str, tuple[float, Interval | None]]
    only_first: list[tuple[str, str, str]] | None
    only_second: list[tuple[str, str, str]] | None
    p: float | None


def difference(first: Answered, second: Answered) -> Difference | None:
    """The difference between two models on the examples that both were judged on; None if these are fewer than ten."""
    import numpy as np
    from scipy.stats import binomtest

    theirs = set(second.keys)
    common = [key for key in dict.fromkeys(first.keys) if key in theirs]
    if len(common) < _FEWEST:
        return None
    one, two = first.chosen(common), second.chosen(common)
    scores = [some.task.scores(some.encoded, some.outputs) for some in (one, two)]
    everything = np.arange(len(common))[np.newaxis]
    whole = [each(everything) for each in scores]
    names = [name for name in whole[0] if name in whole[1]]

    def statistic(rows: np.ndarray) -> np.ndarray:
        a, b = (each(rows) for each in scores)
        return np.stack([np.broadcast_to(a[name] - b[name], len(rows)) for name in names])

    found = dict(zip(names, bootstrap(statistic, len(common), len(names)), strict=True))
    values = [some.task.each(some.encoded, some.outputs) for some in (one, two)]
    for name in names:  # few unlike answers are too few to resample
        if all(name in each and each[name].dtype == bool for each in values):
            found[name] = _of_shares(values[0][name], values[1][name])
    differences: dict[str, tuple[float, Interval | None]] = {}
    for name in names:
        value, ends = float(whole[0][name][0] - whole[1][name][0]), found[name]
        differences[name] = value, ends if all(map(math.isfinite, ends)) else None
    if one.right is None or two.right is None:
        return Difference(len(common), differences, None, None, None)
    alone = [
        [(first.names[common[row]], *common[row][:2]) for row in np.flatnonzero(a & ~b)]
        for a, b in ((one.right, two.right), (two.right, one.right))
    ]
    unlike = len(alone[0]) + len(alone[1])
    p = float(binomtest(len(alone[0]), unlike).pvalue) if unlike else 1.0
    return Difference(len(common), differences, alone[0], alone[1], p)


def _of_shares(one: np.ndarray, two: np.ndarray) -> Interval:
    """The interval of a difference of shares of the same examples: Wald's, adjusted (Bonett and Price 2012)."""
    from scipy.stats import norm

    size = len(one) + 2
    first, second = ((a & ~b).sum() + 1 for a, b in ((one, two), (two, one)))
    center = (first - second) / size
    width = norm.ppf((1 + LEVEL) / 2) * math.sqrt(((first + second) / size - center**2) / size)
    return float(center - width), float(center + width)


def milliseconds(run: Run) -> float:
    """How long one example takes, of 64 fixed ones at once, in the fastest of three tries after a first one."""
    import time

    from zoo.prediction.predictor import FEW

    predictor, reader = run.predictor, run.layout.reader
    raws: list[Any] = reader.samples(FEW)
    if run.card.reads == "pair":
        raws = [(raw, raw) for raw in raws]
    spent = []
    for _ in range(4):
        start = time.perf_counter()
        predictor.pieces(raws, "")
        spent.append(time.perf_counter() - start)
    return 1000 * min(spent[1:]) / FEW
