"""The outputs of networks as NumPy arrays: one array, or a dict of arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

Arrays = Any  # an array (examples, ...), or a dict of such arrays


def each(arrays: Arrays, change: Callable[[np.ndarray], Any]) -> Any:
    """The same structure, with every array changed."""
    return {name: change(array) for name, array in arrays.items()} if isinstance(arrays, dict) else change(arrays)


def nested(arrays: Any, change: Callable[[np.ndarray], Any]) -> Any:
    """The same structure of dicts and lists, to any depth, with every array changed."""
    if isinstance(arrays, dict):
        return {name: nested(part, change) for name, part in arrays.items()}
    if isinstance(arrays, (list, tuple)):
        return type(arrays)(nested(part, change) for part in arrays)
    return change(arrays)


def at(arrays: Arrays, rows: Any) -> Arrays:
    """The rows at these positions."""
    return each(arrays, lambda array: array[rows])


def count(arrays: Arrays) -> int:
    """The number of rows."""
    return len(next(iter(arrays.values()))) if isinstance(arrays, dict) else len(arrays)


def joined(parts: Sequence[Arrays]) -> Arrays:
    """Concatenate batches, in order; shorter ones are padded with zeros."""
    if isinstance(parts[0], dict):
        return {name: joined([part[name] for part in parts]) for name in parts[0]}
    import numpy as np

    return np.concatenate(padded(parts))


def gathered(pieces: Iterable[tuple[np.ndarray, Arrays]], count: int) -> Arrays:
    """Put pieces of (rows, arrays) into arrays of `count` rows, padded with zeros; None if there are no pieces."""
    parts = list(pieces)
    if not parts:
        return None
    rows = [rows for rows, _ in parts]
    first = parts[0][1]
    if isinstance(first, dict):
        return {name: _placed(rows, [part[name] for _, part in parts], count) for name in first}
    return _placed(rows, [part for _, part in parts], count)


def _placed(rows: Sequence[np.ndarray], parts: Sequence[np.ndarray], count: int) -> np.ndarray:
    import numpy as np

    parts = padded(parts)
    everything = np.zeros((count, *parts[0].shape[1:]), parts[0].dtype)
    for places, part in zip(rows, parts, strict=True):
        everything[places] = part
    return everything


def padded(parts: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
    """Pad arrays to the same shape in all dimensions but the first."""
    import numpy as np

    if len({part.shape[1:] for part in parts}) == 1:
        return parts
    longest = np.max([part.shape[1:] for part in parts], axis=0)
    return [np.pad(part, [(0, 0), *((0, more) for more in longest - part.shape[1:])]) for part in parts]
