"""Continues with smaller batches when TensorFlow runs out of memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from zoo.errors import OutOfMemory, ZooError
from zoo.progress import say


class _TooMany(Exception):
    """The memory was not enough. A new exception, so that what the failed attempt still holds can be freed."""


T = TypeVar("T")


def with_fewer_where_needed(batch_size: int, run: Callable[[int], T]) -> T:
    """Return `run(batch_size)`; if the memory is not enough, try half of it, a quarter, ... with a message each time.

    Raises `OutOfMemory` if there is not enough memory even for one example at a time.
    """
    while True:
        try:
            with _reported():
                return run(batch_size)
        except _TooMany:
            pass
        if batch_size == 1:
            raise OutOfMemory(
                "There is not enough memory, even for one example at a time. Use a smaller backbone (zoo list --sort "
                "params), unfreeze fewer stages, or close other programs."
            )
        say(f"Out of memory with {batch_size} examples at a time; continuing with {batch_size // 2}.")
        batch_size //= 2


@contextmanager
def _reported() -> Iterator[None]:
    import tensorflow as tf

    try:
        yield
    except MemoryError:
        raise _TooMany from None
    except tf.errors.ResourceExhaustedError as error:
        if not any(word in str(error).lower() for word in ("no space", "quota", "disk")):
            raise _TooMany from None
        # TensorFlow raises the same error for a full disk
        raise ZooError(f"TensorFlow cannot write: {str(error).splitlines()[0]}. Free some disk space.") from None
