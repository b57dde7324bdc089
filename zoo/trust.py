"""Folders that nobody else can change: only what lies in such a folder is taken on trust."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def how_others_change(folder: Path) -> str:
    """In which way another user could change what is in a folder, in a few words; blank if nobody can.

    As with ssh and its keys: the folder and every folder above it must belong to this user or to root, and must not be
    writable by others, except by a group that has only this user. A folder above it may be writable for all if only the
    owner of a file can delete it (`/tmp`). On Windows, nothing is looked at.
    """
    if os.name == "nt":
        return ""
    real = Path(os.path.realpath(folder))
    trusted = {0, os.geteuid(), os.stat("/").st_uid}  # who owns "/" can change everything
    for path in (real, *real.parents):
        try:
            found = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            continue  # it is made for its owner alone
        except OSError as error:
            return f"{path} cannot be looked at ({error.strerror})"
        if found.st_uid not in trusted:
            return f"{path} belongs to {_user(found.st_uid)}"
        sticky = path != real and found.st_mode & stat.S_ISVTX
        if found.st_mode & stat.S_IWOTH and not sticky:
            return f"everybody can write to {path}"
        if found.st_mode & stat.S_IWGRP and not sticky and not _is_private(found.st_gid):
            return f"the group {_group(found.st_gid)} can write to {path}"
    return ""


def make_private(folder: Path) -> None:
    """Create a folder, and those above it that are missing, for their owner alone. Raises `OSError`."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        with suppress(FileExistsError):  # another process was faster
            path.mkdir(mode=0o700)
    if not folder.is_dir():
        raise NotADirectoryError(20, os.strerror(20), str(folder))


def _is_private(group: int) -> bool:
    """Whether a group is that of one user, and this user's: it has that name, and nobody else is in it."""
    import grp
    import pwd

    try:
        found, user = grp.getgrgid(group), pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return group == 0 or (found.gr_name == user.pw_name and set(found.gr_mem) <= {user.pw_name})


def _user(number: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"the user {number}"


def _group(number: int) -> str:
    import grp

    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
