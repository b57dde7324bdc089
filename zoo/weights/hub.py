"""SavedModels of TensorFlow Hub, through the resolver and the cache of the library tensorflow-hub."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from zoo.catalog.caches import own_cache, own_cache_folder
from zoo.errors import WeightsUnavailable
from zoo.filters import filtered
from zoo.progress import say
from zoo.web import offline


def hub_cache() -> Path | None:
    """The folder for SavedModels, which are programs: the one that `TFHUB_CACHE_DIR` names, or one's own if any."""
    if named := os.environ.get("TFHUB_CACHE_DIR"):
        return Path(named)
    return own_cache("tfhub")


def hub_located(handle: str) -> Path | None:
    """The local folder of a handle, if it is there already; tensorflow-hub names it by the SHA-1 of the handle."""
    if "://" not in handle:
        return Path(handle) if Path(handle).is_dir() else None
    if (cache := hub_cache()) is None:
        return None
    folder = cache / hashlib.sha1(handle.encode(), usedforsecurity=False).hexdigest()
    return folder if (folder / "saved_model.pb").exists() else None


def hub_folder(handle: str) -> Path:
    """The local folder of a handle or a path, fetched if necessary.

    Raises `WeightsUnavailable` if it cannot be fetched.
    """
    if (found := hub_located(handle)) is not None:
        return found
    if "://" not in handle:
        raise WeightsUnavailable(f"{handle} is not a folder with a SavedModel")
    if offline():
        raise WeightsUnavailable("ZOO_OFFLINE=1 forbids the network")
    from zoo import engine

    engine.start()
    try:
        with filtered("ignore", message="pkg_resources is deprecated"):
            import tensorflow_hub
    except ImportError as error:
        raise WeightsUnavailable(f"tensorflow-hub cannot be imported ({error})") from None
    say(f"Fetching {handle}")
    before = os.environ.get("TFHUB_CACHE_DIR")
    os.environ["TFHUB_CACHE_DIR"] = str(hub_cache() or own_cache_folder("tfhub"))
    try:
        return Path(tensorflow_hub.resolve(handle))
    except Exception as error:
        reason = str(getattr(error, "reason", "") or error).strip().partition("\n")[0]
        raise WeightsUnavailable(f"{handle} cannot be fetched ({reason or type(error).__name__})") from None
    finally:
        os.environ.pop("TFHUB_CACHE_DIR")
        if before is not None:
            os.environ["TFHUB_CACHE_DIR"] = before
