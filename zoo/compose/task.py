"""What a head's class does: everything that is special to a task."""

from __future__ import annotations

import json
import types
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from zoo import engine
from zoo.catalog import Backbone, Head, Offer, catalog
from zoo.catalog.imports import resolve_import
from zoo.catalog.specs import combine
from zoo.data.examples import Target
from zoo.data.reader import Raw, plain
from zoo.errors import BadPlan
from zoo.inference.arrays import Arrays, count, joined

if TYPE_CHECKING:
    import keras
    import numpy as np

TaskState = dict[str, Any]
Answer = dict[str, Any]
Figure = dict[str, Any]

RANKED = "probabilities"


class Scorer:
    """Figures over a whole set, which comes in pieces. This one keeps all of them for `Task.score`."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._pieces: list[tuple[Arrays, Arrays]] = []

    def update(self, encoded: Arrays, outputs: Arrays) -> None:
        """Take some more examples: their targets, as `encode` gives them, and the outputs for them."""
        self._pieces.append((encoded, outputs))

    def result(self) -> dict[str, float]:
        """The figures over all examples so far, the most telling first."""
        encoded, outputs = zip(*self._pieces, strict=True)
        return self._task.score(joined(encoded), joined(outputs))


class Task:
    """A head's class derives from this, or has these methods.

    Outputs are an array (examples, ...), or a dict of them: then `encode`, `loss` and `metrics` give dicts of the same
    names, as Keras wants it of a model with several outputs.

    It is made with the head's options, learns its targets, then encodes, builds, scores, decodes. What raises
    NotImplementedError here has to be written; the rest may be. Of a head that is not trained, only `outputs`,
    `decode`, `state`, `restore`, and how answers are shown, are called.
    """

    def __init__(self, **options: Any) -> None: ...

    # Targets

    def read_target(self, cells: Sequence[Any], raw: Raw) -> Target:
        """The target in the cells of its columns; of one column its text, of several a tuple of texts.

        raw  the example itself; of a text the text

        Raises `zoo.BadData` with the reason in a few words, where the example has to be left out.
        """
        return plain(cells[0]) if len(cells) == 1 else tuple(map(plain, cells))

    def write_target(self, target: Target) -> str:
        """The target as text: in split.csv and predictions.parquet, and where targets are compared."""
        return target if isinstance(target, str) else " ".join(map(str, target))

    def learn(self, targets: Sequence[Target], columns: Sequence[str]) -> None:
        """See the targets of all examples once, from these columns; raises `zoo.BadData` where they make no task."""
        raise NotImplementedError

    def strata(self, targets: Sequence[Target]) -> Sequence[Any]:
        """For each target, what the split into training and validation keeps in proportion: its class, for example.

        None is for a target without which something could not be learnt: it is trained on in any case.
        """
        raise NotImplementedError

    def encode(self, targets: Sequence[Target]) -> Arrays:
        """Targets as numbers (examples, ...); raises `zoo.BadData` for a target that `learn` did not see.

        Those of words are filled up to the longest; a batch of `sequence` may be longer than that, or shorter.
        """
        raise NotImplementedError

    def example_weights(self, encoded: Arrays) -> np.ndarray:
        """How much each training example counts, mean 1: float32 (examples,)."""
        import numpy as np

        return np.ones(count(encoded), "float32")

    # Training

    def outputs(self, features: Mapping[str, keras.KerasTensor]) -> Any:
        """The layers, on the feature that the head's spec names: from (batch, ...) to outputs (batch, ...)."""
        raise NotImplementedError

    def loss(self) -> Any:
        """The `keras.losses.Loss` between encoded targets and outputs."""
        raise NotImplementedError

    def metrics(self) -> Any:
        """New metrics to show while training."""
        return []

    def solve(
        self, head: keras.Model, features: Mapping[str, np.ndarray], encoded: Arrays, weights: np.ndarray
    ) -> str | None:
        """Give `head`, a model of the layers of `outputs`, weights found without training; returns what that is called.

        features  of training examples, {feature: float32 (examples, ...)}

        None where there is no such thing. What is trained is compared with it.
        """
        return None

    # Figures

    def score(self, encoded: Arrays, outputs: Arrays) -> dict[str, float]:
        """Figures over a whole set, the most telling first."""
        raise NotImplementedError

    def scorer(self) -> Scorer:
        """What computes the same figures from pieces, where they need not all be in memory."""
        return Scorer(self)

    def report_figures(self, encoded: Arrays, outputs: Arrays) -> list[Figure]:
        """What a report draws: {"kind": "matrix" | "scatter" | "bars" | "curve", "title": ..., ...} as JSON values."""
        return []

    # Answers. Under the name "probabilities" an answer may hold {label: probability}, the likeliest first: those are
    # shown by rank, and `--top` is how many.

    def decode(self, outputs: Arrays, raws: Sequence[Raw]) -> list[Answer]:
        """One answer for a person for each example: JSON values, the most telling first."""
        raise NotImplementedError

    def only_top(self, answer: Answer, count: int) -> Answer:
        """The answer with at most `count` of what it ranks."""
        ranked = answer.get(RANKED)
        return answer | {RANKED: dict(list(ranked.items())[:count])} if isinstance(ranked, dict) else answer

    def in_words(self, answer: Answer) -> str:
        """The answer in a line for a person."""
        if isinstance(ranked := answer.get(RANKED), dict):
            return "  ".join(f"{label} {share:.3f}" for label, share in ranked.items())
        return "  ".join(f"{name} {_written(value)}" for name, value in answer.items())

    def as_columns(self, answers: Sequence[Answer]) -> dict[str, list[Any]]:
        """The answers as columns of a table: numbers, texts, or lists of them, in the order of the answers."""
        flat = [_flat(answer) for answer in answers]
        names = dict.fromkeys(name for one in flat for name in one)
        return {name: [one.get(name) for one in flat] for name in names}

    def as_rows(self, answer: Answer) -> list[dict[str, Any]]:
        """The answer as rows of a CSV file, by column; mostly one."""
        if getattr(self.as_columns, "__func__", None) is not Task.as_columns:
            return [{name: _in_one_cell(cells[0]) for name, cells in self.as_columns([answer]).items()}]
        row: dict[str, Any] = {}
        for name, value in answer.items():
            if name == RANKED and isinstance(value, dict):
                for rank, (label, share) in enumerate(value.items(), start=1):
                    row |= {f"label_{rank}": label, f"probability_{rank}": f"{share:.6f}"}
            else:
                row[name] = _in_one_cell(value)
        return [row]

    # Keeping

    def state(self) -> TaskState:
        """What `restore` needs to make this task again: JSON values."""
        raise NotImplementedError

    @classmethod
    def restore(cls, state: TaskState) -> Task:
        """The task whose `state` this is."""
        raise NotImplementedError

    @classmethod
    def sample_targets(cls) -> Sequence[Sequence[Any]]:
        """For `zoo check`: the cells of six targets that can be learnt, where they are neither classes nor numbers."""
        return ()


def make_task(offer: Offer[Head], options: Mapping[str, Any]) -> Task:
    """The class of a head with its options set; raises `BadPlan` for an unknown option or a wrong value."""
    known = {option.name: option for option in offer.spec.options}
    values = {name: option.default for name, option in known.items()}
    for name, text in options.items():
        if name not in known:
            raise BadPlan(f"--set {name}={text}: the head {offer.name} has the options {', '.join(known) or 'none'}.")
        try:
            values[name] = known[name].parse(text)
        except ValueError as error:
            raise BadPlan(f"--set {name}={text}: {error}.") from None
    return completed(_task_class(offer)(**values))


def restore_task(name: str, state: TaskState) -> Task:
    """The task that a saved model was trained for."""
    return completed(_task_class(catalog().head(name)).restore(state))


def completed(task: Any) -> Task:
    """A task of any class, with what `Task` adds where its class lacks it."""
    for name, method in vars(Task).items():
        if not name.startswith("_") and not hasattr(task, name):
            bound = method.__get__(task, type(task)) if isinstance(method, classmethod) else None
            setattr(task, name, bound or types.MethodType(method, task))
    made: Task = task
    return made


def fitting_head(name: str, backbone: Offer[Backbone]) -> Offer[Head]:
    """The head called `name`; raises `BadPlan` naming the right ones when it does not combine with the backbone."""
    offer = catalog().head(name)
    if not combine(backbone.spec, offer.spec):
        right = ", ".join(o.name for o in catalog().heads if combine(backbone.spec, o.spec)) or "none"
        raise BadPlan(
            f"The head {name} does not combine with {backbone.name} ({backbone.spec.modality}); these do: {right}."
        )
    return offer


def _task_class(offer: Offer[Head]) -> Any:
    engine.start()
    return resolve_import(offer.spec.build, f"head {offer.name}")


def _written(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _flat(answer: Answer) -> dict[str, Any]:
    """An answer as cells by column, of what is ranked a column for each label."""
    ranked = answer.get(RANKED)
    shares = ranked if isinstance(ranked, dict) else {}
    own = {name: _cell(value) for name, value in answer.items() if name != RANKED or not shares}
    return own | {f"probability {label}": shares[label] for label in sorted(shares)}


def _cell(value: Any) -> Any:
    """What a table can hold: objects, and lists of them, become JSON text."""
    holds_objects = isinstance(value, dict) or (isinstance(value, list) and any(isinstance(v, dict) for v in value))
    return json.dumps(value, ensure_ascii=False, default=str) if holds_objects else value


def _in_one_cell(value: Any) -> Any:
    """What a cell of a CSV file can hold: a list becomes its parts, separated by "|"."""
    cell = _cell(value)
    return "|".join(map(str, cell)) if isinstance(cell, list) else cell
