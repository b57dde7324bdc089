"""The interface of a head's class, which does everything that is specific to a task."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from zoo.compose.explained import Measure, explained_row
from zoo.data.cells import plain
from zoo.data.reader import Raw, Target
from zoo.inference.arrays import Arrays, at, count, joined
from zoo.structs import as_json

if TYPE_CHECKING:
    import keras
    import numpy as np

TaskState = dict[str, Any]
Answer = dict[str, Any]
Figure = dict[str, Any]

RANKED = "probabilities"
_NAMED = 6  # targets that are named in a message


class Scorer:
    """Computes the metrics of a set that comes in pieces. This one keeps all pieces for `Task.score`."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._pieces: list[tuple[Arrays, Arrays]] = []

    def update(self, encoded: Arrays, outputs: Arrays) -> None:
        """Add examples: their targets, as returned by `encode`, and their outputs."""
        self._pieces.append((encoded, outputs))

    def result(self) -> dict[str, float]:
        """The metrics over all examples so far, the most important first."""
        encoded, outputs = zip(*self._pieces, strict=True)
        return self._task.score(joined(encoded), joined(outputs))


class Task:
    """The base class of a head's class, which may also just have the same methods.

    Outputs are an array (examples, ...) or a dict of arrays. If they are a dict, `encode`, `loss` and `metrics` return
    dicts with the same names, as Keras requires for a model with several outputs.

    A task is created with the head's options and learns its targets; then it encodes, builds, scores and decodes. A
    subclass must write the methods that raise NotImplementedError here, and may write the others. For a head that is
    not trained, only `outputs`, `decode`, `state`, `restore` and the methods that show answers are called.
    """

    def __init__(self, **options: Any) -> None: ...

    # Targets

    def read_target(self, cells: Sequence[Any], raw: Raw) -> Target:
        """The target in the cells of its columns: the text of a single column, or a tuple of texts.

        For a head that reads words: their tags, as many as there are words, unless it has a `read_target` of its own.

        raw  the example itself; for a text example, the text

        Raises `zoo.BadData` with the reason in a few words if the example has to be left out. Any other `zoo.ZooError`
        is a question: nothing is trained, and its message is shown behind the name of the table and the row.
        """
        return plain(cells[0]) if len(cells) == 1 else tuple(map(plain, cells))

    def write_target(self, target: Target) -> str:
        """The target as text: for split.csv and predictions.parquet, and to compare targets."""
        return target if isinstance(target, str) else " ".join(map(str, target))

    def parse_target(self, text: str) -> Target:
        """The target that `write_target` wrote as this text."""
        return text

    def describe(self, targets: Sequence[Target], unit: str = "different") -> str:
        """The targets in a few words, which are said before a training, once they are learnt: how many of each."""
        counts = Counter(map(self.write_target, targets))
        if 2 * len(counts) > len(targets):
            return f"{len(counts)} {unit}"
        named = ", ".join(f"{shortened(name)} {n}" for name, n in counts.most_common(_NAMED))
        return f"{len(counts)} {unit}, {named}{', ...' if len(counts) > _NAMED else ''}"

    def learn(self, targets: Sequence[Target], columns: Sequence[str]) -> None:
        """See the targets for training once, with the names of their columns.

        A copy of the task sees all targets before they are split. Raises `zoo.BadData` if they cannot be learnt.
        """
        raise NotImplementedError

    def strata(self, targets: Sequence[Target]) -> Sequence[Any]:
        """For each target, its stratum, for example its class; the split into training and validation is stratified.

        None marks a target that must stay in training, because something could not be learnt without it.
        """
        raise NotImplementedError

    def encode(self, targets: Sequence[Target]) -> Arrays:
        """Targets as numbers (examples, ...); raises `zoo.BadData` for a target that `learn` did not see.

        Targets of words are padded to the longest; a batch of `sequence` may be longer or shorter than that.
        """
        raise NotImplementedError

    def example_weights(self, encoded: Arrays) -> np.ndarray:
        """The weight of each training example, with mean 1: float32 (examples,)."""
        import numpy as np

        return np.ones(count(encoded), "float32")

    # Training

    def outputs(self, features: Mapping[str, keras.KerasTensor]) -> Any:
        """Apply the head's layers to the features that its spec names, (batch, ...); returns outputs (batch, ...)."""
        raise NotImplementedError

    def loss(self) -> Any:
        """The `keras.losses.Loss` between encoded targets and outputs."""
        raise NotImplementedError

    def metrics(self) -> Any:
        """New Keras metrics to show during training."""
        return []

    def solve(
        self, head: keras.Model, features: Mapping[str, np.ndarray], encoded: Arrays, weights: np.ndarray
    ) -> str | None:
        """Compute weights for `head`, a model made by `outputs`, without training; returns the method's name.

        features  features of the training examples, {feature: float32 (examples, ...)}

        Returns None if there is no such method. The result is the baseline for the trained head.
        """
        return None

    def suspect(
        self, features: Mapping[str, np.ndarray], encoded: Arrays, groups: np.ndarray | None = None
    ) -> tuple[np.ndarray, list[str]] | None:
        """How suspicious each target is, and the target that would fit better; None if there is no such method.

        features  features from the frozen backbone, {feature: float32 (examples, ...)}
        encoded   targets as numbers, as returned by `encode`
        groups    int (examples,), the same for copies of one thing; None: for examples with the same features

        Returns the suspicion, float64 (examples,) from 0 to 1, larger where a target is more likely wrong, by which
        examples can be compared; and for each example a better target as `write_target` writes it, or "". The same
        input gives the same result.
        """
        return None

    # Metrics

    def score(self, encoded: Arrays, outputs: Arrays) -> dict[str, float]:
        """The metrics over a whole set, the most important first."""
        raise NotImplementedError

    def scorer(self) -> Scorer:
        """A scorer that computes the same metrics from pieces, so that they need not all be in memory."""
        return Scorer(self)

    def each(self, encoded: Arrays, outputs: Arrays) -> dict[str, np.ndarray]:
        """Of the metrics that are a mean over the examples, the value of each example, (examples,).

        A metric that is a share, such as accuracy, has bool here. From this come intervals and comparisons.
        """
        return {}

    def scores(self, encoded: Arrays, outputs: Arrays) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
        """A function of positions, int (samples, any), that gives the metrics of each sample, {metric: (samples,)}.

        For intervals, which need thousands of samples: a head that can compute many at once overrides it.
        """
        import numpy as np

        def of_samples(rows: np.ndarray) -> dict[str, np.ndarray]:
            each = [self.score(at(encoded, some), at(outputs, some)) for some in rows]
            return {name: np.array([one[name] for one in each], "float64") for name in each[0]}

        return of_samples

    def constant(self, encoded: Arrays) -> tuple[Arrays, str] | None:
        """What can be answered without looking: outputs (1, ...), the same for every example, and the answer in words.

        encoded  the training targets, of which it is the best constant answer; None: there is no such answer
        """
        return None

    # A report

    def report_figures(self, encoded: Arrays, outputs: Arrays) -> list[Figure]:
        """Figures for a report, as JSON values: {"kind": ..., "title": ..., "note": a sentence, ...}.

        matrix   "labels", "values": counts, a row for each true label
        table    "columns", "rows": cells, numbers or texts
        bars     "labels", "values": {series: a number for each label}
        scatter  "x", "y": numbers, "names": of the two axes, "diagonal": whether both would best be the same
        curve    "lines": {series: {"x": numbers, "y": numbers}}, "names" and "diagonal" as above
        """
        return []

    def mistakes(self, encoded: Arrays, outputs: Arrays) -> np.ndarray | None:
        """How wrong each answer is, float (examples,): 0 if it is right; a confident mistake is the worst.

        None: answers are not compared with targets one by one.
        """
        return None

    def is_right_or_wrong(self) -> bool:
        """Whether an answer is right or wrong, and not only more or less far off, like a number."""
        return True

    # Answers. An answer may have {label: probability}, the likeliest first, under the name "probabilities". They are
    # shown by rank, and `--top` limits how many.

    def decode(self, outputs: Arrays, raws: Sequence[Raw]) -> list[Answer]:
        """One answer for each example: JSON values, the most important first."""
        raise NotImplementedError

    def only_top(self, answer: Answer, count: int) -> Answer:
        """The answer with at most `count` of its probabilities."""
        ranked = answer.get(RANKED)
        return answer | {RANKED: dict(list(ranked.items())[:count])} if isinstance(ranked, dict) else answer

    def in_words(self, answer: Answer) -> str:
        """The answer as one line of text."""
        if isinstance(ranked := answer.get(RANKED), dict):
            return "  ".join(f"{label} {share:.3f}" for label, share in ranked.items())
        return "  ".join(f"{name} {_written(value)}" for name, value in answer.items())

    def as_columns(self, answers: Sequence[Answer]) -> dict[str, list[Any]]:
        """The answers as columns of a table: numbers, texts, or lists of these, in the order of the answers."""
        flat = [_flat(answer) for answer in answers]
        names = dict.fromkeys(name for one in flat for name in one)
        return {name: [one.get(name) for one in flat] for name in names}

    def decode_columns(self, outputs: Arrays, raws: Sequence[Raw]) -> dict[str, list[Any]]:
        """The columns of `as_columns`, straight from outputs, for a head that can compute them faster than this."""
        return self.as_columns(self.decode(outputs, raws))

    def from_columns(
        self, targets: Sequence[str], columns: Mapping[str, Sequence[Any]]
    ) -> tuple[Arrays, Arrays] | None:
        """Encoded targets and outputs again, from targets as they were written, and the columns of answers.

        From these `score` has to give the same metrics. None: they cannot be had from there, so two runs are not
        compared example by example.
        """
        return None

    def as_rows(self, answer: Answer) -> list[dict[str, Any]]:
        """The answer as rows of a CSV file, by column; usually one row."""
        if own(self, "as_columns"):
            return [{name: _in_one_cell(cells[0]) for name, cells in self.as_columns([answer]).items()}]
        row: dict[str, Any] = {}
        for name, value in answer.items():
            if name == RANKED and isinstance(value, dict):
                for rank, (label, share) in enumerate(value.items(), start=1):
                    row |= {f"label_{rank}": label, f"probability_{rank}": f"{share:.6f}"}
            else:
                row[name] = _in_one_cell(value)
        return [row]

    def explained(self, output: Arrays, raw: Raw, target: str = "") -> tuple[str, Measure]:
        """What `zoo explain` explains about an answer: its name, such as the label, and the number to explain.

        output  the outputs for one example: a NumPy array, or a dict of arrays, without the dimension of examples
        raw     the example itself; for a text example, the text
        target  the label or column that a person asked about; "": the answer that was given

        The number is a function from outputs (batch, ...), as TensorFlow tensors, to (batch,), which can be
        differentiated; what raises it speaks for the answer. It should have a gradient where the answer is certain,
        too, as log-odds have, but not probabilities.

        By default, for outputs that are one row of numbers, it is the largest of them, or the one that `labels` names;
        of probabilities that add up to 1, the log-odds. Raises `BadData` with the reason if there is nothing to explain
        for this example, and any other `ZooError` if there is not for any.
        """
        return explained_row(output, getattr(self, "labels", ()), target)

    # Keeping

    def state(self) -> TaskState:
        """The JSON values from which `restore` makes this task again."""
        raise NotImplementedError

    @classmethod
    def restore(cls, state: TaskState) -> Task:
        """The task with this `state`."""
        raise NotImplementedError

    @classmethod
    def sample_targets(cls) -> Sequence[Sequence[Any]]:
        """For `zoo check`: the cells of six targets to learn, if they are neither classes nor numbers."""
        return ()


def shortened(text: str, most: int = 30) -> str:
    """A text for a message, cut where it is long."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def own(task: Task, name: str) -> bool:
    """Whether a task's class has its own version of a method of `Task`."""
    return getattr(type(task), name, None) not in (None, getattr(Task, name))


def _written(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=as_json)


def _flat(answer: Answer) -> dict[str, Any]:
    """An answer as cells by column, with a column for the probability of each label."""
    ranked = answer.get(RANKED)
    shares = ranked if isinstance(ranked, dict) else {}
    own = {name: _cell(value) for name, value in answer.items() if name != RANKED or not shares}
    return own | {f"probability {label}": shares[label] for label in sorted(shares)}


def _cell(value: Any) -> Any:
    """A value that a table can hold: objects, and lists of objects, become JSON text."""
    holds_objects = isinstance(value, dict) or (isinstance(value, list) and any(isinstance(v, dict) for v in value))
    return json.dumps(value, ensure_ascii=False, default=as_json) if holds_objects else value


def _in_one_cell(value: Any) -> Any:
    """A value that a cell of a CSV file can hold: the parts of a list are joined with "|"."""
    cell = _cell(value)
    return "|".join(map(str, cell)) if isinstance(cell, list) else cell
