"""Runs examples through a network batch by batch, while the next batches are read and prepared."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.data.batches import Preprocessing, Unreadable, lengths, refuse_unreadable, view_key
from zoo.data.order import Order
from zoo.data.reader import Raw
from zoo.errors import BadData
from zoo.inference.arrays import Arrays, joined
from zoo.progress import progress

if TYPE_CHECKING:
    import numpy as np

BATCH = 32
_AHEAD = 2  # batches
_Prepared = tuple[list[int], Arrays, Unreadable]  # rows that could be read, input of the network, and the other rows


@dataclass(frozen=True)
class View:
    """A changed view of every example: its number and `keys`, int32 (examples, 2), decide how each is changed."""

    keys: np.ndarray
    number: int


def forward(
    infer: Callable[[Any], Arrays],
    preprocessing: Preprocessing,
    raws: Sequence[Raw],
    title: str,
    *,
    errors: Unreadable | None = None,
    view: View | None = None,
    needed: np.ndarray | None = None,
    batch_size: int = BATCH,
) -> Iterator[tuple[np.ndarray, Arrays]]:
    """Call `infer` with prepared input, batch by batch; yields (positions in `raws`, arrays).

    An example that cannot be read is left out, and its position is put into `errors` with the reason; without `errors`,
    it raises `BadData`. Batches without any `needed` example, bool (examples,), are left out; the others stay the same,
    because the last digit of a result depends on the batch that it was computed in. Without a title, no progress is
    shown.
    """
    import numpy as np

    order = Order(len(raws), batch_size, lengths=lengths(raws, preprocessing.reader), needed=needed)
    unreadable: Unreadable = {} if errors is None else errors
    total = len(raws) if needed is None else int(needed.sum())
    with (
        ThreadPoolExecutor(os.cpu_count()) as pool,
        progress(title, total, preprocessing.reader.unit) if title else nullcontext(_silent) as advance,
    ):
        for batch in _prepared_ahead(pool, preprocessing, raws, order, view):
            parts = [part.result() for part in batch]
            for _, _, failed in parts:
                unreadable |= failed
            rows = [row for part, _, _ in parts for row in part]
            if rows:
                yield np.array(rows), infer(joined([arrays for part, arrays, _ in parts if part]))
            advance(len(rows) if needed is None else int(needed[rows].sum()))
    if errors is None:
        refuse_unreadable(unreadable, raws)


def _silent(count: int = 1, note: str = "") -> None:
    pass


def _prepared_ahead(
    pool: ThreadPoolExecutor, preprocessing: Preprocessing, raws: Sequence[Raw], order: Order, view: View | None
) -> Iterator[list[Future[_Prepared]]]:
    """For each batch, the parts that the pool prepares, while it also prepares the next batches."""

    def prepare(rows: Sequence[int]) -> _Prepared:
        read, values, failed = [], [], {}
        for row in rows:
            try:
                values.append(preprocessing.read(raws[row]))
                read.append(row)
            except BadData as error:
                failed[row] = str(error)
        key = view_key(view.keys[rows[0]], view.number).numpy() if view is not None else None
        return read, preprocessing(values, key) if read else None, failed

    waiting: deque[list[Future[_Prepared]]] = deque()
    for batch in order.batches():
        rows = batch.tolist()
        parts = [[row] for row in rows] if preprocessing.one_by_one else [rows]
        waiting.append([pool.submit(prepare, part) for part in parts])
        if len(waiting) > _AHEAD:
            yield waiting.popleft()
    yield from waiting
