"""Files that appear whole or not at all, whatever happens to the process or the disk in between."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNFINISHED = ".new-"  # how the names of files begin that are not whole yet; a killed process may leave one


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A path beside `path`; what the block writes there is flushed to the disk and gets the name when the block ends.

    Where it does not end well, or the disk is full, nothing of it stays, and `path` is as it was. Raises `OSError`.
    """
    beside = path.with_name(f"{UNFINISHED}{path.name}-{os.urandom(4).hex()}")
    try:
        yield beside
        with beside.open("rb+") as file:
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def write_atomic(path: Path, content: bytes) -> None:
    """Write a file; its folder is made. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as beside:
        beside.write_bytes(content)
