"""Running examples through a model, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.data.examples import Raw
from zoo.data.pipeline import Unreadable, prepared, refuse_unreadable
from zoo.inference.folded import Folded
from zoo.inference.precision import Precision
from zoo.progress import step

if TYPE_CHECKING:
    import keras
    import numpy as np

BATCH = 32


def forward(
    model: keras.Model,
    preprocess: keras.Model,
    raws: Sequence[Raw],
    title: str,
    errors: Unreadable | None = None,
    precision: Precision = "float32",
) -> Iterator[tuple[np.ndarray, Any]]:
    """What a model that takes prepared input gives (an array, or a dict of them), batch by batch.

    With each come the positions in `raws` that it is of. A picture that cannot be read is put into `errors`, with the
    reason, and its output means nothing; where no `errors` are given it raises `BadData`.
    """
    unreadable: Unreadable = {} if errors is None else errors
    batches = prepared(raws, preprocess, BATCH, unreadable)
    infer = Folded(model, batches.element_spec[1], precision)
    with step(title, len(raws), "pictures" if isinstance(raws[0], Path) else "texts") as advance:
        for rows, batch in batches:
            yield rows.numpy(), infer(batch)
            advance(len(rows))
    if errors is None:
        refuse_unreadable(unreadable)


def outputs(
    model: keras.Model, preprocess: keras.Model, raws: Sequence[Raw], title: str, errors: Unreadable | None = None
) -> np.ndarray:
    """All of what a model with one output gives, in the order of `raws`, padded with zeros to the longest."""
    import numpy as np

    batches = list(forward(model, preprocess, raws, title, errors))
    longest = np.max([answers.shape[1:] for _, answers in batches], axis=0).astype(int)
    everything = np.empty((len(raws), *longest), batches[0][1].dtype)
    for rows, answers in batches:
        room = [(0, most - has) for most, has in zip(longest, answers.shape[1:], strict=True)]
        everything[rows] = np.pad(answers, [(0, 0), *room])
    return everything
