"""HDF5 files from anywhere: they must not read other files on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zoo.errors import BadWeights

_MAGIC = b"\x89HDF\r\n\x1a\n"


def refuse_foreign_parts(path: Path) -> None:
    """Raise `BadWeights` for an HDF5 file with links, or with data that is in other files.

    Such a file can read any file on the machine that loads it, and the model built from it carries the content away.
    """
    if not path.is_file():
        return
    try:
        with path.open("rb") as stream:
            if stream.read(len(_MAGIC)) != _MAGIC:
                return
    except OSError as error:
        raise BadWeights(f"{path} cannot be read: {error.strerror}.") from None
    import h5py

    try:
        with h5py.File(path) as file:
            _look_through(file, path, set())
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise BadWeights(f"{path} is damaged: {str(error).partition(chr(10))[0]}.") from None


def _look_through(group: Any, path: Path, seen: set[Any]) -> None:
    import h5py

    for name in group:
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise BadWeights(f"{path} is refused: {group.name}/{name} in it is a link, and weights do not need links.")
        item = group[name]
        if isinstance(item, h5py.Dataset) and (item.external or item.is_virtual):
            raise BadWeights(f"{path} is refused: the data of {item.name} is in another file.")
        if isinstance(item, h5py.Group) and hash(item.id) not in seen:
            seen.add(hash(item.id))
            _look_through(item, path, seen)
