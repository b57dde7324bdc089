"""Running examples through a model, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.data.examples import Raw
from zoo.data.order import Order
from zoo.data.pipeline import Unreadable, Views, prepared, refuse_unreadable, text_lengths
from zoo.inference.how import Inference
from zoo.inference.memory import with_fewer_where_needed
from zoo.inference.runner import Runner
from zoo.progress import progress

if TYPE_CHECKING:
    import keras
    import numpy as np

BATCH = 32
AUTO, EXACT = Inference(), Inference("float32", "tensorflow")
FEW = 64  # examples that are done before a faster engine has started


def forward(
    infer: Callable[[Any], Any],
    preprocess: keras.Model,
    raws: Sequence[Raw],
    title: str,
    errors: Unreadable | None = None,
    views: Views | None = None,
    view: int = 0,
    needed: frozenset[int] | None = None,
    batch_size: int = BATCH,
) -> Iterator[tuple[np.ndarray, Any]]:
    """What `infer` makes of prepared input (an array, or a dict of them), batch by batch.

    With each come the positions in `raws` that it is of. A picture that cannot be read is put into `errors`, with the
    reason, and its output means nothing; where no `errors` are given it raises `BadData`. With `views`, the pictures
    are changed, to the one numbered `view`. Batches without any of the `needed` positions are left out, and the others
    are as they would be without that: what is computed depends on its batch in the last digit.
    """
    order = Order(len(raws), batch_size, lengths=text_lengths(raws), epoch=view, needed=needed)
    unreadable: Unreadable = {} if errors is None else errors
    with progress(
        title, len(raws) if needed is None else len(needed), "pictures" if isinstance(raws[0], Path) else "texts"
    ) as advance:
        for batch_rows, batch in prepared(raws, preprocess, order, unreadable, views):
            rows = batch_rows.numpy()
            yield rows, infer(batch)
            advance(len(rows) if needed is None else len(needed.intersection(rows.tolist())))
    if errors is None:
        refuse_unreadable(unreadable)


def outputs(
    model: keras.Model,
    preprocess: keras.Model,
    raws: Sequence[Raw],
    title: str,
    errors: Unreadable | None = None,
    how: Inference = AUTO,
) -> np.ndarray:
    """All of what a model that takes prepared input and has one output gives, in the order of `raws`.

    Where nothing else is wanted, a few are computed by the model itself.
    """
    few = len(raws) < FEW and how == AUTO
    infer = Runner(model, prepared_spec(raws, preprocess), EXACT if few else how, fold=not few)

    def run(batch_size: int) -> np.ndarray:
        return gathered(forward(infer, preprocess, raws, title, errors, batch_size=batch_size), len(raws))

    return with_fewer_where_needed(BATCH, run)


def prepared_spec(raws: Sequence[Raw], preprocess: keras.Model) -> Any:
    """What batches of prepared input look like."""
    return prepared(raws[:1], preprocess, Order(1, BATCH), {}).element_spec[1]


def gathered(batches: Iterable[tuple[np.ndarray, np.ndarray]], count: int) -> np.ndarray:
    """Batches of (rows, outputs) as one array of `count` rows, padded with zeros to the longest."""
    import numpy as np

    parts = list(batches)
    longest = np.max([part.shape[1:] for _, part in parts], axis=0).astype(int)
    everything = np.empty((count, *longest), parts[0][1].dtype)
    for rows, part in parts:
        room = [(0, most - has) for most, has in zip(longest, part.shape[1:], strict=True)]
        everything[rows] = np.pad(part, [(0, 0), *room])
    return everything
