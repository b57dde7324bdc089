"""Filters of warnings, which are those of the whole process: one thread at a time may change them."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

_alone = threading.RLock()


@contextmanager
def filtered(action: Literal["ignore", "error"], **which: Any) -> Iterator[None]:
    """A context with one more filter, as `warnings.filterwarnings` takes it; afterwards, all are as they were.

    Code of other libraries that changes filters has to run in one as well, if other threads do the same.
    """
    with _alone, warnings.catch_warnings():
        warnings.filterwarnings(action, **which)
        yield
