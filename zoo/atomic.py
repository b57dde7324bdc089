"""Files that appear whole or not at all, whatever happens to the process or the disk in between."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNFINISHED = ".new-"  # prefix of the names of unfinished files; a killed process may leave one behind


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A path beside `path`; the file that the block writes there is flushed to the disk and renamed to `path`.

    If the block raises, or the disk is full, nothing is left behind, and `path` is unchanged. Raises `OSError`.
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
    """Write a file, and create its folder if necessary. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as beside:
        beside.write_bytes(content)
