"""Promises of a head, tested on a few examples with made-up features, and with the real command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from zoo.catalog import Head, Offer, catalog
from zoo.catalog.specs import combine
from zoo.compose.head import make_task
from zoo.compose.model import feature_names
from zoo.compose.task import Task, own
from zoo.data.reader import Target
from zoo.data.texts import join_words
from zoo.errors import BadData
from zoo.inference.arrays import Arrays, at, each
from zoo.progress import counted
from zoo.testing.commands import every_command
from zoo.testing.promises import BrokenPromise, NotChecked

if TYPE_CHECKING:
    import keras
    import numpy as np

_WIDTH = 16
_NEAR = 0.5  # how far an answer may be from a number that was learnt
_STEPS = 200
_WORDS = ("one", "two", "three")
_SHAPES = {"pooled": (_WIDTH,), "map": (4, 4, _WIDTH), "sequence": (len(_WORDS), _WIDTH), "mask": (len(_WORDS),)}
_SAMPLES: tuple[Sequence[Any], ...] = (
    ["red|blue", "green", "blue|green", "|", "red", "red|green|blue"],  # sets of labels, or classes
    ["1.5", "-2", "0", "4", "1.5", "3"],
)
_TAGS: Sequence[Any] = [["O", "B-LOC", "I-LOC"], ["B-LOC", "O", "O"], ["O", "O", "B-LOC"]] * 2


def combines(offer: Offer[Head]) -> str:
    """At least one installed backbone combines with it."""
    fitting = [backbone.name for backbone in catalog().backbones if combine(backbone.spec, offer.spec)]
    if not fitting:
        raise NotChecked("no installed backbone offers what it consumes")
    return counted(len(fitting), "backbones")


def decodes_what_it_encodes(offer: Offer[Head]) -> str:
    """After training on six examples until it knows them, it answers each with its target."""
    task, targets = _learnt(offer)
    model, features = _model(offer, task, len(targets))
    if targets:
        _train(model, task, features, targets)
    answers = task.decode(_ask(model, features), _raws(offer))
    if len(answers) != len(_raws(offer)):
        raise BrokenPromise(f"it gives {len(answers)} answers for {len(_raws(offer))} examples")
    for target, answer in zip(targets, answers, strict=False):
        if not any(_says(part, target) for part in _parts(answer)):
            raise BrokenPromise(f"for an example with the target {target!r} it answers {answer!r}")
    return f"{len(answers)} of {len(answers)}" if targets else "nothing to learn; an answer for each example"


def state_brings_it_back(offer: Offer[Head]) -> str:
    """Its state is JSON, and a task restored from it decodes and encodes in the same way."""
    import json

    task, targets, outputs = _asked(offer)
    again = type(task).restore(json.loads(json.dumps(task.state())))
    if again.decode(outputs, _raws(offer)) != task.decode(outputs, _raws(offer)):
        raise BrokenPromise("a task restored from its state gives other answers")
    if targets and not _equal(again.encode(targets), task.encode(targets)):
        raise BrokenPromise("a task restored from its state encodes differently")
    return "the same answers and encodings"


def shows_its_answers(offer: Offer[Head]) -> str:
    """Its answers become a line of text, columns that a Parquet file can hold, and rows; its targets become text."""
    import pyarrow as pa

    task, targets, outputs = _asked(offer)
    answers = task.decode(outputs, _raws(offer))
    try:
        table = pa.table(task.as_columns(answers))
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise BrokenPromise(f"its columns do not make a table: {error}") from None
    straight = task.decode_columns(outputs, _raws(offer)) if own(task, "decode_columns") else table.to_pydict()
    if {name: list(column) for name, column in straight.items()} != table.to_pydict():
        raise BrokenPromise("`decode_columns` gives other columns than `as_columns(decode(...))`")
    if table.num_rows != len(answers) or not table.num_columns:
        raise BrokenPromise(f"its columns have {table.num_rows} rows for {len(answers)} answers")
    for answer in answers:
        short, rows = task.only_top(answer, 1), task.as_rows(answer)
        said = [task.in_words(one) for one in (answer, short)]
        if not all(isinstance(line, str) and line.strip() and "\n" not in line for line in said):
            raise BrokenPromise(f"in words, {answer!r} is {said!r}, not one line")
        if not rows or not all(isinstance(row, dict) and row for row in rows):
            raise BrokenPromise(f"its rows for {answer!r} are {rows!r}, not mappings of columns to cells")
    written = [task.write_target(target) for target in targets]
    if not all(isinstance(text, str) for text in written):
        raise BrokenPromise(f"it writes the target {targets[0]!r} as {written[0]!r}, which is not text")
    return f"as {', '.join(table.column_names[:4])}"


def scores_in_pieces(offer: Offer[Head]) -> str:
    """Its scorer, given the examples in pieces, computes the same metrics as `score` does from all at once."""
    import math

    task, targets, outputs = _asked(offer)
    if not targets:
        return "nothing to score"
    encoded, scorer, half = task.encode(targets), task.scorer(), len(targets) // 2
    for rows in (slice(None, half), slice(half, None)):
        scorer.update(at(encoded, rows), at(outputs, rows))
    pieces, whole = scorer.result(), task.score(encoded, outputs)
    if pieces.keys() != whole.keys() or not all(math.isclose(pieces[n], whole[n], abs_tol=1e-6) for n in whole):
        raise BrokenPromise(f"in pieces the metrics are {pieces}, but at once they are {whole}")
    return ", ".join(whole)


def every_command_takes_it(offer: Offer[Head]) -> str:
    """`zoo train`, `predict` (in words, --csv, --json) and `evaluate` work with it, from a table to metrics."""
    if not offer.spec.trained:
        raise NotChecked("nothing is trained; `zoo embed` uses the head `embedding`")
    return every_command(offer, _cells(offer), _WORDS)


def _cells(offer: Offer[Head]) -> Sequence[Any]:
    """The cells of six targets that it can learn."""
    given = [list(cells) for cells in make_task(offer, {}).sample_targets()]
    refused = ""
    for cells in [given] if given else [_TAGS] if offer.spec.reads == "words" else _SAMPLES:
        rows = cells if given else [[cell] for cell in cells]
        try:
            _taught(offer, rows)
        except BadData as error:
            refused = str(error)
        else:
            return rows
    raise NotChecked(f"it cannot learn any of this kit's targets (`sample_targets` can provide others): {refused}")


def _taught(offer: Offer[Head], rows: Sequence[Any]) -> tuple[Task, list[Target]]:
    task = make_task(offer, {})
    targets = [task.read_target(cells, raw) for cells, raw in zip(rows, _raws(offer), strict=True)]
    task.learn(targets, ("label",))
    task.encode(targets)
    return task, targets


def _learnt(offer: Offer[Head]) -> tuple[Task, list[Target]]:
    """The task with its default options, and targets that it accepts."""
    return _taught(offer, _cells(offer)) if offer.spec.trained else (make_task(offer, {}), [])


def _asked(offer: Offer[Head]) -> tuple[Task, list[Target], Arrays]:
    """The task, its targets, and the outputs of its untrained layers."""
    task, targets = _learnt(offer)
    return task, targets, _ask(*_model(offer, task, len(targets)))


def _model(offer: Offer[Head], task: Task, count: int) -> tuple[keras.Model, dict[str, np.ndarray]]:
    """The head as a model of its own, and the features of random examples, all different."""
    import keras
    import numpy as np

    keras.utils.set_random_seed(0)
    count = count or len(_raws(offer))
    names = feature_names(offer.spec.feature)
    if unknown := set(names) - set(_SHAPES):
        raise NotChecked(f"it consumes {unknown.pop()}, which this kit cannot make up")
    generator = np.random.default_rng(0)
    features = {name: generator.normal(size=(count, *_SHAPES[name])).astype("float32") for name in names}
    if "mask" in features:
        features["mask"] = np.ones((count, len(_WORDS)), "int32")
    free = {"sequence": (None, _WIDTH), "mask": (None,)}
    entry = {n: keras.Input(free.get(n, _SHAPES[n]), dtype=str(features[n].dtype), name=n) for n in names}
    return keras.Model(entry, task.outputs(entry)), features


def _train(model: keras.Model, task: Task, features: Mapping[str, Any], targets: Sequence[Target]) -> None:
    import keras

    model.compile(keras.optimizers.Adam(0.02), loss=task.loss(), metrics=task.metrics())
    model.fit(dict(features), task.encode(targets), epochs=_STEPS, verbose=0)


def _ask(model: keras.Model, features: Mapping[str, Any]) -> Arrays:
    import numpy as np

    return each(model(dict(features), training=False), np.asarray)


def _raws(offer: Offer[Head]) -> list[Any]:
    return [join_words(_WORDS) if offer.spec.reads == "words" else "an example"] * len(_TAGS)


def _parts(answer: Any) -> Iterator[Any]:
    """An answer, and everything in it."""
    yield answer
    if isinstance(answer, (dict, list)):
        for part in answer.values() if isinstance(answer, dict) else answer:
            yield from _parts(part)


def _says(part: Any, target: Target) -> bool:
    """Whether a part of an answer is the target: the same text, number, set of labels, or list of tags or numbers."""
    if isinstance(target, (tuple, list)):
        return isinstance(part, list) and len(part) == len(target) and all(map(_says, part, target))
    if isinstance(part, list) and isinstance(target, str):
        return sorted(map(str, part)) == sorted(filter(None, target.split("|")))
    try:
        return abs(float(part) - float(target)) < _NEAR
    except (TypeError, ValueError):
        return bool(part == target)


def _equal(first: Any, second: Any) -> bool:
    import numpy as np

    if isinstance(first, dict):
        return first.keys() == second.keys() and all(_equal(first[name], second[name]) for name in first)
    return bool(np.array_equal(first, second))
