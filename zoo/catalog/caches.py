"""The folders in which `zoo` keeps what it has fetched and computed, and which of them others can change."""

import atexit
import functools
import os
from pathlib import Path

from zoo.progress import say_once
from zoo.trust import how_others_change, make_folders, way_out


def cache_folder() -> Path:
    """The folder `ZOO_CACHE`, or the platform's cache folder. Others may be able to write to it.

    What is taken from it has to be verified; `own_cache` is for everything else.
    """
    return _cache_folder(os.environ.get("ZOO_CACHE", ""))


def own_cache(part: str) -> Path | None:
    """A part of the cache that nobody else can change: of the folder `ZOO_CACHE`, or else of the platform's.

    None if others can change both. That one is not trusted is said once.
    """
    for folder in dict.fromkeys((cache_folder(), _cache_folder(""))):
        if not (reason := how_others_change(folder / part)):
            return folder / part
        say_once(_untrusted(reason))
    return None


def own_cache_folder(part: str) -> Path:
    """The same as `own_cache`; without one, a folder for this process alone, which is deleted when it ends."""
    return own_cache(part) or _folder_of_this_process() / part


def untrusted_cache() -> str:
    """A sentence on the cache folder if others can change what is in it, with the way out; blank if they cannot."""
    reason = how_others_change(cache_folder())
    return reason and _untrusted(reason)


def make_cache_folder(folder: Path) -> None:
    """Create a folder in the cache for what is verified when it is used.

    The cache itself is made for its owner alone. Where others can write to that, as where a team shares it, who may
    write here is up to the umask. Raises `OSError`.
    """
    top = next((top for top in (cache_folder(), _cache_folder("")) if top in folder.parents), folder)
    make_folders(top, 0o700)
    make_folders(folder, 0o777 if how_others_change(top) else 0o755)


def _untrusted(reason: str) -> str:
    return (
        f"Others can change what is in the cache: {reason}. So only features and weights with a checksum are taken "
        f"from it, and the rest is kept elsewhere. {way_out(reason, 'ZOO_CACHE')}"
    )


@functools.cache
def _folder_of_this_process() -> Path:
    import shutil
    import tempfile

    folder = tempfile.mkdtemp(prefix="zoo-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


@functools.cache
def _cache_folder(named: str) -> Path:
    if named:
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("zoo"))
