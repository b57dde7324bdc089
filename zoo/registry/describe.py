"""Writing the entry of a plugin: what it says about itself when it is loaded, where it comes from, and its hashes."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
import zlib
from email.message import Message
from importlib import metadata
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from zoo.atomic import write_atomic
from zoo.catalog.host import examined
from zoo.catalog.plugin import Plugin
from zoo.catalog.points import installed_points, points_of
from zoo.errors import BadRegistry, CannotInstall, UnknownName
from zoo.registry.archives import refuse_hostile
from zoo.registry.environment import distribution_of, origin_of
from zoo.registry.format import Artefact, Entry, ListedBackbone, ListedHead, parse
from zoo.registry.installer import Options, environment
from zoo.registry.sources import read_file
from zoo.registry.text import replaced
from zoo.web import offline

_NOT_SHIPPED = {"tests", "dist", "build", "__pycache__"}


def describe(given: str, registry: Path, *, verified: bool = False) -> list[Entry]:
    """The entries of the plugins in an installed distribution (by its name or a plugin's), or in a wheel.

    registry  the file they are for; a wheel or folder inside its folder is written as a path relative to it

    Raises `UnknownName` if no such distribution is installed, `BadRegistry` if something that an entry needs is missing
    or `registry` is a folder, and `CannotInstall` if the plugin does not load.
    """
    if registry.is_dir():
        raise BadRegistry(f"{registry} is a folder. Name a file: {registry / 'registry.toml'}")
    base = registry.resolve().parent
    if given.endswith(".whl"):
        with tempfile.TemporaryDirectory() as folder:
            distribution = _unpacked(Path(given), folder)
            plugins = examined(installed_points([folder]), {}, path=[folder])
            return _entries(distribution, plugins, _of_wheel(Path(given), base), verified)
    found = distribution_of(given)
    if found is None:
        raise UnknownName(f"No plugin called {given!r} is installed. Give the name of an installed one, or a wheel.")
    plugins = examined(points_of(found.metadata["Name"]), {})
    return _entries(found, plugins, _source(found, base), verified)


def write(entries: list[Entry], registry: Path) -> None:
    """Write entries into a registry, each in the place of one with its name or at the end; the rest stays as it is.

    Raises `BadRegistry` if the file is not a registry, or an entry is wrong.
    """
    content = read_file(registry) if registry.exists() else b"format = 1\n"
    parse(content, str(registry))
    new = replaced(content.decode(), entries, str(registry)).encode()
    try:
        write_atomic(registry, new)
    except OSError as error:
        raise BadRegistry(f"Cannot write {registry}: {error.strerror or error}. It is unchanged.") from None


def _unpacked(wheel: Path, folder: str) -> metadata.Distribution:
    try:
        with zipfile.ZipFile(wheel) as archive:
            refuse_hostile(archive, wheel, BadRegistry)
            archive.extractall(folder)
        (distribution,) = metadata.distributions(path=[folder])
    except OSError as error:
        raise BadRegistry(f"{wheel} cannot be read: {error.strerror or error}.") from None
    except (zipfile.BadZipFile, zlib.error, RuntimeError, ValueError):
        raise BadRegistry(f"{wheel} is not a wheel, or is damaged.") from None
    return distribution


def _entries(
    distribution: metadata.Distribution, plugins: list[Plugin], source: dict[str, Any], verified: bool
) -> list[Entry]:
    about = cast(Message, distribution.metadata)  # its declared type lacks `get`
    name = distribution.metadata["Name"]
    addresses = dict(line.split(", ", 1) for line in about.get_all("Project-URL") or ())
    homepage = addresses.get("Homepage") or about.get("Home-page") or next(iter(addresses.values()), None)
    licence = about.get("License-Expression") or about.get("License")
    wanted = {"summary": (about.get("Summary"), "description"), "licence": (licence, "license")}
    for what, (value, key) in wanted.items():
        if not value:
            raise BadRegistry(f"{name} has no {what}. Its pyproject.toml needs {key}.")
    entries = []
    for plugin in plugins:
        if plugin.status != "loaded":
            raise CannotInstall(f"The plugin {plugin.name} does not load: {plugin.reason}.")
        entries.append(
            Entry(
                name=plugin.name,
                summary=about["Summary"],
                distribution=name,
                api=plugin.api,
                licence=str(licence),
                homepage=homepage and str(homepage),
                verified=verified,
                backbones=tuple(_backbone(facts) for facts in plugin.backbones.facts),
                heads=tuple(ListedHead(f["name"], f["summary"], tuple(f["modalities"])) for f in plugin.heads.facts),
                modalities=plugin.modalities.names,
                **source,
            )
        )
    if not entries:
        raise BadRegistry(f"{name} is not a plugin of zoo: it has no entry point in the group zoo.plugins.")
    return entries


def _backbone(facts: dict[str, Any]) -> ListedBackbone:
    licence = facts["weights"][0]["licence"] if facts["weights"] else ""
    return ListedBackbone(facts["name"], facts["modality"], facts["family"], facts["params"], licence)


def _source(distribution: metadata.Distribution, base: Path) -> dict[str, Any]:
    """Requirement, folder, bytes and artefacts of an installed distribution."""
    exact = f"{distribution.metadata['Name']}=={distribution.version}"
    origin = origin_of(distribution)
    if not origin:
        return _of_index(exact)
    address = urlsplit(origin["url"])
    if "vcs_info" in origin:
        if origin["vcs_info"]["vcs"] != "git" or origin.get("subdirectory"):
            raise BadRegistry(
                f"{exact} was installed from {origin['url']}, and a registry can only name the top folder of a git "
                "repository. Give a wheel of it."
            )
        return {"requirement": f"git+{origin['url']}@{origin['vcs_info']['commit_id']}"}
    if "archive_info" in origin and not address.path.endswith(".whl"):
        raise BadRegistry(f"{exact} was installed from {origin['url']}, which is not a wheel. Give a wheel of it.")
    if "archive_info" in origin and address.scheme != "file":
        return _of_address(exact, origin["url"], origin["archive_info"])
    path = Path(url2pathname(address.path))
    if "archive_info" in origin:
        return _of_wheel(path, base)
    if not path.resolve().is_relative_to(base):
        raise BadRegistry(
            f"{exact} was installed from {path}, which is outside the registry's folder. Give a wheel of it."
        )
    inside = [file.relative_to(path) for file in path.rglob("*") if file.is_file()]
    shipped = [file for file in inside if not any(p in _NOT_SHIPPED or p.startswith(".") for p in file.parts)]
    size = sum((path / file).stat().st_size for file in shipped)
    return {"requirement": exact, "folder": path.resolve().relative_to(base).as_posix(), "bytes": size}


def _of_address(exact: str, address: str, archive: dict[str, Any]) -> dict[str, Any]:
    """The artefact of a wheel at an address, as pip recorded it."""
    kind, _, only = str(archive.get("hash", "")).partition("=")
    sha256 = archive.get("hashes", {}).get("sha256") or (only if kind == "sha256" else None)
    if not sha256:
        raise BadRegistry(
            f"{exact} was installed from {address}, and no sha256 of it was recorded. Download that wheel to the "
            "registry's folder, and give the file."
        )
    return {"requirement": address, "artefacts": (Artefact(unquote(address.rsplit("/", 1)[-1]), sha256),)}


def _of_wheel(wheel: Path, base: Path) -> dict[str, Any]:
    resolved = wheel.resolve()
    if not resolved.is_relative_to(base):
        raise BadRegistry(f"{wheel} is outside the registry's folder. Move it to {base}, or a folder below.")
    try:
        content = wheel.read_bytes()
    except OSError as error:
        raise BadRegistry(f"{wheel} cannot be read: {error.strerror}. Give a wheel that is there.") from None
    artefact = Artefact(wheel.name, hashlib.sha256(content).hexdigest(), len(content))
    return {
        "requirement": f"./{resolved.relative_to(base).as_posix()}",
        "bytes": artefact.bytes,
        "artefacts": (artefact,),
    }


def _of_index(exact: str) -> dict[str, Any]:
    """The artefact of a version that pip downloads from its index."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        command += ["--dest", folder]
        command += [*Options().arguments(), exact]
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, env=environment())
        files = list(Path(folder).iterdir())
        if done.returncode or not files:
            forbidden = "ZOO_OFFLINE=1 forbids the network, so " * offline()
            raise BadRegistry(f"{forbidden}pip cannot download {exact} to hash it. Give a wheel of it instead.")
        content = files[0].read_bytes()
    artefact = Artefact(files[0].name, hashlib.sha256(content).hexdigest(), len(content))
    return {"requirement": exact, "bytes": len(content), "artefacts": (artefact,)}
