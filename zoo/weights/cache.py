"""The cache of weights: a file gets its name when it is complete and verified, and is verified when it is used.

Where others can write to `ZOO_CACHE`, only files that have a checksum are kept in it and taken from it.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from zoo.atomic import write_atomic
from zoo.catalog import Weights
from zoo.catalog.caches import cache_folder, make_cache_folder, own_cache, own_cache_folder
from zoo.catalog.specs import file_name
from zoo.errors import BadWeights, ZooError
from zoo.trust import how_others_change, make_private

_JUST_NOW = 2_000_000_000  # ns: a file that is changed again this soon may keep its time
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)  # of errors: nothing more can be written


def cached_file(source: str, checksum: str | None) -> Path:
    """The place of downloaded weights in the cache, whether the file is there or not.

    checksum  with one, it may be where others can write, since the file is verified whenever it is used
    """
    named = _place(cache_folder() / "weights", source)
    if checksum is not None and os.access(_nearest_folder(named.parent), os.W_OK):
        return named
    return _place(own_cache_folder("weights"), source)


def cached_places(source: str, checksum: str | None) -> list[Path]:
    """Where weights may be: in one's own cache; with a checksum, also in a cache that others can change."""
    folders = [cache_folder() / "weights"] * (checksum is not None) + [own_cache("weights")]
    return [_place(folder, source) for folder in dict.fromkeys(folders) if folder is not None]


def _place(weights: Path, source: str) -> Path:
    folder = weights / cache_key(source)
    old = folder / source.rsplit("/", 1)[-1]  # as version 0.1 named it
    return old if os.path.exists(old) else folder / file_name(source)


def _nearest_folder(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    return next(folder for folder in (path, *path.parents) if os.path.exists(folder))


def cache_key(source: str) -> str:
    """The name of the folder in the cache for the weights from one source."""
    return hashlib.sha256(source.encode()).hexdigest()[:12]


def cached_keys() -> set[str]:
    """The keys of all weights that may be in a cache."""
    keys: set[str] = set()
    for folder in {cache_folder() / "weights", own_cache("weights")}:
        if folder is not None:
            with suppress(OSError):
                keys |= set(os.listdir(folder))
    return keys


@contextmanager
def arriving(path: Path) -> Iterator[Path]:
    """An empty folder beside `path`, for one process at a time; it is deleted when the block ends, however it ends.

    What a killed process left in such a folder is deleted by the next one. Another process waits for the lock.
    """
    from filelock import FileLock

    lock = FileLock(str(path) + ".lock")
    try:
        make_cache_folder(path.parent)
        lock.acquire()
        try:
            for leftover in path.parent.glob(f".{path.name}.*.part"):
                shutil.rmtree(leftover, ignore_errors=True)
            folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
        except BaseException:
            lock.release()
            raise
    except OSError as error:
        raise _cannot_write(path.parent, error) from error
    try:
        yield folder
    except OSError as error:
        place = Path(os.fsdecode(error.filename or ""))
        if error.errno in FULL or folder in place.parents or place == path:
            raise _cannot_write(path.parent, error) from error
        raise  # it has nothing to do with this folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()


def _cannot_write(folder: Path, error: OSError) -> ZooError:
    return ZooError(
        f"Cannot write to {folder}: {error.strerror or error}. "
        "Free some space, or name another cache folder with ZOO_CACHE."
    )


def verifiable(checksum: str | None, fetch: str | None) -> str | None:
    """The checksum of weights; None if there is none, or if only a library can fetch them, which gives a folder."""
    return checksum if fetch is None else None


def refusal(path: Path, weights: Weights) -> str:
    """Why a file in a cache cannot be used as these weights, in a few words; blank if it is their file.

    It is read unless it was verified before and is still the same file, by its size, times and inode. What only a
    library can fetch has nothing to be verified with.
    """
    if weights.fetch is not None:
        return ""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            return "it is no file"
        text = json.dumps([weights.checksum, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino])
        folder = own_cache("verified")
        note = folder and folder / hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:32]
        with suppress(OSError, ValueError):
            if note and not how_others_change(note) and note.read_text(encoding="utf-8") == text:
                return ""
        if reason := mismatch(path, weights):
            return reason
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    if note and time.time_ns() - found.st_ctime_ns > _JUST_NOW:
        with suppress(OSError):
            make_private(note.parent)
            write_atomic(note, text.encode())
    return ""


def verify(path: Path, weights: Weights, place: object = None, backbone: str = "") -> None:
    """Compare a file with the checksum in its spec, or if there is none, with the size; raises `BadWeights`.

    place     where the file is from, for the message, if `path` is only a copy of it
    backbone  whose weights they are, for the message
    """
    if difference := mismatch(path, weights):
        owner = f" of {backbone}" if backbone else ""
        raise BadWeights(
            f"{place or path} is not the file of the weights {weights.name!r}{owner}: {difference}. It is damaged, or "
            "another version. Fetch it again."
        )


def mismatch(path: Path, weights: Weights) -> str:
    """In which way a file is not that of the weights, in a few words; blank if it is."""
    if weights.checksum is None:
        size = path.stat().st_size
        return "" if size == weights.bytes else f"it has {size} bytes, and should have {weights.bytes}"
    algorithm, _, wanted = weights.checksum.partition(":")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()
    return "" if found == wanted else f"its {algorithm} is {found}, and should be {wanted}"


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
    target = own_cache_folder("converted") / content_sha256(file)[:16] / name
    if not target.exists():
        with arriving(target) as folder:
            if not target.exists():
                write(file, folder / name)
                (folder / name).replace(target)
    return target
