"""Wheels from anywhere: what is refused before anything is unpacked."""

from __future__ import annotations

import re
import stat
import zipfile
from pathlib import Path

from zoo.errors import ZooError

_GROWS = 100  # times a wheel may grow when it is unpacked; code and texts compress to a tenth


def refuse_hostile(archive: zipfile.ZipFile, wheel: Path, error: type[ZooError]) -> None:
    """Raise `error` if a wheel would write outside its folder, fill the disk, or has links."""
    members = archive.infolist()
    for name in (member.orig_filename for member in members):
        if name.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", name) or ":" in name:
            raise error(f"{wheel} is refused: its member {name!r} would be written outside its folder.")
    if any(stat.S_ISLNK(member.external_attr >> 16) for member in members):
        raise error(f"{wheel} is refused: it has links, and a wheel does not need any.")
    if len({member.filename for member in members}) < len(members):
        raise error(f"{wheel} is refused: it has several members with the same name.")
    if sum(member.file_size for member in members) > _GROWS * wheel.stat().st_size:
        raise error(f"{wheel} is refused: it would unpack to more than {_GROWS} times its size.")
