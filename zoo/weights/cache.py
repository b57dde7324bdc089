"""The cache folder: what lies in it is complete and verified, because a file only gets its name when it is."""

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
    """The place in the cache of weights that are downloaded, whether the file is there or not."""
    return cache_folder() / "weights" / cache_key(source) / source.rsplit("/", 1)[-1]


def cache_key(source: str) -> str:
    """The name of the folder in the cache for the weights of one source."""
    return hashlib.sha256(source.encode()).hexdigest()[:12]


def cached_keys() -> set[str]:
    """The keys of all weights that are in the cache."""
    try:
        return set(os.listdir(cache_folder() / "weights"))
    except OSError:
        return set()


@contextmanager
def arriving(path: Path) -> Iterator[Path]:
    """An empty folder beside `path`, for one process at a time; it is gone when the block ends, however it ends.

    What a killed process left in such a folder is swept away by the next one. Another process waits at the lock.
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
            f"{path.parent} cannot be written ({error.strerror or error}); "
            "free some space, or name another cache folder with ZOO_CACHE."
        ) from error


def verify(path: Path, weights: Weights) -> None:
    """Compare a file with the checksum of its spec, or where that has none with its size; raises `BadWeights`."""
    if weights.checksum is None:
        if (size := path.stat().st_size) != weights.bytes:
            raise BadWeights(f"{path.name} has {size} bytes, and {weights.bytes} were expected; fetch it again.")
        return
    algorithm, _, wanted = weights.checksum.partition(":")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()
    if found != wanted:
        raise BadWeights(
            f"{path} is not the file that {weights.name!r} stands for: its {algorithm} is {found}, and {wanted} "
            "was expected. It is damaged or another version; fetch it again."
        )


def content_sha256(path: Path) -> str:
    """Of a file's content; of a folder, over the names and contents of all files in it."""
    if not path.is_dir():
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    files = sorted(file for file in path.rglob("*") if file.is_file())
    lines = "".join(f"{content_sha256(file)} {file.relative_to(path).as_posix()}\n" for file in files)
    return hashlib.sha256(lines.encode()).hexdigest()


def converted(file: Path, name: str, write: Callable[[Path, Path], None]) -> Path:
    """`file` in another format, made once by `write(file, target)` and kept in the cache under `name`.

    `write` makes a file or a folder. What was made is found again by the content of `file`. Safe under concurrent
    callers and a kill at any moment.
    """
    target = cache_folder() / "converted" / content_sha256(file)[:16] / name
    if not target.exists():
        with arriving(target) as folder:
            if not target.exists():
                write(file, folder / name)
                (folder / name).replace(target)
    return target
