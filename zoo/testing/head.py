"""Promises of a head: that it can learn, and that what it answers is what it learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from zoo.catalog import Head, Offer, catalog
from zoo.catalog.specs import combine
from zoo.compose.model import feature_names
from zoo.compose.task import Task, make_task
from zoo.data.examples import Target
from zoo.data.texts import join_words
from zoo.errors import BadData
from zoo.testing.promises import BrokenPromise, NotChecked

if TYPE_CHECKING:
    import keras
    import numpy as np

_WIDTH = 16
_STEPS = 200
_SAMPLES: tuple[Sequence[Target], ...] = (
    ["red|blue", "green", "blue|green", "|", "red", "red|green|blue"],  # sets of labels, or else classes
    ["1.5", "-2", "0", "4", "1.5", "3"],
)
_TAGS: Sequence[Target] = [("O", "B-LOC", "I-LOC"), ("B-LOC", "O", "O"), ("O", "O", "B-LOC")] * 2


def combines(offer: Offer[Head]) -> str:
    """There may be a backbone for it: at least one of the installed ones, where any reads as it does."""
    fitting = [backbone.name for backbone in catalog().backbones if combine(backbone.spec, offer.spec)]
    if not fitting:
        raise NotChecked("no installed backbone offers what it consumes")
    return f"{len(fitting)} backbones"


def decodes_what_it_encodes(offer: Offer[Head]) -> str:
    """Trained on six examples until it knows them, it answers each with the target that was learnt."""
    task, targets = _learnt(offer)
    model, features = _model(offer, task, len(targets))
    if targets:
        _train(model, task, features, targets)
    answers = task.decode(_ask(model, features), _raws(offer))
    if len(answers) != len(_raws(offer)):
        raise BrokenPromise(f"it gives {len(answers)} answers for {len(_raws(offer))} examples")
    for target, answer in zip(targets, answers, strict=False):
        if not any(_says(value, target) for value in answer.values()):
            raise BrokenPromise(f"for an example of {target!r} it answers {answer!r}")
    return f"{len(answers)} of {len(answers)}" if targets else "nothing to learn; an answer for each example"


def state_brings_it_back(offer: Offer[Head]) -> str:
    """A task made of its state decodes as it does, and the state is JSON."""
    import json

    task, targets = _learnt(offer)
    model, features = _model(offer, task, len(targets))
    outputs = _ask(model, features)
    again = type(task).restore(json.loads(json.dumps(task.state())))
    if again.decode(outputs, _raws(offer)) != task.decode(outputs, _raws(offer)):
        raise BrokenPromise("a task made of its state answers otherwise")
    if targets and not _equal(again.encode(targets), task.encode(targets)):
        raise BrokenPromise("a task made of its state encodes otherwise")
    return "answers and encodes the same"


def _learnt(offer: Offer[Head]) -> tuple[Task, Sequence[Target]]:
    """The task with its options' defaults, and targets of a kind that it accepts."""
    if not offer.spec.trained:
        return make_task(offer, {}), []
    refused = ""
    for targets in (_TAGS,) if offer.spec.reads == "words" else _SAMPLES:
        task = make_task(offer, {})
        try:
            task.learn(targets, ("label",))
            task.encode(targets)
        except BadData as error:
            refused = str(error)
        else:
            return task, targets
    raise NotChecked(f"it learns none of the targets that this kit has: {refused}")


def _model(offer: Offer[Head], task: Task, count: int) -> tuple[keras.Model, dict[str, np.ndarray]]:
    """The head alone, and features of random examples, each unlike the others."""
    import keras
    import numpy as np

    keras.utils.set_random_seed(0)
    count = count or len(_raws(offer))
    shapes = {"pooled": (_WIDTH,), "map": (4, 4, _WIDTH), "sequence": (3, _WIDTH), "mask": (3,)}
    names = feature_names(offer.spec.feature)
    generator = np.random.default_rng(0)
    features = {name: generator.normal(size=(count, *shapes[name])).astype("float32") for name in names}
    if "mask" in features:
        features["mask"] = np.ones((count, 3), "int32")
    free = {"sequence": (None, _WIDTH), "mask": (None,)}
    entry = {n: keras.Input(free.get(n, shapes[n]), dtype=str(features[n].dtype), name=n) for n in names}
    return keras.Model(entry, task.outputs(entry)), features


def _train(model: keras.Model, task: Task, features: Mapping[str, Any], targets: Sequence[Target]) -> None:
    import keras

    model.compile(keras.optimizers.Adam(0.02), loss=task.loss(), metrics=task.metrics())
    model.fit(dict(features), task.encode(targets), epochs=_STEPS, verbose=0)


def _ask(model: keras.Model, features: Mapping[str, Any]) -> np.ndarray:
    import numpy as np

    return np.asarray(model(dict(features), training=False))


def _raws(offer: Offer[Head]) -> list[Any]:
    if offer.spec.reads == "words":
        return [join_words(["one", "two", "three"])] * len(_TAGS)
    return ["an example"] * 6


def _says(value: Any, target: Target) -> bool:
    """Whether a part of an answer is the target: the same text, number, set of labels, or list of tags."""
    if isinstance(target, tuple):
        return isinstance(value, list) and list(target) == value
    if isinstance(value, list):
        return sorted(map(str, value)) == sorted(filter(None, target.split("|")))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return abs(value - float(target)) < 0.5
        except ValueError:
            return False
    return str(value) == target


def _equal(first: Any, second: Any) -> bool:
    import numpy as np

    return bool(np.array_equal(first, second))
