"""The Predictor: a composed model that answers any number of times, from any number of threads."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zoo.compose.answers import beside
from zoo.compose.model import Parts
from zoo.compose.task import Answer, Task
from zoo.data.batches import Preprocessing, Unreadable
from zoo.data.inputs import Entry
from zoo.data.limit import Limit
from zoo.data.reader import Raw, Reader
from zoo.errors import BadData
from zoo.inference.arrays import Arrays, each, gathered
from zoo.inference.forward import BATCH, forward
from zoo.inference.memory import with_fewer_where_needed
from zoo.inference.options import Inference
from zoo.inference.runner import Runner

if TYPE_CHECKING:
    import numpy as np

AUTO, EXACT = Inference(), Inference("float32", "tensorflow")
FEW = 64  # fewer examples than this are done before a faster engine would have started


@dataclass(frozen=True)
class Outputs:
    """The outputs for some examples.

    rows    the positions of the examples that could be read, in order
    arrays  one row for each of them; None if there are none
    errors  why the others could not be read, by position
    """

    rows: list[int]
    arrays: Arrays
    errors: Unreadable = field(default_factory=dict)


class Predictor:
    """The preprocessing, network and task of one model. The graphs are built at the first call and kept.

    They have the weights of that moment. Whatever the precision, the head computes in float32. The same question gets
    the same answers, whatever was asked before and whichever thread asks: engine and precision are tried out on fixed
    samples, not on the first inputs.

    backbone  its name, to say how many texts are longer than it reads; "": nothing is said
    """

    def __init__(self, parts: Parts, reader: Reader, task: Task, backbone: str = "") -> None:
        self.task, self._backbone = task, backbone
        self.parts, self.reader = parts, reader
        self._making = threading.Lock()
        self._preprocessing: Preprocessing | None = None
        self._limit: Limit | None = None
        self._ways: dict[Inference | None, Callable[[Any], Arrays]] = {}  # None: for a few examples

    def decode(self, made: Outputs, raws: Sequence[Raw]) -> list[Answer]:
        """The task's answers for the rows of `made`, which are the outputs for `raws`."""
        held = [self.reader.read(raws[row]) if self.reader.in_memory else raws[row] for row in made.rows]
        return self.task.decode(made.arrays, held) if held else []

    def outputs(self, raws: Sequence[Raw], title: str = "Predicting", options: Inference = AUTO) -> Outputs:
        """The outputs for examples, which are places, bytes or values."""
        errors: Unreadable = {}
        arrays = gathered(self._pieces(raws, title, options, errors), len(raws))
        rows = [row for row in range(len(raws)) if row not in errors]
        return Outputs(rows, each(arrays, lambda array: array[rows]) if rows and errors else arrays, errors)

    def pieces(
        self, raws: Sequence[Raw], title: str = "Predicting", options: Inference = AUTO
    ) -> list[tuple[np.ndarray, Arrays]]:
        """The same in pieces of (positions, arrays); raises `BadData` for an example that cannot be read."""
        return self._pieces(raws, title, options, None)

    @property
    def preprocessing(self) -> Preprocessing:
        """The graph that turns values into the input of the network."""
        return self._ready(AUTO, 1)[0]

    def cut(self, raws: Sequence[Raw]) -> list[int]:
        """The positions of the texts, or pairs, that are longer than the backbone reads."""
        self._ready(AUTO, 1)
        assert self._limit is not None
        return self._limit.cut(raws)

    def exact(self, raws: Sequence[Raw]) -> Arrays:
        """The outputs in float32, as for a few examples, without a word; raises `BadData` for what cannot be read."""
        preprocessing, infer = self._ready(AUTO, 1)
        return with_fewer_where_needed(
            BATCH, lambda size: gathered(forward(infer, preprocessing, raws, "", batch_size=size), len(raws))
        )

    def _pieces(
        self, raws: Sequence[Raw], title: str, options: Inference, errors: Unreadable | None
    ) -> list[tuple[np.ndarray, Arrays]]:
        preprocessing, infer = self._ready(options, len(raws))
        if self._backbone and self._limit is not None:
            self._limit.say_what_is_cut(raws, self._backbone)

        def run(batch_size: int) -> list[tuple[np.ndarray, Arrays]]:
            return list(forward(infer, preprocessing, raws, title, errors=errors, batch_size=batch_size))

        return with_fewer_where_needed(BATCH, run)

    def _ready(self, options: Inference, count: int) -> tuple[Preprocessing, Callable[[Any], Arrays]]:
        """The graphs; for a few examples and default options, the model's own graph, which starts fastest."""
        few = count < FEW and options == AUTO
        with self._making:
            if self._preprocessing is None:
                self._preprocessing = Preprocessing(self.parts.preprocess, self.reader)
                self._limit = Limit(self._preprocessing)
            chosen = None if few else options
            if chosen not in self._ways:
                spec = self._preprocessing.spec
                if few:
                    self._ways[chosen] = Runner(self.parts.from_prepared, spec, EXACT, fold=False)
                else:
                    self._ways[chosen] = self._in_two_steps(Runner(self.parts.features, spec, options))
            return self._preprocessing, self._ways[chosen]

    def _in_two_steps(self, features: Runner) -> Callable[[Any], Arrays]:
        """The features as `features` computes them, then the head in float32."""
        import tensorflow as tf

        assert self._preprocessing is not None
        self._settle(features, self._preprocessing)
        entry = self.parts.from_features.input
        spec = {name: tf.TensorSpec(tensor.shape, tensor.dtype) for name, tensor in entry.items()}
        head = Runner(self.parts.from_features, spec, EXACT, fold=False)
        return lambda batch: head(features(batch))

    def _settle(self, runner: Runner, preprocessing: Preprocessing) -> None:
        """Let the runner decide on samples; a network that they are too long for decides on the first question."""
        import tensorflow as tf

        values, inputs = self.reader.samples(BATCH), len(self.parts.preprocess.inputs)
        raws = values if inputs == 1 else [(value,) * inputs for value in values]

        def settle(count: int) -> None:
            ((_, batch),) = forward(lambda prepared: prepared, preprocessing, raws[:count], "")
            with contextlib.suppress(tf.errors.InvalidArgumentError, RuntimeError):  # OpenVINO raises the latter
                runner.settled(batch)

        with_fewer_where_needed(BATCH, settle)


def answer_entries(predictor: Predictor, entries: Sequence[Entry], options: Inference = AUTO) -> list[Answer]:
    """The answers for the entries, in order, each with its name as `input`; if it cannot be read, `error` says why.

    Raises `BadData` if none of the entries can be read.
    """
    made, raws, errors = ask(predictor, entries, options)
    decoded = iter(predictor.decode(made, raws))
    return [
        {"input": name, "error": errors[number]} if number in errors else beside({"input": name}, next(decoded))
        for number, (name, _, _) in enumerate(entries)
    ]


def ask(
    predictor: Predictor, entries: Sequence[Entry], options: Inference = AUTO, title: str = "Predicting"
) -> tuple[Outputs, list[Raw], Unreadable]:
    """The outputs and raws of the entries that can be read, and the reasons for the others, by their positions.

    Raises `BadData` if none of the entries can be read.
    """
    readable = [number for number, (_, _, reason) in enumerate(entries) if not reason]
    raws = [entries[number][1] for number in readable]
    made = predictor.outputs(raws, title, options) if raws else Outputs([], None)
    errors = {number: reason for number, (_, _, reason) in enumerate(entries) if reason}
    errors |= {readable[row]: reason for row, reason in made.errors.items()}
    if len(errors) == len(entries):
        number, reason = next(iter(errors.items()))
        raise BadData(f"None of the inputs can be read ({len(entries)} in all; {entries[number][0]}: {reason}).")
    return made, raws, errors
