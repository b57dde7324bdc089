"""Going on with fewer examples at a time, where TensorFlow reports that the memory is not enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from zoo.errors import OutOfMemory, ZooError
from zoo.progress import say


class _TooMany(Exception):
    """The memory was not enough; it is raised anew, without what the failed attempt still holds."""


T = TypeVar("T")


def with_fewer_where_needed(batch_size: int, run: Callable[[int], T]) -> T:
    """What `run(batch_size)` gives, or with half of it, a quarter, ...; each halving is said.

    Raises `OutOfMemory` where not even one example at a time has room.
    """
    while True:
        try:
            with _reported():
                return run(batch_size)
        except _TooMany:
            pass
        if batch_size == 1:
            raise OutOfMemory(
                "The memory is not enough for one example at a time; take a smaller backbone (zoo list --sort params), "
                "unfreeze fewer stages, or close other programs."
            )
        say(f"Out of memory with {batch_size} examples at a time: going on with {batch_size // 2}.")
        batch_size //= 2


@contextmanager
def _reported() -> Iterator[None]:
    import tensorflow as tf

    try:
        yield
    except MemoryError:
        raise _TooMany from None
    except tf.errors.ResourceExhaustedError as error:
        if "OOM" in str(error):
            raise _TooMany from None
        # a full disk has the same name for TensorFlow
        raise ZooError(f"Something cannot be written: {str(error).splitlines()[0]}. Free some space.") from None
