"""Packages that come as source code: what is known of them without running it, and building their wheels."""

from __future__ import annotations

import hashlib
import json
import re
import stat
import tomllib
from base64 import urlsafe_b64encode
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidSdistFilename, canonicalize_name, parse_sdist_filename

from zoo.errors import CannotInstall
from zoo.web import without_password

_ITS_OWN = "its own setup.py or build backend"
_LARGEST = 1_000_000  # bytes
UNKNOWN = "as it is built"  # the version of what has to be built before its version is known
_NAME_AT_ADDRESS = re.compile(r"#(?:.*&)?egg=([A-Za-z0-9._-]+)")


@dataclass(frozen=True)
class Source:
    """What a package of source code says of itself, read and not run.

    given    the folder, archive or address; blank for what a package index has
    backend  what builds its wheel: code that runs with the rights of whoever installs it
    needs    its requirements; None if only building it shows them
    """

    given: str
    name: str
    version: str
    backend: str
    needs: tuple[str, ...] | None

    @property
    def is_folder(self) -> bool:
        return bool(self.given) and Path(self.given).is_dir()

    @property
    def runs(self) -> str:
        """A sentence on the code that runs when it is installed."""
        if not self.given:
            return f"Installing {self.name} runs code of whatever has no wheel, it or what it needs: {self.backend}."
        return f"Installing {self.name} runs code of {without_password(self.given)}: {self.backend} builds it."


def unresolved(name: str) -> Source:
    """What is known of a distribution that cannot be installed from wheels alone."""
    return Source("", name, UNKNOWN, _ITS_OWN, None)


def read_source(given: str, name: str = "") -> Source:
    """What is known of a folder, or, only by its name, of an archive or an address.

    name  what the person or a registry calls it. Raises `CannotInstall` if a folder is not a Python package.
    """
    folder = Path(given)
    if not folder.is_dir():
        return Source(given, canonicalize_name(name or _name_of(given)), UNKNOWN, _ITS_OWN, None)
    stated = _pyproject(folder)
    project = stated.get("project", {})
    backend = stated.get("build-system", {}).get("build-backend", "setuptools")
    dynamic, needs = project.get("dynamic", []), project.get("dependencies", [])
    try:
        for field, value in (("dynamic", dynamic), ("dependencies", needs)):
            if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
                raise ValueError(f"{field} is {value!r}; it must be a list of texts")
        needs = [str(Requirement(text)) for text in needs]
    except ValueError as error:  # InvalidRequirement is one
        raise CannotInstall(f"{folder / 'pyproject.toml'}: {error}.") from None
    name = canonicalize_name(str(project.get("name") or name or folder.name))
    version = str(project.get("version") or UNKNOWN)
    known = project and "dependencies" not in dynamic
    return Source(given, name, version, str(backend), tuple(needs) if known else None)


def _name_of(given: str) -> str:
    """The name of the package in an archive, or at an address, as far as that says it."""
    with suppress(InvalidRequirement):
        return Requirement(given).name
    if found := _NAME_AT_ADDRESS.search(given):
        return found[1]
    file = unquote(urlsplit(given).path if "://" in given else given).rstrip("/").rpartition("/")[2]
    with suppress(InvalidSdistFilename):
        return parse_sdist_filename(file)[0]
    return file.partition("@")[0].removesuffix(".git") or "it"


def _pyproject(folder: Path) -> dict[str, Any]:
    file = folder / "pyproject.toml"
    try:
        if not stat.S_ISREG(file.stat().st_mode) or file.stat().st_size > _LARGEST:
            raise CannotInstall(f"{file} is no file of at most {_LARGEST / 1e6:.0f} MB.")
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if not (folder / "setup.py").is_file():
            raise CannotInstall(f"{folder} is not a Python package: it has no pyproject.toml.") from None
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise CannotInstall(f"{file} cannot be read: {error}.") from None
    if not all(isinstance(content.get(part, {}), dict) for part in ("project", "build-system")):
        raise CannotInstall(f"{file}: [project] and [build-system] must be tables.")
    return content


def as_from_folder(prefix: Path, name: str, folder: Path) -> None:
    """Let the distribution `name` below `prefix`, laid out from a wheel, say that it was installed from `folder`."""
    for about in prefix.rglob("*.dist-info"):
        if canonicalize_name(about.name.removesuffix(".dist-info").rpartition("-")[0]) == canonicalize_name(name):
            content = json.dumps({"url": folder.resolve().as_uri(), "dir_info": {}}).encode()
            (about / "direct_url.json").write_bytes(content)
            sha256 = urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            line = f"{about.name}/direct_url.json"
            record = about / "RECORD"
            lines = [one for one in record.read_text(encoding="utf-8").splitlines() if not one.startswith(f"{line},")]
            record.write_text("\n".join([*lines, f"{line},sha256={sha256},{len(content)}"]) + "\n", encoding="utf-8")
