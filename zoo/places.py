"""Places: files and folders on this disk, or at any address that fsspec supports (s3://, gs://, memory://, ...)."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath, PureWindowsPath
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from zoo.errors import BadData, ZooError
from zoo.found import found_near

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+://")
_TORN_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+:/[^/]")  # what `Path("s3://bucket")` makes of an address


def place(given: str | os.PathLike[str]) -> Path:
    """The place that `given` names: an ordinary `Path` on this disk, or fsspec's `UPath` at an address.

    Both have the interface of `pathlib`. Raises `BadData` for a kind of address that nothing installed can read.
    """
    if not isinstance(given, str):
        if isinstance(given, PurePath) and _TORN_ADDRESS.match(str(given)) and not os.path.exists(given):
            address = str(given).replace(":/", "://", 1)
            raise BadData(f"{given} was an address before it became a Path. Give it as a string: {address!r}")
        return cast(Path, given)
    if not is_address(given):
        return Path(given)
    from upath import UPath

    try:
        found = UPath(given)
        found.fs  # noqa: B018 - the package for this kind of address is imported here, and a server may be called
    except Exception as error:  # whatever that package raises
        kind, reason = given.partition("://")[0], str(error).partition("\n")[0] or type(error).__name__
        raise BadData(f"{given}: addresses that start with {kind}:// cannot be read here ({reason}).") from None
    return cast(Path, found)


def place_seen_from(folder: Path, given: str, suffixes: Sequence[str] = ()) -> Path:
    """The place that a cell of a table in `folder` names: an address, or a path seen from the folder.

    On this disk, what is not there is also looked for from the working folder, then with backslashes read as slashes,
    without the spaces around it, and with other upper case or one of the `suffixes`, if only one file fits.

    Raises `BadData` if several files fit. A path that fits nothing is returned as seen from the folder.
    """
    if given[:7].lower() == "file://":
        given = _of_file_address(given)
    if is_address(given):
        return place(given)
    if not is_local(folder):
        seen = folder / given
        return seen if ".." not in seen.parts else seen.resolve()  # stores know no ".."
    first = folder / given
    return first if _is_file(first) else found_near(folder, given, suffixes) or _unfound(first, given)


def _is_file(path: Path) -> bool:
    try:
        return os.path.isfile(path)
    except ValueError:  # a character that no path has
        return False


def _unfound(first: Path, given: str) -> Path:
    """The path to name in a message; one of Windows is not joined to a folder here."""
    return Path(given) if PureWindowsPath(given).drive else first


def _of_file_address(address: str) -> str:
    """The path in file:///a%20b.png; also file://C:/a.png, as some programs write it."""
    try:
        parts = urlsplit(address.replace("\\", "/").replace("#", "%23").replace("?", "%3F"))
    except ValueError:
        raise BadData(f"{address} is not the address of a file") from None
    host = "" if parts.netloc in ("", "localhost") else parts.netloc
    path = unquote(host + parts.path)
    return path[1:] if PureWindowsPath(path[1:]).drive else path


def shown_in_full(path: Any) -> str:
    """A path in a message: from the root, or as it was given if it cannot be a path of this disk."""
    if not is_local(path) or PureWindowsPath(path).drive:
        return str(path)
    return str(os.path.abspath(path))


def data_address(given: Any) -> str:
    """The path or address of a data set as text. Raises `BadData` for anything else, such as a data frame."""
    if isinstance(given, (str, os.PathLike)) or is_place(given):
        return str(given)
    frame = " df.to_parquet('data.parquet') writes a data frame." if hasattr(given, "columns") else ""
    raise BadData(f"A {type(given).__name__} is no data set. Give the path of a folder or a table.{frame}")


def is_address(text: str) -> bool:
    """Whether a text begins like s3:// or memory://."""
    return _ADDRESS.match(text) is not None


def local_path(given: str | os.PathLike[str], what: str) -> Path:
    """`given` as a path on this disk; raises `ZooError` for an address. `what` goes into the message: "run folders"."""
    if is_address(str(given)) or (_TORN_ADDRESS.match(str(given)) and not os.path.exists(given)):
        address = re.sub(r":/(?!/)", "://", str(given), count=1)
        raise ZooError(f"{address}: {what} must be on this disk. Name a local folder.")
    return possible(Path(given), ZooError)


def possible(path: Path, error: type[ZooError]) -> Path:
    """The path; raises `error` if no file of this disk can have that name, whether there is one or not."""
    if not is_local(path):
        return path
    try:
        os.lstat(path)
    except ValueError as reason:
        raise error(f"{str(path)!r} is not a path: {reason}.") from None
    except OSError as reason:
        if reason.errno in (errno.ENAMETOOLONG, errno.ELOOP):
            raise error(f"{path} is not a path: {reason.strerror}.") from None
    return path


def is_place(given: Any) -> bool:
    """Whether this is a place, and not text or another value."""
    return isinstance(given, PurePath) or (hasattr(given, "open") and hasattr(given, "protocol"))


def is_local(path: Path) -> bool:
    """Whether a place is on this disk."""
    return isinstance(path, PurePath)


def read_remote(path: Path) -> bytes:
    """The content of a file at an address; raises `OSError`, whatever the package for that kind of address raises."""
    try:
        return path.read_bytes()
    except OSError:
        raise
    except Exception as error:
        raise OSError(str(error).partition("\n")[0] or type(error).__name__) from None


def exists(path: Path) -> bool:
    """Whether the place exists; False for text that is too long to be a path, or cannot be one for another reason."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def walk(folder: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """`folder` and each folder below it, with the sorted names of its folders and files; links are followed only once.

    Folders that you remove from the list are not entered. Raises `OSError` for a folder that cannot be listed.
    """
    if not is_local(folder):
        for at, folders, files in folder.walk():  # type: ignore[attr-defined]
            folders.sort()
            yield at, folders, sorted(files)
        return
    seen = set()
    for name, folders, files in os.walk(folder, onerror=_raise, followlinks=True):
        real = os.path.realpath(name)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders.sort()
        yield Path(name), folders, sorted(files)


def _raise(error: OSError) -> None:
    raise error


def utf8(text: str) -> str:
    """The text with everything escaped that UTF-8 cannot write; file names need not be valid."""
    return text.encode("utf-8", "backslashreplace").decode()
