"""Writing the entry of a plugin: what it says about itself when it is loaded, where it comes from, and its hashes."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from email.message import Message
from importlib import metadata
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import msgspec
import tomli_w
from packaging.utils import canonicalize_name

from zoo.atomic import write_atomic
from zoo.catalog.host import Plugin
from zoo.errors import BadRegistry, CannotInstall, UnknownName
from zoo.registry.environment import distribution_of
from zoo.registry.format import Artefact, Entry, ListedBackbone, ListedHead, parse
from zoo.registry.probe import look
from zoo.registry.sources import read_file

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
            plugins = look([canonicalize_name(distribution.metadata["Name"])], [folder]).plugins
            return _entries(distribution, plugins, _of_wheel(Path(given), base), verified)
    found = distribution_of(given)
    if found is None:
        raise UnknownName(f"No plugin called {given!r} is installed. Give the name of an installed one, or a wheel.")
    plugins = look([canonicalize_name(found.metadata["Name"])]).plugins
    return _entries(found, plugins, _source(found, base), verified)


def write(entries: list[Entry], registry: Path) -> None:
    """Write entries into a registry, each in the place of one with its name or at the end; the rest stays as it is.

    Raises `BadRegistry` if the file is not a registry, or an entry is wrong.
    """
    content = read_file(registry).decode() if registry.exists() else "format = 1\n"
    parse(content.encode(), str(registry))
    head, *blocks = re.split(r"(?m)^(?=\[\[plugins\]\]\s*$)", content)
    by_name = {_name_in(block): block for block in blocks}
    by_name |= {entry.name: f"[[plugins]]\n{_toml(entry)}\n" for entry in entries}
    new = head.rstrip("\n") + "\n\n" + "\n".join(block.rstrip("\n") + "\n" for block in by_name.values())
    _, problems = parse(new.encode(), str(registry))
    if problems:
        raise BadRegistry(f"{registry}: {problems[0]}.")
    try:
        write_atomic(registry, new.encode())
    except OSError as error:
        raise BadRegistry(f"Cannot write {registry}: {error.strerror or error}. It is unchanged.") from None


def _name_in(block: str) -> str:
    """The name in the text of one entry."""
    match = re.search(r'(?m)^name\s*=\s*["\'](.+?)["\']', block)
    return match[1] if match else block


def _unpacked(wheel: Path, folder: str) -> metadata.Distribution:
    try:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
        (distribution,) = metadata.distributions(path=[folder])
    except OSError as error:
        raise BadRegistry(f"{wheel} cannot be read: {error.strerror}.") from None
    except (zipfile.BadZipFile, ValueError):
        raise BadRegistry(f"{wheel} is not a wheel.") from None
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
    wanted["home page"] = (homepage, "[project.urls] Homepage")
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
                homepage=str(homepage),
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
    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    if not origin:
        return _of_index(exact)
    path = Path(unquote(urlsplit(origin["url"]).path))
    if "vcs_info" in origin:
        return {"requirement": f"git+{origin['url']}@{origin['vcs_info']['commit_id']}"}
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


def _of_wheel(wheel: Path, base: Path) -> dict[str, Any]:
    resolved = wheel.resolve()
    if not resolved.is_relative_to(base):
        raise BadRegistry(f"{wheel} is outside the registry's folder. Move it to {base}, or a folder below.")
    artefact = Artefact(wheel.name, hashlib.sha256(wheel.read_bytes()).hexdigest(), wheel.stat().st_size)
    return {
        "requirement": f"./{resolved.relative_to(base).as_posix()}",
        "bytes": artefact.bytes,
        "artefacts": (artefact,),
    }


def _of_index(exact: str) -> dict[str, Any]:
    """The artefact of a version that pip downloads from its index."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, exact]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        files = list(Path(folder).iterdir())
        if done.returncode or not files:
            raise BadRegistry(f"pip cannot download {exact} to hash it. Give a wheel of it instead.")
        content = files[0].read_bytes()
    artefact = Artefact(files[0].name, hashlib.sha256(content).hexdigest(), len(content))
    return {"requirement": exact, "bytes": len(content), "artefacts": (artefact,)}


def _toml(entry: Entry) -> str:
    """An entry as TOML, with a line for each artefact, backbone and head."""
    lines = []
    for key, value in msgspec.to_builtins(entry).items():
        if isinstance(value, tuple):
            rows = "".join(f"    {_inline(row)},\n" for row in value)
            lines.append(f"{key} = [\n{rows}]\n")
        else:
            lines.append(tomli_w.dumps({key: value}))
    return "".join(lines)


def _inline(row: dict[str, Any]) -> str:
    values = [" ".join(tomli_w.dumps({key: value}).split("\n")).strip() for key, value in row.items()]
    return "{ " + ", ".join(values) + " }"
