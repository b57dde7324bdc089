"""pip, or uv in an environment without pip: what they would install, and laying out its files in a folder."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from urllib.request import url2pathname

from packaging.utils import canonicalize_name, parse_wheel_filename

from zoo.errors import CannotInstall
from zoo.progress import on_terminal, quiet
from zoo.registry.environment import installed
from zoo.web import offline


@dataclass(frozen=True)
class Options:
    """Where packages may come from; the settings of pip and uv (index, proxy, certificates) apply as well."""

    find_links: tuple[str, ...] = ()
    no_index: bool = False

    @property
    def asks_no_index(self) -> bool:
        """Whether no package index is asked, because of `no_index` or because ZOO_OFFLINE=1 forbids the network."""
        return self.no_index or offline()

    def arguments(self) -> list[str]:
        links = [part for link in self.find_links for part in ("--find-links", link)]
        return links + (["--no-index"] if self.asks_no_index else [])


@dataclass(frozen=True)
class Candidate:
    """One distribution that an installation would bring.

    given     the path or address by which it was asked for; blank if it comes from an index
    asked     whether it was asked for, or is only needed
    origin    the file or address it comes from, if known
    sha256    the hashes that its file may have; none if it has to be built first
    replaces  the version that is installed now
    """

    name: str
    version: str
    given: str = ""
    asked: bool = False
    origin: str = ""
    sha256: tuple[str, ...] = ()
    bytes: int | None = None
    replaces: str | None = None

    def line(self) -> str:
        """The line for a file of requirements."""
        hashes = "".join(f" --hash=sha256:{one}" for one in self.sha256)
        return (self.given or f"{self.name}=={self.version}") + hashes


def resolve(given: Sequence[str], constraints: Sequence[str], options: Options, *, upgrade: bool) -> list[Candidate]:
    """What has to be installed to have everything that is `given`; nothing is changed.

    Raises `CannotInstall` with the conflict, or with what was not found.
    """
    for source in (*given, *options.find_links):
        if offline() and "://" in source and "file://" not in source:
            raise CannotInstall(f"ZOO_OFFLINE=1 forbids the network, and {source} is there. Give a file on this disk.")
    with tempfile.TemporaryDirectory() as folder:
        limits = Path(folder, "constraints.txt")
        limits.write_text("\n".join(constraints) + "\n")
        wanted = ["--constraint", str(limits), *(["--upgrade"] if upgrade else []), *options.arguments(), "--", *given]
        if uv := _uv():
            said = _run([uv, "pip", "install", "--python", sys.executable, "--dry-run", *wanted])
            return _sized(_candidates_of_uv(said, given))
        report = Path(folder, "report.json")
        _run([*_pip(), "install", "--dry-run", "--no-user", "--report", str(report), *wanted])
        return _sized(_candidates_of_pip(json.loads(report.read_text())))


def lay_out(candidates: Sequence[Candidate], prefix: Path, options: Options) -> None:
    """Lay out the distributions in the folder `prefix`, as in an environment, after checking their hashes.

    Raises `CannotInstall`; `prefix` may then contain anything.
    """
    for hashed in (True, False):
        lines = [candidate.line() for candidate in candidates if bool(candidate.sha256) == hashed]
        if not lines:
            continue
        with tempfile.TemporaryDirectory() as folder:
            wanted = Path(folder, "requirements.txt")
            wanted.write_text("\n".join(lines) + "\n")
            common = ["--no-deps", "--prefix", str(prefix), *options.arguments(), "--requirement", str(wanted)]
            common += ["--require-hashes"] if hashed else []
            if uv := _uv():
                _run([uv, "pip", "install", "--python", sys.executable, *common], show=True)
                (prefix / ".lock").unlink(missing_ok=True)  # uv's own
            else:
                local = ["--ignore-installed", "--no-compile", "--no-user", "--no-warn-script-location"]
                _run([*_pip(), "install", *local, *common], show=True)


def tool() -> str:
    """What installs here: pip or uv; raises `CannotInstall` if there is neither."""
    return _uv() or "pip"


def environment() -> dict[str, str]:
    """The variables for pip and uv. If the network is forbidden, they get a proxy that does not exist."""
    if not offline():
        return dict(os.environ)
    nowhere = "http://127.0.0.1:9"
    proxies = dict.fromkeys(("PIP_PROXY", "http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"), nowhere)
    return os.environ | proxies | {"no_proxy": "", "NO_PROXY": "", "PIP_RETRIES": "0", "UV_OFFLINE": "1"}


def _pip() -> list[str]:
    return [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]


def _uv() -> str | None:
    """The program uv, if this environment has no pip."""
    if importlib.util.find_spec("pip") is not None:
        return None
    beside = Path(sys.executable).parent
    if uv := shutil.which("uv", path=f"{beside}{os.pathsep}{os.environ.get('PATH', '')}"):
        return uv
    raise CannotInstall(
        f"This environment has neither pip nor uv. To install pip: {shlex.quote(sys.executable)} -m ensurepip"
    )


def _run(command: list[str], *, show: bool = False) -> str:
    """Run pip or uv, showing its progress on a terminal; returns what it printed on standard error."""
    to_terminal = show and on_terminal() and not quiet()
    out: Any = sys.stderr if to_terminal else subprocess.PIPE
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE, text=True, env=environment()
    )
    if done.returncode:
        forbidden = " ZOO_OFFLINE=1 forbids the network; --find-links FOLDER names a folder of wheels." * offline()
        raise CannotInstall(_reason(done.stderr, done.stdout or "") + forbidden)
    return done.stderr


def _reason(errors: str, output: str) -> str:
    """The conflict or the failure that pip or uv reports, in one line."""
    said = errors + "\n" + output
    if conflict := re.search(r"The conflict is caused by:\n((?:[ \t]+\S.*\n?)+)", said):
        return "These versions conflict: " + "; ".join(map(str.strip, conflict[1].splitlines())) + "."
    if "DO NOT MATCH THE HASHES" in said or "Hash mismatch" in said:
        got = re.search(r"Got\s+([0-9a-f]{64})", said) or re.search(r"Computed:\s+sha256:([0-9a-f]{64})", said)
        wanted = re.search(r"Expected (?:sha256|or)\s+([0-9a-f]{64})", said)
        wanted = wanted or re.search(r"Expected:\s+sha256:(\S+)", said)
        found = f" (it is {got[1]}, and should be {wanted[1]})" if got and wanted else ""
        return f"The sha256 of a file is not the one that is stated for it{found}: it is damaged, or another file."
    stated = [line.strip() for line in errors.splitlines() if line.strip().startswith("ERROR: ")]
    lines = [line.removeprefix("ERROR: ") for line in stated]
    text = " ".join(lines or errors.split("\n")[-12:])
    plain = re.sub(r"\s+", " ", text).strip(" ×╰─▶.")[:600]
    return f"{plain or 'pip failed without a message'}."


def _candidates_of_pip(report: dict[str, Any]) -> list[Candidate]:
    present = installed()
    candidates = []
    for item in report["install"]:
        about, info = item["metadata"], item["download_info"]
        sha256 = info.get("archive_info", {}).get("hashes", {}).get("sha256")
        name, address = canonicalize_name(about["name"]), _address(info)
        candidates.append(
            Candidate(
                name=name,
                version=about["version"],
                given=address if item["is_direct"] else "",
                asked=item["requested"],
                origin=_without_credentials(address.partition("#")[0]),
                sha256=(sha256,) if sha256 else (),
                replaces=present[name].version if name in present else None,
            )
        )
    return candidates


def _address(info: dict[str, Any]) -> str:
    """The address in pip's report, with the commit of a repository and the folder in it."""
    address = str(info["url"])
    if vcs := info.get("vcs_info"):
        address = f"{vcs['vcs']}+{address}@{vcs['commit_id']}"
    return f"{address}#subdirectory={info['subdirectory']}" if info.get("subdirectory") else address


def _candidates_of_uv(said: str, given: Sequence[str]) -> list[Candidate]:
    """The candidates in what uv prints: lines such as " + name==1.0", " + name @ ADDRESS", or both in one."""
    present = installed()
    names = {canonicalize_name(match[0]) for one in given if (match := re.match(r"[A-Za-z0-9._-]+", one))}
    line = re.compile(r"^ \+ ([A-Za-z0-9._-]+)(?:==(\S+))?(?: \(from ([^\s)]+)\)| @ (\S+))?$", re.MULTILINE)
    candidates = []
    for written, version, first, second in line.findall(said):
        name, (origin, _, fragment) = canonicalize_name(written), (first or second).partition("#")
        stated = dict(parse_qsl(fragment))
        if not version and origin.endswith(".whl"):
            version = str(parse_wheel_filename(unquote(origin.rsplit("/", 1)[-1]))[1])
        candidates.append(
            Candidate(
                name=name,
                version=version or "as it is built",
                given=f"{origin}#subdirectory={stated['subdirectory']}" if "subdirectory" in stated else origin,
                asked=bool(origin) or name in names,
                origin=_without_credentials(origin),
                sha256=(stated["sha256"],) if "sha256" in stated else (),
                replaces=present[name].version if name in present else None,
            )
        )
    return candidates


def _without_credentials(address: str) -> str:
    """The address without the user name and password for an index."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if "@" in parts.netloc else address


def _sized(candidates: list[Candidate]) -> list[Candidate]:
    """The candidates with the sizes of their files, which are asked for all at once."""
    with ThreadPoolExecutor(16) as pool:
        sizes = pool.map(_size, [candidate.origin for candidate in candidates])
        return [replace(candidate, bytes=size) for candidate, size in zip(candidates, sizes, strict=True)]


def _size(address: str) -> int | None:
    """The size in bytes of the file at an address, if it is quickly known."""
    parts = urlsplit(address)
    if parts.scheme == "file":
        path = Path(url2pathname(parts.path))
        return path.stat().st_size if path.is_file() else None
    if parts.scheme not in ("https", "http") or offline():
        return None
    import requests

    try:
        answer = requests.head(address, timeout=5, allow_redirects=True)
        return int(answer.headers["content-length"]) if answer.ok else None
    except (requests.RequestException, KeyError, ValueError):
        return None
