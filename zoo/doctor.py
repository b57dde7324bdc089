"""What would keep `zoo` from working on this machine, and what mends it."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from importlib import metadata
from typing import Any

from zoo.catalog import catalog_afresh
from zoo.weights import cache_folder, states


def diagnose() -> dict[str, Any]:
    """What `zoo doctor` says: facts of this installation, and problems, each with what mends it."""
    facts: dict[str, Any] = {"zoo": metadata.version("tfzoo"), "python": platform.python_version()}
    problems = []
    for package in ("tensorflow", "keras", "numpy", "pillow", "pyarrow"):
        try:
            facts[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            facts[package] = "missing"
            problems.append(f"{package} is not installed: pip install {package}")
    cache = cache_folder()
    place = next(folder for folder in (cache, *cache.parents) if folder.exists())
    facts["cache"] = str(cache)
    facts["free disk"] = f"{shutil.disk_usage(place).free / 1e9:.1f} GB"
    if not os.access(place, os.W_OK):
        problems.append(f"the cache folder {cache} cannot be written; name another with ZOO_CACHE")
    for name in ("ZOO_CACHE", "ZOO_CONFIG", "ZOO_DISABLE", "ZOO_MIRROR", "ZOO_OFFLINE"):
        if name in os.environ:
            facts[name] = os.environ[name]
    known = catalog_afresh()
    loaded = [plugin for plugin in known.plugins if plugin.status == "loaded"]
    facts["plugins"] = ", ".join(plugin.name for plugin in loaded) or "none"
    for plugin in known.plugins:
        if plugin.status == "failed":
            problems.append(
                f"plugin {plugin.name}: {plugin.reason} "
                f"(or remove it: {sys.executable} -m pip uninstall {plugin.distribution})"
            )
    shared = [offer.name for offer in known.backbones if "/" in offer.name]
    if shared:
        problems.append(f"several plugins offer a backbone of one name; it is reached as {' or '.join(shared)}")
    offers = known.backbones
    ready = [where for where in states(offers) if where in ("bundled", "cached")]
    facts["backbones"] = f"{len(offers)}, of which {len(ready)} have their weights here"
    return {"facts": facts, "problems": problems}
