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
import zipfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from zoo.errors import CannotInstall
from zoo.progress import on_terminal, quiet
from zoo.registry.archives import refuse_hostile
from zoo.registry.candidates import Candidate, candidates_of_pip, candidates_of_uv
from zoo.web import offline

HOW_TO_BUILD = "If you trust it, and it has no wheel: --allow-build"
_WHEELS = ["--only-binary", ":all:"]
_REFUSED = "source code is not built here"
# pip builds what a requirement names by its address, whatever --only-binary says; it does so in other processes.
_WITHOUT_BUILDING = f"""
import errno, os, runpy, sys

def refuse(event, arguments):
    if event == "subprocess.Popen":
        if os.path.basename(os.fsdecode(arguments[0] or arguments[1][0])) in ("keyring", "keyring.exe"):
            return  # pip asks it for the password of an index
    elif event not in ("os.system", "os.startfile", "os.fork", "os.forkpty", "os.exec", "os.spawn", "os.posix_spawn"):
        return
    raise OSError(errno.ENOTSUP, {_REFUSED!r})

sys.addaudithook(refuse)
sys.argv[0] = "pip"
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""


@dataclass(frozen=True)
class Options:
    """Where packages may come from; the settings of pip and uv (index, proxy, certificates) apply as well.

    allow_build  whether source code may be built, which runs it; otherwise only wheels are taken
    unlisted     whether a package index may be asked for names that no registry lists
    """

    find_links: tuple[str, ...] = ()
    no_index: bool = False
    allow_build: bool = False
    unlisted: bool = False

    @property
    def asks_no_index(self) -> bool:
        """Whether no package index is asked, because of `no_index` or because ZOO_OFFLINE=1 forbids the network."""
        return self.no_index or offline()

    def arguments(self) -> list[str]:
        local = [link if "://" in link else os.path.abspath(os.path.expanduser(link)) for link in self.find_links]
        links = [part for link in local for part in ("--find-links", link)]
        return links + (["--no-index"] if self.asks_no_index else [])


def resolve(
    given: Sequence[str], constraints: Sequence[str], options: Options, *, upgrade: bool, build: bool = False
) -> list[Candidate]:
    """What has to be installed to have everything that is `given`; nothing is changed.

    Only wheels are taken, and no code of any package runs, except to `build` what is source code.

    Raises `CannotInstall` with the conflict, or with what was not found.
    """
    for source in (*given, *options.find_links):
        if offline() and "://" in source and "file://" not in source:
            raise CannotInstall(f"ZOO_OFFLINE=1 forbids the network, and {source} is there. Give a file on this disk.")
    for source in given:
        _refuse_hostile(source if "://" in source else Path(source).absolute().as_uri())
    with tempfile.TemporaryDirectory() as folder:
        limits = Path(folder, "constraints.txt")
        limits.write_text("\n".join(constraints) + "\n")
        wanted = ["--constraint", str(limits), *(["--upgrade"] if upgrade else []), *options.arguments(), "--", *given]
        if uv := _uv():
            command = [uv, "pip", "install", "--python", sys.executable, "--dry-run"]
            said = _run([*command, *([] if build else ["--no-build"]), *wanted])
            found = candidates_of_uv(said, given)
            for one in found:
                if not build and one.given and not one.given.endswith(".whl"):  # uv has read it and not run it
                    raise CannotInstall(_is_code(one.given))
            return _sized(found)
        report = Path(folder, "report.json")
        pip = [*_pip(build), "install", "--dry-run", "--no-user", "--report", str(report)]
        _run([*pip, *([] if build else _WHEELS), *wanted])
        return _sized(candidates_of_pip(json.loads(report.read_text())))


def build_wheel(folder: str, into: Path, options: Options) -> Path:
    """Build the wheel of a folder, which runs its code; what it needs to be built comes as wheels."""
    into.mkdir()
    if uv := _uv():
        links = options.arguments()
        _run([uv, "build", "--python", sys.executable, "--wheel", "--out-dir", str(into), *links, folder], show=True)
    else:
        arguments = ["--no-deps", *_WHEELS, *options.arguments(), "--wheel-dir", str(into), "--", folder]
        _run([*_pip(build=True), "wheel", *arguments], show=True)
    wheels = list(into.glob("*.whl"))
    if len(wheels) != 1:
        raise CannotInstall(f"Building {folder} gives {len(wheels)} wheels instead of one.")
    return wheels[0]


def lay_out(candidates: Sequence[Candidate], prefix: Path, options: Options) -> None:
    """Lay out the distributions in the folder `prefix`, as in an environment, after checking their hashes.

    Raises `CannotInstall`; `prefix` may then contain anything.
    """
    for candidate in candidates:
        _refuse_hostile(candidate.origin)
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
                command = [uv, "pip", "install", "--python", sys.executable]
                _run([*command, *([] if options.allow_build else ["--no-build"]), *common], show=True)
                (prefix / ".lock").unlink(missing_ok=True)  # uv's own
            else:
                local = ["--ignore-installed", "--no-compile", "--no-user", "--no-warn-script-location"]
                local += [] if options.allow_build else _WHEELS
                _run([*_pip(options.allow_build), "install", *local, *common], show=True)


def _refuse_hostile(origin: str) -> None:
    """Raise `CannotInstall` for a wheel on this disk that pip or uv should not unpack."""
    parts = urlsplit(origin)
    if parts.scheme != "file" or not parts.path.endswith(".whl"):
        return
    wheel = Path(url2pathname(parts.path))
    if not wheel.is_file():
        return
    try:
        with zipfile.ZipFile(wheel) as archive:
            refuse_hostile(archive, wheel, CannotInstall)
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise CannotInstall(f"{wheel} cannot be read: {error}.") from None


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


def _pip(build: bool) -> list[str]:
    """The command that runs pip; unless it may `build`, it cannot start a process, so nothing else can run."""
    program = ["-m", "pip"] if build else ["-c", _WITHOUT_BUILDING]
    return [sys.executable, "-P", *program, "--disable-pip-version-check", "--no-input"]


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
        command,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=environment(),
        cwd=sys.prefix,  # what a project in the working folder sets for uv is not meant
    )
    if done.returncode:
        forbidden = " ZOO_OFFLINE=1 forbids the network; --find-links FOLDER names a folder of wheels." * offline()
        wheels_only = not {*_WHEELS, "--no-build"}.isdisjoint(command)
        raise CannotInstall(_reason(done.stderr, done.stdout or "", wheels_only) + forbidden)
    return done.stderr


def _reason(errors: str, output: str, wheels_only: bool) -> str:
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
    if _REFUSED in said or "Building source distributions is disabled" in said:
        come = re.findall(r"^\s*(?:Collecting|Processing) (.+?)(?: \(from .*)?$", output, re.MULTILINE)
        what = come[-1] if come else "Something that it needs"
        return _is_code(what)
    stated = [line.strip() for line in errors.splitlines() if line.strip().startswith("ERROR: ")]
    lines = [line.removeprefix("ERROR: ") for line in stated]
    text = " ".join(lines or errors.split("\n")[-12:])
    plain = re.sub(r"\s+", " ", text).strip(" ×╰─▶.")[:600]
    missing = any(sign in said for sign in ("No matching distribution found", "no usable wheels"))
    only = f" Only wheels are looked for. {HOW_TO_BUILD}" if missing and wheels_only else ""
    return f"{plain or 'pip failed without a message'}.{only}"


def _is_code(what: str) -> str:
    return f"{what} is source code, and installing that runs it. {HOW_TO_BUILD}"


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
