"""The features of one frozen computation: written in files of examples, found by content, mapped into memory."""

from __future__ import annotations

import ctypes
import errno
import functools
import hashlib
import json
import mmap
import os
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.atomic import write_atomic
from zoo.catalog.caches import make_cache_folder
from zoo.errors import ZooError
from zoo.features.disk import PART, SPOILT, features_folder, limit, prune
from zoo.features.index import KEY, Index, keys_of
from zoo.inference.arrays import padded

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Shape = tuple[int | None, ...]

FORMAT = 1
FILE_BYTES = 16_000_000
_ROWS = 1 << 40  # more than a file has
_HELD = 4_000_000  # bytes of maps that have been read
_SLICE = 256  # rows that are read before maps are let go of
_AROUND = 1 << 16  # bytes that a system maps at least around a place that is read
FILE_SECONDS = 20.0  # a killed process loses at most about this many seconds of work
_LARGEST_HALF = 65504.0


class Store:
    """The outputs of one frozen computation, by the fingerprints of the examples' contents.

    about   everything that decides the values: backbone, weights, preprocessing, precision. Each has its own store
    shapes  the shape of each feature for one example; None is a length that varies, of words or tokens

    Several processes can write at once, and be killed at any moment: a file gets its name, the checksum of its content,
    only when it is complete. A file that does not match its name is deleted, and its features are computed again.
    """

    def __init__(self, about: Mapping[str, Any], shapes: Mapping[str, Shape]) -> None:
        text = json.dumps({"format": FORMAT, **about}, sort_keys=True, ensure_ascii=False, indent=1)
        self.folder = features_folder() / hashlib.sha256(text.encode()).hexdigest()[:32]
        self._about, self._shapes = text, dict(shapes)
        self._files: dict[Path, dict[str, tuple[np.ndarray, np.ndarray]]] = {}  # starts of the rows, and all numbers
        self._opened: list[Path] = []
        self._used: set[int] = set()  # numbers in `_opened`: what this process has looked up or written
        self._index = Index()  # the file's number in `_opened`, times `_ROWS`, plus the row
        self._maps: list[tuple[ctypes.c_void_p, ctypes.c_size_t]] = []  # where they begin, and their lengths
        self._touched = 0  # bytes read since the maps were let go of
        self._waiting: list[tuple[Sequence[str], dict[str, np.ndarray]]] = []
        self._waiting_bytes, self._written = 0, time.monotonic()
        for path in sorted(self.folder.glob("*.arrow")):
            self._open(path)

    @property
    def spoilt(self) -> bool:
        """Whether `mark_spoilt` was called, by this process or another."""
        return (self.folder / SPOILT).exists()

    def mark_spoilt(self) -> None:
        """Record that this store's precision spoils the features, so that the float32 store is used instead."""
        try:
            self._put(SPOILT, "float32\n")
        except OSError as error:
            raise _cannot_be_kept(self.folder, error) from None

    def missing(self, contents: Sequence[str]) -> list[int]:
        """The positions of the contents that are not in the store; a repeated content counts only once.

        The files of the others count as used now, and are not deleted while this store is open.
        """
        import numpy as np

        keys = keys_of(contents)
        found = self._index.find(keys)
        self._use(np.unique(found[found >= 0] // _ROWS).tolist())
        lacking = np.flatnonzero(found < 0)
        _, first = np.unique(keys[lacking], return_index=True)
        places: list[int] = lacking[np.sort(first)].tolist()
        return places

    def add(self, contents: Sequence[str], batch: Mapping[str, np.ndarray], *, halved: bool) -> None:
        """Add the features of examples: {feature: (examples, ...)}. They can be read after the next `flush`.

        halved  store real numbers as float16, which is enough if they were computed in bfloat16 or float16
        """
        import numpy as np

        if not contents:
            return
        kept = {}
        for name in self._shapes:
            values = np.ascontiguousarray(batch[name])
            small = values.dtype == np.float32 and halved and np.abs(values).max(initial=0) <= _LARGEST_HALF
            kept[name] = values.astype("float16") if small else values
        self._waiting.append((list(contents), kept))
        self._waiting_bytes += sum(values.nbytes for values in kept.values())
        if self._waiting_bytes >= FILE_BYTES or time.monotonic() - self._written >= FILE_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what was added to a file. Raises `ZooError` if that fails, for example on a full disk."""
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        self._written = time.monotonic()
        kinds: dict[tuple[str, ...], list[tuple[Sequence[str], dict[str, np.ndarray]]]] = {}
        for contents, batch in waiting:  # all numbers in a file have the same type
            kinds.setdefault(tuple(str(values.dtype) for values in batch.values()), []).append((contents, batch))
        for batches in kinds.values():
            self._write(batches)

    def read(self, name: str, contents: Sequence[str]) -> np.ndarray:
        """One feature of examples that are all in the store: float32 or int32, shorter ones padded with zeros."""
        import numpy as np

        places = self._index.find(keys_of(contents)).tolist()
        parts = [self._some(name, places[start : start + _SLICE]) for start in range(0, len(places), _SLICE)]
        return parts[0] if len(parts) == 1 else np.concatenate(padded(parts))

    def _some(self, name: str, places: Sequence[int]) -> np.ndarray:
        import numpy as np

        rows = [self._row(name, place) for place in places]
        kind = "int32" if rows[0].dtype.kind == "i" else "float32"
        if None not in self._shapes[name]:
            made = np.stack(rows).astype(kind)
        else:
            made = np.zeros((len(rows), max(map(len, rows)), *rows[0].shape[1:]), kind)
            for place, row in enumerate(rows):
                made[place, : len(row)] = row
        self._let_go(sum(max(row.nbytes, _AROUND) for row in rows))
        return made

    def _let_go(self, count: int) -> None:
        """Now and then, give back the memory of what has been read from the maps; it can be read again."""
        self._touched += count
        if self._touched > _HELD and hasattr(mmap, "MADV_DONTNEED"):
            self._touched = 0
            for address, length in self._maps:
                _madvise()(address, length, mmap.MADV_DONTNEED)

    def _row(self, name: str, place: int) -> np.ndarray:
        number, row = divmod(place, _ROWS)
        starts, values = self._files[self._opened[number]][name]
        inner = [-1 if size is None else size for size in self._shapes[name]]
        return values[starts[row] : starts[row + 1]].reshape(inner)

    def _write(self, batches: Sequence[tuple[Sequence[str], dict[str, np.ndarray]]]) -> None:
        import pyarrow as pa

        keys = keys_of([content for some, _ in batches for content in some])
        columns = {
            "content": pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(keys), [None, pa.py_buffer(keys)])
        }
        for name in self._shapes:
            columns[name] = pa.concat_arrays([_flat(batch[name]) for _, batch in batches])
        table = pa.table(columns)
        try:
            try:
                path = self._named(table)
            except FileNotFoundError:  # somebody has just deleted the folder
                path = self._named(table)
        except OSError as error:
            raise _cannot_be_kept(self.folder, error) from None
        if self._open(path, checked=True):
            self._use([len(self._opened) - 1])
        prune(limit(), protect={self.folder, *(self._opened[number] for number in list(self._used))})

    def _named(self, table: pa.Table) -> Path:
        """A new file with this table, whose name is the checksum of its content. Raises `OSError`."""
        import pyarrow as pa

        self._put("about.json", self._about)
        part = self.folder / f"{PART}{uuid.uuid4().hex}"
        try:
            with part.open("wb") as file, pa.ipc.new_file(file, table.schema) as writer:
                writer.write_table(table, max_chunksize=max(table.num_rows, 1))
                writer.close()
                file.flush()
                os.fsync(file.fileno())
            path = self.folder / f"{_sha256(part)}.arrow"
            if not path.exists():  # another process may have computed the same, and Windows replaces no mapped file
                part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return path

    def _use(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            if number not in self._used:
                self._used.add(number)
                with suppress(OSError):
                    os.utime(self._opened[number])

    def _put(self, name: str, text: str) -> None:
        if not (self.folder / name).exists():
            make_cache_folder(self.folder)
            write_atomic(self.folder / name, text.encode())

    def _open(self, path: Path, checked: bool = False) -> bool:
        """Map a file into memory, if it is complete."""
        import numpy as np
        import pyarrow as pa

        try:
            if not checked and _sha256(path) != path.stem:
                path.unlink(missing_ok=True)
                return False
            with pa.memory_map(str(path)) as file:  # Python's own maps would keep the file open as well
                mapped = file.read_buffer()
            table = pa.ipc.open_file(pa.BufferReader(mapped)).read_all()
            values = {name: _mapped(table[name]) for name in self._shapes}
            keys = np.frombuffer(table["content"].chunk(0).buffers()[1], KEY, table.num_rows)
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                raise
            return False
        except (pa.ArrowInvalid, KeyError, IndexError):  # complete, and yet not what this version writes
            with suppress(OSError):
                path.unlink()
            return False
        self._files[path] = values
        self._maps.append((ctypes.c_void_p(mapped.address), ctypes.c_size_t(mapped.size)))
        self._opened.append(path)
        self._index.add(keys, _ROWS * (len(self._opened) - 1))
        return True


@functools.cache
def _madvise() -> Any:
    return ctypes.CDLL(None).madvise


def _cannot_be_kept(folder: Path, error: OSError) -> ZooError:
    return ZooError(
        f"Features cannot be cached in {folder}: {error.strerror or error}. Free some space, or set ZOO_CACHE to "
        "another folder. The features cached so far are used when you start again."
    )


def _flat(batch: np.ndarray) -> Any:
    """An Arrow array with one list of numbers for each row."""
    import numpy as np
    import pyarrow as pa

    each = int(np.prod(batch.shape[1:]))
    offsets = np.arange(len(batch) + 1, dtype="int64") * each
    return pa.LargeListArray.from_arrays(pa.array(offsets), pa.array(batch.reshape(-1)))


def _mapped(column: Any) -> tuple[np.ndarray, np.ndarray]:
    """The starts of a column's rows and all its numbers, without copying them from the file."""
    lists = column.chunk(0)
    return lists.offsets.to_numpy(), lists.values.to_numpy(zero_copy_only=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
