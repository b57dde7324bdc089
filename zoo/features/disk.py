"""The folder of cached features: lists it and keeps it below its limit. Light to import.

features/KEY/about.json     what was computed: backbone, weights, preprocessing, precision, features
features/KEY/spoilt         if the precision spoils the features: they are computed in float32 instead
features/KEY/SHA256.arrow   some examples; the name is the checksum of the content
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.catalog.caches import cache_folder
from zoo.errors import ZooError

LIMIT = 10_000_000_000  # bytes, unless ZOO_CACHE_SIZE is set
PART = ".part-"
SPOILT = "spoilt"
_ABOUT = "about.json"
_ABANDONED = 3600  # seconds after which an unfinished file counts as left behind by a killed process
_UNITS = {"": 1, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


def features_folder() -> Path:
    """The folder for features, whether it exists or not."""
    return cache_folder() / "features"


def parse_size(text: str) -> int:
    """Bytes from "20GB", "500 MB", "0"; raises `ZooError` for anything else."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)B?\s*", text, re.IGNORECASE)
    if match is None:
        raise ZooError(f"{text!r} is not a size. Write it like 20GB or 500MB.")
    return int(float(match[1]) * _UNITS[match[2].upper()])


def limit() -> int:
    """How many bytes of features are cached at most: `ZOO_CACHE_SIZE`."""
    text = os.environ.get("ZOO_CACHE_SIZE", "")
    try:
        return parse_size(text) if text else LIMIT
    except ZooError as error:
        raise ZooError(f"ZOO_CACHE_SIZE: {error}") from None


def room() -> int:
    """The bytes that features may take: the limit, or nine tenths of the free space."""
    folder = features_folder()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return min(limit(), shutil.disk_usage(folder).free * 9 // 10)


@dataclass(frozen=True)
class CachedFeatures:
    """The features of one frozen computation: its `about.json`, its bytes, and when it was last used (Unix time)."""

    folder: Path
    about: dict[str, Any]
    bytes: int
    used: float


def cached_features() -> list[CachedFeatures]:
    """All features on disk, the least recently used first."""
    found = []
    for folder in _folders():
        known = [stat for entry in _files(folder) if (stat := _stat(entry)) is not None]
        sizes = [(stat.st_size, stat.st_mtime) for stat in known]
        used = max((used for _, used in sizes), default=0.0)
        found.append(CachedFeatures(folder, _about(folder), sum(size for size, _ in sizes), used))
    return sorted((one for one in found if one.bytes), key=lambda one: one.used)


def prune(most: int, protect: Collection[Path] = ()) -> int:
    """Delete the least recently used files until there are at most `most` bytes; returns how many bytes were deleted.

    Files in `protect` stay. A process that is reading a deleted file can continue to do so. What a killed process left
    unfinished is deleted, too, once it is so old that no process can still be writing it.
    """
    files = [(stat.st_mtime, stat.st_size, path) for path in _all() if (stat := _stat(path)) is not None]
    total = sum(size for _, size, _ in files)
    gone = 0
    for _, size, path in sorted(files):
        if total - gone <= most:
            break
        if path not in protect and _delete(path):
            gone += size
    for folder in _folders():
        for path in folder.glob(f"{PART}*"):
            if _is_old(path):
                _delete(path)
        if folder not in protect and _is_old(folder):
            with suppress(OSError):  # another process has just deleted it, or written something
                _remove_if_empty(folder)
    return gone


def _remove_if_empty(folder: Path) -> None:
    if {path.name for path in folder.iterdir()} <= {_ABOUT, SPOILT}:
        for name in (_ABOUT, SPOILT):
            _delete(folder / name)
        folder.rmdir()


def _is_old(path: Path) -> bool:
    stat = _stat(path)
    return stat is not None and stat.st_mtime < time.time() - _ABANDONED


def _folders() -> list[Path]:
    try:
        return sorted(path for path in features_folder().iterdir() if path.is_dir())
    except OSError:
        return []


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.arrow") if _stat(path) is not None)


def _all() -> list[Path]:
    return [path for folder in _folders() for path in _files(folder)]


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None  # another process has just deleted it


def _delete(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:
        return False
    return True


def _about(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
