"""What pip or uv would install, read from what it reports."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from packaging.utils import canonicalize_name, parse_wheel_filename

from zoo.registry.environment import installed
from zoo.registry.source_code import UNKNOWN


@dataclass(frozen=True)
class Candidate:
    """One distribution that an installation would bring.

    given     the path or address by which it is installed; blank if it comes from an index
    asked     whether it was asked for, or is only needed
    origin    the file or address it comes from, if known
    sha256    the hashes that its file may have; none if it has to be built first
    folder    the folder from which it is built, if it is
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
    folder: str = ""

    def line(self) -> str:
        """The line for a file of requirements."""
        hashes = "".join(f" --hash=sha256:{one}" for one in self.sha256)
        return (self.given or f"{self.name}=={self.version}") + hashes


def candidates_of_pip(report: dict[str, Any]) -> list[Candidate]:
    present = installed()
    candidates = []
    for item in report["install"]:
        about, info = item["metadata"], item["download_info"]
        sha256 = info.get("archive_info", {}).get("hashes", {}).get("sha256")
        name, address = canonicalize_name(about["name"]), address_of(info)
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


def address_of(info: dict[str, Any]) -> str:
    """The address in pip's report, with the commit of a repository and the folder in it."""
    address = str(info["url"])
    if vcs := info.get("vcs_info"):
        address = f"{vcs['vcs']}+{address}@{vcs['commit_id']}"
    return f"{address}#subdirectory={info['subdirectory']}" if info.get("subdirectory") else address


def candidates_of_uv(said: str, given: Sequence[str]) -> list[Candidate]:
    """The candidates in what uv prints: lines such as " + name==1.0", " + name @ ADDRESS", or both in one."""
    present = installed()
    names = {canonicalize_name(match[0]) for one in given if (match := re.match(r"[A-Za-z0-9._-]+", one))}
    addresses = [_address_of_given(one) for one in given if "://" in one or os.sep in one]
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
                version=version or UNKNOWN,
                given=f"{origin}#subdirectory={stated['subdirectory']}" if "subdirectory" in stated else origin,
                asked=name in names or any(origin.startswith(address) for address in addresses),
                origin=_without_credentials(origin),
                sha256=(stated["sha256"],) if "sha256" in stated else (),
                replaces=present[name].version if name in present else None,
            )
        )
    return candidates


def _address_of_given(given: str) -> str:
    """What the address begins with that uv prints of something that was given: without a commit and a folder in it."""
    if "://" not in given:
        return Path(given).resolve().as_uri()
    address, _, last = given.rpartition(" @ ")[2].partition("#")[0].rpartition("/")
    return f"{address}/{last.partition('@')[0]}"


def _without_credentials(address: str) -> str:
    """The address without the user name and password for an index."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if "@" in parts.netloc else address
