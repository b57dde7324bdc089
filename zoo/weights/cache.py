"""The cache folder: every file in it is complete and verified, because it only gets its name when it is."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from zoo.catalog import Weights
from zoo.catalog.settings import cache_folder
from zoo.errors import BadWeights, ZooError


def cached_file(source: str) -> Path:
    """The place of downloaded weights in the cache, whether the file is there or not."""
    return cache_folder() / "weights" / cache_key(source) / source.rsplit("/", 1)[-1]


def cache_key(source: str) -> str:
    """The name of the folder in the cache for the weights from one source."""
    return hashlib.sha256(source.encode()).hexdigest()[:12]


def cached_keys() -> set[str]:
    """The keys of all weights that are in the cache."""
    try:
        return set(os.listdir(cache_folder() / "weights"))
    except OSError:
        return set()


@contextmanager
def arriving(path: Path) -> Iterator[Path]:
    """An empty folder beside `path`, for one process at a time; it is deleted when the block ends, however it ends.

    What a killed process left in such a folder is deleted by the next one. Another process waits for the lock.
    """
    from filelock import FileLock

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(str(path) + ".lock"):
            for leftover in path.parent.glob(f".{path.name}.*.part"):
                shutil.rmtree(leftover, ignore_errors=True)
            folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        raise ZooError(
            f"Cannot write to {path.parent}: {error.strerror or error}. "
            "Free some space, or name another cache folder with ZOO_CACHE."
        ) from error


def verify(path: Path, weights: Weights) -> None:
    """Compare a file with the checksum in its spec, or if there is none, with the size; raises `BadWeights`."""
    if weights.checksum is None:
        if (size := path.stat().st_size) != weights.bytes:
            raise BadWeights(f"{path.name} has {size} bytes, and should have {weights.bytes}. Fetch it again.")
        return
    algorithm, _, wanted = weights.checksum.partition(":")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()
    if found != wanted:
        raise BadWeights(
            f"{path} is not the file of the weights {weights.name!r}: its {algorithm} is {found}, and should be "
            f"{wanted}. It is damaged, or another version. Fetch it again."
        )


def content_sha256(path: Path) -> str:
    """The SHA-256 of a file's content; of a folder, that of the names and contents of all files in it."""
    if not path.is_dir():
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    files = sorted(file for file in path.rglob("*") if file.is_file())
    lines = "".join(f"{content_sha256(file)} {file.relative_to(path).as_posix()}\n" for file in files)
    return hashlib.sha256(lines.encode()).hexdigest()


def converted(file: Path, name: str, write: Callable[[Path, Path], None]) -> Path:
    """`file` in another format, written once by `write(file, target)`, and cached as `name`.

    `write` creates a file or a folder, which is found again by the content of `file`. Safe with concurrent callers, and
    when the process is killed at any moment.
    """
    target = cache_folder() / "converted" / content_sha256(file)[:16] / name
    if not target.exists():
        with arriving(target) as folder:
            if not target.exists():
                write(file, folder / name)
                (folder / name).replace(target)
    return target
