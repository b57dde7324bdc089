"""Putting what a person gives to a model, when some of it cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.data.examples import Raw
from zoo.data.given import Input, read_given
from zoo.data.pipeline import Unreadable
from zoo.data.sources import Reading
from zoo.errors import BadData

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Asked:
    """What came of some inputs.

    names    every input, in order; the same one may stand there twice
    known    those that could be read, each once: what the model was given
    outputs  a row for each of `known`
    errors   why the others could not be read
    """

    names: list[str]
    known: dict[str, Raw]
    outputs: np.ndarray
    errors: Unreadable


def ask(inputs: Sequence[Input], reading: Reading, run: Callable[[list[Raw], Unreadable], np.ndarray]) -> Asked:
    """Read the inputs, and let `run` make a row of numbers for each; it may add to the errors.

    Raises `BadData` when there is nothing at all that can be read.
    """
    entries = [entry for given in inputs for entry in read_given(given, reading)]
    if not entries:
        raise BadData(f"There is nothing to read in {', '.join(map(str, inputs))}.")
    names = [name for name, _, _ in entries]
    errors: Unreadable = {name: reason for name, raw, reason in entries if raw is None}
    given = {name: raw for name, raw, _ in entries if raw is not None}
    outputs = run(list(given.values()), errors) if given else None
    known = {name: raw for name, raw in given.items() if name not in errors}
    if outputs is None or not known:
        name, reason = next(iter(errors.items()))
        raise BadData(f"None of the {len(names)} inputs can be read ({name}: {reason}).")
    return Asked(names, known, outputs[[place for place, name in enumerate(given) if name in known]], errors)
