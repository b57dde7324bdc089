"""What reading files has shown, remembered by place, size and time, so that the same file is not read again."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from zoo.catalog.caches import own_cache
from zoo.data.reader import Raw, Reader
from zoo.places import is_local, is_place
from zoo.trust import make_private

FILE = "known-files.sqlite"
_MOST = 2_000_000  # files; the oldest are forgotten
_AT_ONCE = 500  # files in one question
_SETTLED = 2_000_000_000  # nanoseconds; a file that changed more recently could change again within one tick
_WAIT = 10.0  # seconds for another process
_TABLE = """
    CREATE TABLE IF NOT EXISTS files (
        reader TEXT, path BLOB, size INTEGER, mtime INTEGER, ctime INTEGER, content TEXT, PRIMARY KEY (reader, path)
    )
"""

Stamp = tuple[int, int, int]  # size, and the times of the last change of content and of the entry, in nanoseconds


class Known:
    """The fingerprints of files that this reader has read before. Thread-safe.

    Remembers nothing for readers without an `edition`, and nothing that cannot be written: it only saves time.
    """

    def __init__(self, reader: Reader, raws: Sequence[Raw]) -> None:
        kind = type(reader)
        self._reader = f"{kind.__module__}.{kind.__qualname__} {reader.edition}" if reader.edition else ""
        self._before: dict[bytes, tuple[Stamp, str]] = {}
        self._new: dict[bytes, tuple[Stamp, str]] = {}
        self._lock = threading.Lock()
        if self._reader:
            self._recall([_name(raw) for raw in raws if is_place(raw) and is_local(raw)])

    def stamp(self, raw: Raw) -> Stamp | None:
        """The size and times of a file; None if nothing is remembered about it."""
        if not self._reader or not is_place(raw) or not is_local(raw):
            return None
        try:
            found = os.stat(raw)
        except (OSError, ValueError):
            return None
        return found.st_size, found.st_mtime_ns, found.st_ctime_ns

    def content(self, raw: Raw, stamp: Stamp | None) -> str:
        """The fingerprint of a file that is as it was; "" if it is not known."""
        then, content = self._before.get(_name(raw), (None, "")) if stamp is not None else (None, "")
        return content if then == stamp else ""

    def note(self, raw: Raw, stamp: Stamp | None, content: str) -> None:
        """Remember the fingerprint of a file that had this stamp before it was read, if it still has."""
        old_enough = stamp is not None and time.time_ns() - max(stamp[1:]) > _SETTLED
        if stamp is not None and old_enough and self.stamp(raw) == stamp:
            with self._lock:
                self._new[_name(raw)] = stamp, content

    def save(self) -> None:
        """Write what was noted."""
        with self._lock:
            rows = [(self._reader, path, *stamp, content) for path, (stamp, content) in self._new.items()]
            self._new.clear()
        if rows:
            with _if_possible(), closing(_database()) as base, base:
                base.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)", rows)
                base.execute(
                    "DELETE FROM files WHERE rowid <= (SELECT rowid FROM files ORDER BY rowid DESC LIMIT 1 OFFSET ?)",
                    (_MOST,),
                )

    def _recall(self, paths: Sequence[bytes]) -> None:
        if (folder := own_cache("known")) is None or not (folder / FILE).exists():
            return
        with _if_possible(), closing(_database()) as base:
            for start in range(0, len(paths), _AT_ONCE):
                some = paths[start : start + _AT_ONCE]
                marks = ",".join("?" * len(some))
                question = f"SELECT path, size, mtime, ctime, content FROM files WHERE reader = ? AND path IN ({marks})"
                for path, size, mtime, ctime, content in base.execute(question, (self._reader, *some)):
                    self._before[path] = (size, mtime, ctime), content


def _name(path: Path) -> bytes:
    return os.fsencode(os.path.abspath(path))


@contextmanager
def _if_possible() -> Iterator[None]:
    """Passes over whatever keeps the database from being used. One that is damaged is deleted."""
    try:
        yield
    except sqlite3.OperationalError:  # locked, or it cannot be written
        pass
    except sqlite3.DatabaseError:
        if folder := own_cache("known"):
            with suppress(OSError):
                for ending in ("-journal", ""):
                    (folder / f"{FILE}{ending}").unlink(missing_ok=True)
    except (OSError, sqlite3.Error):
        pass


def _database() -> sqlite3.Connection:
    """The open database, with its table."""
    if (folder := own_cache("known")) is None:
        raise OSError("there is no folder of one's own")
    make_private(folder)
    path = folder / FILE
    base = sqlite3.connect(path, timeout=_WAIT)
    try:
        base.execute(_TABLE)
    except sqlite3.Error:
        base.close()
        raise
    return base
