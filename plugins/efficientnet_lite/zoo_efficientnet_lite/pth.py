"""Reads PyTorch's legacy checkpoint format into NumPy without PyTorch, and without running anything from the file.

The file has five pickles (magic number, protocol, facts about the system, the tensors, the keys of the storages), then
for each storage the number of its elements (int64) and the elements. The unpickler resolves only four names.
"""

import math
import os
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import IO, Any

import numpy as np

import zoo

_MAGIC = 0x1950A86A20F9469CFC6C
_NOT_SUCH_A_FILE = (
    pickle.UnpicklingError,
    ValueError,
    TypeError,
    KeyError,
    EOFError,
    AttributeError,
    IndexError,
    OverflowError,
)
_TYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class _View:
    """A tensor whose storage has not been read yet: its position in the storage."""

    def __init__(self, storage: tuple[str, np.dtype], offset: int, shape: tuple[int, ...], strides: tuple[int, ...]):
        self.storage, self.offset, self.shape, self.strides = storage, offset, shape, strides

    def read(self, storages: dict[str, np.ndarray]) -> np.ndarray:
        data = storages[self.storage[0]]
        last = self.offset + sum((n - 1) * s for n, s in zip(self.shape, self.strides, strict=True))
        if (
            min(self.shape, default=1) < 1
            or min(self.strides, default=0) < 0
            or not 0 <= self.offset <= last < len(data)
        ):
            raise ValueError("a tensor reaches beyond its storage")
        if math.prod(self.shape) > len(data):  # strides of 0 would repeat its elements without end
            raise ValueError("a tensor has more elements than its storage")
        steps = tuple(s * data.itemsize for s in self.strides)
        return np.lib.stride_tricks.as_strided(data[self.offset :], self.shape, steps).copy()


def _rebuild(storage: Any, offset: int, shape: Any, strides: Any, *_: Any) -> _View:
    return _View(storage, offset, tuple(shape), tuple(strides))


_ALLOWED = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild,
    ("torch", "FloatStorage"): "FloatStorage",
    ("torch", "LongStorage"): "LongStorage",
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which a weights file does not need")
        return _ALLOWED[module, name]

    def persistent_load(self, pid: Any) -> tuple[str, np.dtype]:
        _, kind, key, *_ = pid
        return str(key), _TYPES[kind]


def read_pth(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a legacy `.pth` file by name; raises `zoo.BadWeights` for anything else."""
    try:
        with path.open("rb") as file:
            return _read(file)
    except _NOT_SUCH_A_FILE as error:
        raise zoo.BadWeights(f"{path} is not a PyTorch weights file that can be read safely: {error}.") from error


def _read(file: IO[bytes]) -> dict[str, np.ndarray]:
    if _Unpickler(file).load() != _MAGIC:
        raise ValueError("it does not start like one")
    _protocol, _system = _Unpickler(file).load(), _Unpickler(file).load()
    views: dict[str, _View] = _Unpickler(file).load()
    keys: list[str] = _Unpickler(file).load()
    types = dict(view.storage for view in views.values())
    size = os.fstat(file.fileno()).st_size
    storages = {}
    for key in keys:
        count = int.from_bytes(file.read(8), "little", signed=True)
        data = file.read(min(max(count, 0) * types[key].itemsize, size))
        storages[key] = np.frombuffer(data, types[key])
        if len(storages[key]) != count:
            raise ValueError("it is cut short")
    return {name: view.read(storages) for name, view in views.items()}
