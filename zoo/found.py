"""Files on this disk that a table names as people write them: on Windows, from another folder, without a suffix."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from pathlib import Path
from unicodedata import normalize

from zoo.errors import BadData
from zoo.progress import say

_Listing = dict[str, list[str]]  # names in a folder, by how they are compared
_TOLD: set[tuple[str, bool, bool]] = set()


def found_near(folder: Path, given: str, suffixes: Sequence[str]) -> Path | None:
    """The file that `given` means, seen from `folder` or the working folder; None if there is none.

    What had to be guessed is said once for each folder. Raises `BadData` if several files fit.
    """
    for text in dict.fromkeys((given, given.strip(), given.strip().replace("\\", "/"))):
        for start in dict.fromkeys((folder, Path())):
            path = start / os.path.expanduser(text)
            if _exists(path):
                if os.path.isfile(path):
                    _tell(folder, given, path, start)
                    return path
                continue
            if (match := _matching(path, tuple(suffixes))) is not None:
                _tell(folder, given, match, start)
                return match
    return None


def _matching(path: Path, suffixes: tuple[str, ...]) -> Path | None:
    """The only file with this path if upper case, composed letters and a missing suffix do not count."""
    if "\0" in str(path):
        return None
    known = Path(path.anchor) if path.is_absolute() else Path()
    parts = path.parts[1:] if path.is_absolute() else path.parts
    for part in parts[:-1]:
        if not _exists(known / part):
            alike = _listing(known).get(_key(part), [])
            if len(alike) != 1:
                return None
            part = alike[0]
        known /= part
    listing = _listing(known)
    name = _key(parts[-1]) if parts else ""
    for keys in ([name], [name + suffix for suffix in suffixes]):
        fitting = [known / one for key in keys for one in listing.get(key, ()) if os.path.isfile(known / one)]
        if len(fitting) > 1:
            names = ", ".join(file.name for file in fitting)
            raise BadData(f"several files in {known.absolute()} are meant by {path.name}: {names}. Name one in full")
        if fitting:
            return fitting[0]
    return None


def _key(name: str) -> str:
    return normalize("NFC", name).casefold()


def _listing(folder: Path) -> _Listing:
    try:
        at = os.stat(folder)
        return _listed(os.path.abspath(folder), at.st_mtime_ns)
    except OSError:
        return {}


@functools.lru_cache(maxsize=1024)
def _listed(folder: str, changed: int) -> _Listing:
    """The names in a folder, listed again after a change."""
    listing: _Listing = {}
    for name in sorted(os.listdir(folder)):
        listing.setdefault(_key(name), []).append(name)
    return listing


def _exists(path: Path) -> bool:
    try:
        return os.path.exists(path)
    except ValueError:
        return False


def _tell(folder: Path, given: str, path: Path, start: Path) -> None:
    """Say how a path was found, the first time that one of this folder is found in this way."""
    way = (os.path.abspath(folder), start == folder, path.suffix.lower() in given.lower())
    if way not in _TOLD:
        _TOLD.add(way)
        say(f"There is no file {folder / given}, so {path} is read instead, and so are others that are found like it.")
