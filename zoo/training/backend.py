"""Where a training runs: in one process on one machine, so far."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from zoo.data.order import Order


class Backend(Protocol):
    """What the trainer asks of the processes that train together; each of them is one worker.

    rank     the number of this worker, from 0
    workers  how many there are
    chief    whether this worker writes the run folder
    """

    rank: int
    workers: int
    chief: bool

    def scope(self) -> AbstractContextManager[object]:
        """Where variables are made: models, optimizers and metrics."""

    def barrier(self) -> None:
        """Wait until every worker is here."""

    def share(self, order: Order) -> Order:
        """This worker's share of the batches that all workers go through together."""


class Local:
    """One worker, which has all of it."""

    rank = 0
    workers = 1
    chief = True

    def scope(self) -> AbstractContextManager[object]:
        return nullcontext()

    def barrier(self) -> None:
        pass

    def share(self, order: Order) -> Order:
        return order
