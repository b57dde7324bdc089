"""Files on this disk that a table names as people write them: on Windows, from another folder, without a suffix."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from pathlib import Path
from unicodedata import normalize

from zoo.errors import BadData
from zoo.progress import say

_Names = dict[str, list[str]]  # the names in a folder, by how they are compared
_LONGEST = 4096  # letters of a path
_TOLD: set[tuple[str, bool, bool]] = set()


def found_near(folder: Path, given: str, suffixes: Sequence[str]) -> Path | None:
    """The file that `given` means, seen from `folder` or the working folder; None if there is none.

    What had to be guessed is said once for each folder. Raises `BadData` if several files fit.
    """
    if "\0" in given or len(given) > _LONGEST:
        return None
    for text in dict.fromkeys((given, given.strip(), given.strip().replace("\\", "/"))):
        for start in dict.fromkeys((str(folder), os.curdir)):
            path = os.path.join(start, os.path.expanduser(text))
            found = path if os.path.isfile(path) else _matching(path, tuple(suffixes))
            if found is not None:
                _tell(folder, given, found, start)
                return Path(found)
    return None


def _matching(path: str, suffixes: tuple[str, ...]) -> str | None:
    """The only file with this path if upper case, composed letters and a missing suffix do not count."""
    if os.path.exists(path):  # but it is no file
        return None
    above, name = os.path.split(path)
    folder = above if os.path.isdir(above) else _matching_folder(above)
    if folder is None:
        return None
    for names in _listing(folder, suffixes):
        fitting = [one for one in names.get(_key(name), ()) if os.path.isfile(os.path.join(folder, one))]
        if len(fitting) > 1:
            some = ", ".join(fitting)
            raise BadData(f"several files in {os.path.abspath(folder)} are meant by {name}: {some}. Name one in full")
        if fitting:
            return os.path.join(folder, fitting[0])
    return None


def _matching_folder(path: str) -> str | None:
    missing = []
    while not os.path.isdir(path or os.curdir):
        path, name = os.path.split(path)
        if not name:
            return None
        missing.append(name)
    for name in reversed(missing):
        alike = _listing(path or os.curdir, ())[0].get(_key(name), [])
        if len(alike) != 1:
            return None
        path = os.path.join(path, alike[0])
    return path or os.curdir


def _key(name: str) -> str:
    return normalize("NFC", name).casefold()


def _listing(folder: str, suffixes: tuple[str, ...]) -> tuple[_Names, _Names]:
    """The names in a folder, and those with one of the suffixes, without it."""
    try:
        return _listed(os.path.abspath(folder), os.stat(folder).st_mtime_ns, suffixes)
    except OSError:
        return {}, {}


@functools.lru_cache(maxsize=256)
def _listed(folder: str, changed: int, suffixes: tuple[str, ...]) -> tuple[_Names, _Names]:
    """The same, listed again after a change."""
    whole: _Names = {}
    without: _Names = {}
    for name in sorted(os.listdir(folder)):
        key = _key(name)
        whole.setdefault(key, []).append(name)
        stem, suffix = os.path.splitext(key)
        if suffix in suffixes:
            without.setdefault(stem, []).append(name)
    return whole, without


def _tell(folder: Path, given: str, path: str, start: str) -> None:
    """Say how a path was found, the first time that one of this folder is found in this way."""
    way = (os.path.abspath(folder), start == str(folder), os.path.splitext(path)[1].lower() in given.lower())
    if way not in _TOLD:
        _TOLD.add(way)
        say(f"There is no file {folder / given}, so {path} is read instead, and so are others that are found like it.")
