"""The worst answers of a model: mistakes.json. Light to import."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from zoo.data.examples import Example
from zoo.errors import BadRun
from zoo.inference.arrays import Arrays, at
from zoo.places import utf8
from zoo.runs.folder import RunFolder
from zoo.structs import convert

if TYPE_CHECKING:
    from zoo.compose.task import Task

FILE = "mistakes.json"
MOST = 100
_TOP = 3  # of the probabilities


class Mistake(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that is wrong, or off.

    wrong     how wrong it is, as `Task.mistakes` says it; None if that is no number
    in_words  the answer as a line of text
    """

    input: str
    content: str
    target: str
    answer: dict[str, Any]
    in_words: str
    wrong: float | None


class Mistakes(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the `examples` are answered wrongly, and the worst answers, at most `MOST`, the worst first.

    count  None if answers are not right or wrong, but more or less far off
    """

    count: int | None
    examples: int
    worst: list[Mistake]


class _File(msgspec.Struct, frozen=True, kw_only=True):
    validation: Mistakes | None = None
    test: Mistakes | None = None


def worst_answers(task: Task, examples: Sequence[Example], encoded: Arrays, outputs: Arrays) -> Mistakes | None:
    """The worst of a task's answers; None if it does not say how wrong they are."""
    import numpy as np

    how_wrong = task.mistakes(encoded, outputs)
    if how_wrong is None:
        return None
    how_wrong = np.nan_to_num(np.asarray(how_wrong, "float64"), nan=math.inf)
    rows = np.argsort(-how_wrong, kind="stable")[: min(MOST, int(np.count_nonzero(how_wrong)))]
    answers = task.decode(at(outputs, rows), [examples[row].raw for row in rows]) if len(rows) else []
    worst = [
        Mistake(
            input=utf8(examples[row].input),
            content=examples[row].content,
            target=utf8(examples[row].written),
            answer=task.only_top(answer, _TOP),
            in_words=utf8(task.in_words(task.only_top(answer, _TOP))),
            wrong=float(how_wrong[row]) if math.isfinite(how_wrong[row]) else None,
        )
        for row, answer in zip(rows, answers, strict=True)
    ]
    count = int(np.count_nonzero(how_wrong)) if task.is_right_or_wrong() else None
    return Mistakes(count=count, examples=len(examples), worst=worst)


def read_mistakes(folder: RunFolder) -> dict[str, Mistakes]:
    """By split, what a run's mistakes.json has; {} for a run from before there was one. Raises `BadRun`."""
    if not folder.exists(FILE):
        return {}
    known = convert(folder.read_json(FILE), _File, BadRun, folder.path / FILE)
    return {name: part for name in _File.__struct_fields__ if (part := getattr(known, name)) is not None}
