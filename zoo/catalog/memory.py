"""What the plugins said, remembered between commands for as long as nothing that they read to say it has changed.

Loading a hundred plugins takes longer than the command that needs them. So while they are loaded, every file and folder
that is opened is noted with its time and size: the metadata of distributions, the plugins' modules wherever they lie
(editable installs too), and data they read. One `stat` for each decides later whether the memory still holds.
"""

from __future__ import annotations

import contextlib
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
from zoo.catalog.hookspecs import API_VERSION
from zoo.catalog.settings import cache_folder

Kind = TypeVar("Kind")
Stamp = tuple[int, int] | None

_JUST_NOW = 2_000_000_000  # ns: a file changed again this soon may keep its time, so what is so young is not remembered
_KEPT = 8  # environments
_WRITES = os.O_WRONLY | os.O_RDWR


class Memory(msgspec.Struct):
    """The plugins as JSON, and the stamp of everything that was read to know them."""

    seen: dict[str, Stamp]
    plugins: msgspec.Raw


def recall(kind: type[Kind], *circumstances: str) -> Kind | None:
    """What was remembered under the same circumstances, or None where that no longer holds."""
    try:
        memory = msgspec.json.decode(_file(circumstances).read_bytes(), type=Memory)
        plugins = msgspec.json.decode(memory.plugins, type=kind)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return plugins if all(_stamp(path) == stamp for path, stamp in memory.seen.items()) else None


def remember(plugins: bytes, seen: dict[str, Stamp], *circumstances: str) -> None:
    """Keep `plugins` until one of the `seen` changes; a cache folder that cannot be written is no harm."""
    if any(stamp and stamp[0] > time.time_ns() - _JUST_NOW for stamp in seen.values()):
        return
    file = _file(circumstances)
    with contextlib.suppress(OSError, UnicodeEncodeError):  # the latter: a path that is no valid text
        write_atomic(file, msgspec.json.encode(Memory(seen, msgspec.Raw(plugins))))
        newest_first = sorted(file.parent.iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for old in newest_first[_KEPT:]:
            old.unlink()


@contextmanager
def noting() -> Iterator[dict[str, Stamp]]:
    """Notes every file that this process reads and every folder that it lists in the block, stamped as they were."""
    seen = {path: _stamp(path) for path in (os.path.abspath(entry) for entry in sys.path)}

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if noted is None:
            return
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITES:
                return
        elif event in ("os.listdir", "os.scandir"):
            path = arguments[0] or "."
        elif event == "import":
            path = arguments[1]  # only of an extension module
        else:
            return
        if isinstance(path, (str, bytes, os.PathLike)):
            for place in _places(os.path.abspath(os.fsdecode(path))):
                if place not in noted:
                    noted[place] = _stamp(place)

    noted: dict[str, Stamp] | None = seen
    sys.addaudithook(note)  # a hook cannot be removed, so it is made to do nothing
    try:
        yield seen
    finally:
        noted = None


def _places(path: str) -> list[str]:
    """A file, and the folder in which another could be found in its stead; compiled code stands for its source."""
    if path.endswith(".pyc"):
        with contextlib.suppress(ValueError):
            path = source_from_cache(path)
    return [path] if os.path.isdir(path) else [path, os.path.dirname(path)]


def _stamp(path: str) -> Stamp:
    try:
        status = os.stat(path)
    except OSError:
        return None
    if status.st_size == 0 and not os.path.isdir(path):
        return 0, 0  # nothing can be read from it, and the time of such a file in /proc is always now
    return status.st_mtime_ns, status.st_size


def _file(circumstances: tuple[str, ...]) -> Path:
    own = [_stamp(str(path)) for path in sorted(Path(__file__).parent.glob("*.py"))]
    key = repr((API_VERSION, sys.version, sys.prefix, sys.path, own, circumstances))
    return cache_folder() / "catalog" / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"
