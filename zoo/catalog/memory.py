"""What the plugins offer, remembered between commands until something changes that they read to say it.

Loading a hundred plugins takes longer than the command that needs them. So while they are loaded, every file and folder
that is opened is noted with its time and size: the metadata of distributions, the plugins' modules wherever they are
(also of editable installs), and the data they read. Later, one `stat` for each decides whether the memory still holds.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import source_from_cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from zoo.atomic import write_atomic
from zoo.catalog.caches import own_cache
from zoo.catalog.hookspecs import API_VERSION
from zoo.trust import how_others_change, make_private

Kind = TypeVar("Kind")
Stamp = tuple[int, int] | None

_JUST_NOW = 2_000_000_000  # ns: a file that is changed again this soon may keep its time, so it is not trusted yet
_KEPT = 8  # environments
_WRITES = os.O_WRONLY | os.O_RDWR


class Memory(msgspec.Struct):
    """The plugins as JSON, and the stamp of everything that was read while they were loaded.

    written  when (Unix time); hours, for how long it holds at most, if not for ever
    """

    seen: dict[str, Stamp]
    plugins: msgspec.Raw
    written: float = 0.0
    hours: float = 0.0


def recall(kind: type[Kind], *circumstances: str) -> Kind | None:
    """What was remembered under the same circumstances, or None if that no longer holds."""
    if (file := _file(circumstances)) is None or how_others_change(file):
        return None
    try:
        memory = msgspec.json.decode(file.read_bytes(), type=Memory)
        plugins = msgspec.json.decode(memory.plugins, type=kind)
    except Exception:  # it is damaged, in whatever way
        return None
    if memory.hours and not 0 <= time.time() - memory.written < 3600 * memory.hours:
        return None
    return plugins if all(stamp(path) == then for path, then in memory.seen.items()) else None


def remember(plugins: bytes, seen: dict[str, Stamp], *circumstances: str, hours: float = 0.0) -> None:
    """Remember `plugins` until one of the `seen` changes; does nothing if no folder of one's own can be written to.

    hours  how long it holds at most; 0: for ever
    """
    now = time.time_ns()
    if any(then and abs(now - then[0]) < _JUST_NOW for then in seen.values()):
        return
    if (file := _file(circumstances)) is None:
        return
    with contextlib.suppress(OSError, UnicodeEncodeError):  # the latter for a path that is not valid text
        make_private(file.parent)
        write_atomic(file, msgspec.json.encode(Memory(seen, msgspec.Raw(plugins), time.time(), hours)))
        newest_first = sorted(file.parent.iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for old in newest_first[_KEPT:]:
            old.unlink()


_noting: list[dict[str, Stamp]] = []  # what is being noted now


@contextmanager
def noting() -> Iterator[dict[str, Stamp]]:
    """Notes every file that this process reads in the block, and every folder that it lists, each with its stamp."""
    seen = {path: stamp(path) for path in (os.path.abspath(entry) for entry in sys.path)}
    _listen()
    _noting.append(seen)
    try:
        yield seen
    finally:
        _noting[:] = [other for other in _noting if other is not seen]


@functools.cache
def _listen() -> None:
    """Hear of every file that is opened from now on. A hook cannot be removed, so there is only one."""
    sys.addaudithook(_hear)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if not _noting:
        return
    if event == "open":
        path, _, flags = arguments
        if isinstance(flags, int) and flags & _WRITES:
            return
    elif event in ("os.listdir", "os.scandir"):
        path = arguments[0] or "."
    elif event == "import":
        path = arguments[1]  # only set for an extension module
    else:
        return
    if isinstance(path, (str, bytes, os.PathLike)):
        for place in _places(os.path.abspath(os.fsdecode(path))):
            for noted in _noting:
                if place not in noted:
                    noted[place] = stamp(place)


def _places(path: str) -> list[str]:
    """A file, and the folder in which another one could appear that is found first; of compiled code, the source."""
    if path.endswith(".pyc"):
        with contextlib.suppress(ValueError):
            path = source_from_cache(path)
    return [path] if os.path.isdir(path) else [path, os.path.dirname(path)]


def stamp(path: str) -> Stamp:
    """The time of the last change and the size of a file or folder; None if it is not there."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):  # the latter for what is no path
        return None
    if status.st_size == 0 and not os.path.isdir(path):
        return 0, 0  # nothing can be read from it, and in /proc its time is always now
    return status.st_mtime_ns, status.st_size


def _file(circumstances: tuple[str, ...]) -> Path | None:
    """Where this is remembered: never where others could write, since it names functions that are called later."""
    if (folder := own_cache("catalog")) is None:
        return None
    own = [stamp(str(path)) for path in sorted(Path(__file__).parent.glob("*.py"))]
    key = repr((API_VERSION, sys.version, sys.prefix, sys.path, own, circumstances))
    return folder / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"
