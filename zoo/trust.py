"""Folders that nobody else can change: only what lies in such a folder is taken on trust."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_MOST_LINKS = 40
_CAN_WRITE = " can write to "


def how_others_change(path: Path) -> str:
    """In which way another user could change a file, or what is in a folder, in a few words; blank if nobody can.

    As with ssh and its keys: it and every folder above it must belong to this user or to root, and must not be writable
    by others, except by a group that has only this user, or root's. A folder above it may be writable for all if only
    the owner of a file can delete it (`/tmp`). What is missing is made for its owner alone. On Windows, nothing is
    looked at.
    """
    if os.name == "nt":
        return ""
    trusted = {0, os.geteuid(), os.stat("/").st_uid}  # who owns "/" can change everything
    real = os.path.realpath(path)
    for step in _steps(path):
        try:
            found = step.lstat()
        except OSError:
            continue  # it is not there, or nothing in it can be reached
        if found.st_uid not in trusted:
            return f"{step} belongs to {_user(found.st_uid)}"
        if stat.S_ISLNK(found.st_mode) or (str(step) != real and found.st_mode & stat.S_ISVTX):
            continue
        if found.st_mode & stat.S_IWOTH:
            return f"everybody{_CAN_WRITE}{step}"
        if found.st_mode & stat.S_IWGRP and _has_acl(step):
            return f"its access control list lets others write to {step}"
        if found.st_mode & stat.S_IWGRP and not _is_private(found.st_gid):
            return f"the group {_group(found.st_gid)}{_CAN_WRITE}{step}"
    return ""


def way_out(reason: str, variable: str) -> str:
    """What to do about a folder that others can change, for a reason of `how_others_change`.

    variable  that names another folder
    """
    path = reason.rpartition(_CAN_WRITE)[2]
    name = f"Name a folder of your own with {variable}"
    command = f"chmod -R go-w {shlex.quote(path)}"
    return f"{name}." if path == reason else f"{name}, or, if nobody else wrote to it: {command}"


def make_folders(folder: Path, mode: int) -> bool:
    """Create a folder, and those above it that are missing, with a mode, less the umask; whether any was missing.

    Raises `OSError`.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        with suppress(FileExistsError):  # another process was faster
            path.mkdir(mode=mode)
    if not folder.is_dir():
        raise NotADirectoryError(20, os.strerror(20), str(folder))
    return bool(missing)


def make_private(folder: Path) -> None:
    """Create a folder, and those above it that are missing, for their owner alone.

    Raises `OSError`, also if another user was faster.
    """
    if make_folders(folder, 0o700) and (reason := how_others_change(folder)):
        raise PermissionError(1, reason, str(folder))


def _steps(path: Path) -> Iterator[Path]:
    """A path and every folder above it, and the same for where each link on the way leads."""
    waiting, links = [Path(os.path.abspath(path))], 0
    while waiting and links < _MOST_LINKS:
        start = waiting.pop()
        for step in (start, *start.parents):
            yield step
            with suppress(OSError):
                waiting.append(Path(os.path.abspath(step.parent / os.readlink(step))))
                links += 1


def _has_acl(path: Path) -> bool:
    """Whether more users or groups are named than the mode of a file shows."""
    try:
        return "system.posix_acl_access" in os.listxattr(path)  # type: ignore[attr-defined,unused-ignore]
    except (OSError, AttributeError):
        return False


def _is_private(group: int) -> bool:
    """Whether a group is root's, or that of this user alone: it has that name, and nobody else is in it."""
    import grp
    import pwd

    if group == 0:
        return True
    try:
        found, user = grp.getgrgid(group), pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return found.gr_name == user.pw_name and set(found.gr_mem) <= {user.pw_name}


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
