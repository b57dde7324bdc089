"""Where a training runs: so far, in one process on one machine."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from zoo.data.order import Order


class Backend(Protocol):
    """The processes that train together, as the trainer sees them; each of them is one worker.

    rank     the number of this worker, from 0
    workers  the number of workers
    chief    whether this worker writes the run folder
    """

    rank: int
    workers: int
    chief: bool

    def scope(self) -> AbstractContextManager[object]:
        """A context in which the variables of models, optimizers and metrics are created."""

    def barrier(self) -> None:
        """Wait until every worker has called this."""

    def share(self, order: Order) -> Order:
        """This worker's share of the batches."""


class Local:
    """A single worker, which does everything."""

    rank = 0
    workers = 1
    chief = True

    def scope(self) -> AbstractContextManager[object]:
        return nullcontext()

    def barrier(self) -> None:
        pass

    def share(self, order: Order) -> Order:
        return order
