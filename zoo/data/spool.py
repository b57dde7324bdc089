"""Keeps texts and bytes of examples in a temporary file, so that a data set may be larger than the memory."""

from __future__ import annotations

import os
import tempfile
import threading
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, ClassVar

from zoo.errors import ZooError

_BUFFER = 1 << 20  # bytes


class Spool:
    """A temporary file of texts and bytes, which is deleted when it is closed. Thread-safe."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._ends = array("q", [0])
        self._texts = bytearray()  # 1 for a text, 0 for bytes
        self._rows = array("q")
        self._flushed = True
        self._lock = threading.Lock()
        self._kept = type("Kept", (Kept,), {"__slots__": (), "spool": self})

    def keep(self, raw: Any, row: int = 0) -> Any:
        """A raw with its texts and bytes replaced by `Kept`; anything else stays as it is.

        row  the number of the row that it comes from
        """
        if isinstance(raw, tuple):
            return tuple(self.keep(part, row) for part in raw)
        if not isinstance(raw, (str, bytes)):
            return raw
        content = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
        with self._lock, _full():
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="zoo-", buffering=_BUFFER)  # noqa: SIM115 - until `close`
            self._file.write(content)
            self._flushed = False
            self._texts.append(isinstance(raw, str))
            self._rows.append(row)
            self._ends.append(self._ends[-1] + len(content))
            return self._kept(len(self._texts) - 1)

    def row(self, number: int) -> int:
        """The row that the `number`-th comes from."""
        return self._rows[number]

    def value(self, number: int) -> str | bytes:
        """What was kept as the `number`-th."""
        start, end = self._ends[number], self._ends[number + 1]
        content: bytes
        assert self._file is not None
        with self._lock, _full():
            if not self._flushed:
                self._file.flush()
                self._flushed = True
            if os.name == "nt":
                self._file.seek(start)
                content = self._file.read(end - start)
                self._file.seek(0, os.SEEK_END)
        if os.name != "nt":
            content = os.pread(self._file.fileno(), end - start, start)
        return content.decode("utf-8", "surrogatepass") if self._texts[number] else content

    def close(self) -> None:
        """Delete the file; nothing that is kept can be read any more."""
        if self._file is not None:
            self._file.close()


@contextmanager
def _full() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ZooError(
            f"Cannot write to the folder for temporary files, {tempfile.gettempdir()}: {error.strerror or error}. Free "
            "some space, or name another folder with TMPDIR."
        ) from None


class Kept(int):
    """The number of a text or bytes in a spool; each spool has a class of its own, so that no more has to be kept."""

    __slots__ = ()
    spool: ClassVar[Spool]

    @property
    def value(self) -> str | bytes:
        return self.spool.value(int(self))

    @property
    def row(self) -> int:
        return self.spool.row(int(self))

    def __str__(self) -> str:
        value = self.value
        return value if isinstance(value, str) else f"({len(value)} bytes)"


def held(raw: Any) -> Any:
    """A raw with everything that was kept read back."""
    if isinstance(raw, tuple):
        return tuple(map(held, raw))
    return raw.value if isinstance(raw, Kept) else raw
