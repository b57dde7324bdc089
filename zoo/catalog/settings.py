"""What a person has set: the folders of `zoo`, the plugins that are switched off, and the registries in use."""

import atexit
import functools
import json
import os
import shlex
import shutil
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from zoo.atomic import write_atomic
from zoo.errors import ZooError
from zoo.progress import say
from zoo.trust import how_others_change, make_private


def settings_file() -> Path:
    """The file of settings, in the folder `ZOO_CONFIG` or the platform's folder for settings."""
    if folder := os.environ.get("ZOO_CONFIG"):
        return Path(folder) / "settings.json"
    import platformdirs

    return Path(platformdirs.user_config_dir("zoo")) / "settings.json"


def cache_folder() -> Path:
    """The folder `ZOO_CACHE`, or the platform's cache folder. Others may be able to write to it.

    What is taken from it has to be verified; `own_cache` is for everything else.
    """
    return _cache_folder(os.environ.get("ZOO_CACHE", ""))


def own_cache(part: str) -> Path | None:
    """A part of the cache that nobody else can change: of the folder `ZOO_CACHE`, or else of the platform's.

    None if others can change both. That one is not trusted is said once.
    """
    for folder in dict.fromkeys((cache_folder(), _cache_folder(""))):
        if not (reason := how_others_change(folder / part)):
            return folder / part
        _say_once(_untrusted(reason))
    return None


def own_cache_folder(part: str) -> Path:
    """The same as `own_cache`; without one, a folder for this process alone, which is deleted when it ends."""
    return own_cache(part) or _folder_of_this_process() / part


def untrusted_cache() -> str:
    """A sentence on the cache folder if others can change what is in it, with the way out; blank if they cannot."""
    reason = how_others_change(cache_folder())
    return reason and _untrusted(reason)


def make_cache_folder(folder: Path) -> None:
    """Create a folder in the cache for what is verified when it is used, and which other users may share.

    The cache itself is made for its owner alone, if it is not there. Raises `OSError`.
    """
    make_private(next((top for top in (cache_folder(), _cache_folder("")) if top in folder.parents), folder))
    folder.mkdir(parents=True, exist_ok=True)


def _untrusted(reason: str) -> str:
    return (
        f"Others can change what is in the cache: {reason}. So only features and weights with a checksum are taken "
        f"from it, and the rest is kept elsewhere. {_way_out(reason, 'ZOO_CACHE')}"
    )


def _way_out(reason: str, variable: str) -> str:
    """What to do about a folder that others can change."""
    path = reason.rpartition(" can write to ")[2]
    name = f"Name a folder of your own with {variable}"
    command = f"chmod -R go-w {shlex.quote(path)}"
    return f"{name}." if path == reason else f"{name}, or, if nobody else wrote to it: {command}"


@functools.cache
def _say_once(message: str) -> None:
    say(message)


@functools.cache
def _folder_of_this_process() -> Path:
    folder = tempfile.mkdtemp(prefix="zoo-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


@functools.cache
def _cache_folder(named: str) -> Path:
    if named:
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("zoo"))


def _is_trusted(settings: Path) -> bool:
    """Whether nobody else can change the settings; that others can is said once."""
    if reason := how_others_change(settings):
        way_out = _way_out(reason, "ZOO_CONFIG")
        _say_once(f"The settings {settings} are not used, because others can change them: {reason}. {way_out}")
    return not reason


def disabled_plugins() -> dict[str, str]:
    """The plugins that are switched off, by their normalized names or their distributions', each with the reason."""
    known: dict[str, str] = {
        canonicalize_name(name): f"switched off; to switch it on: zoo plugins --enable {shlex.quote(name)}"
        for name in _read("disabled")
    }
    for name in os.environ.get("ZOO_DISABLE", "").split(","):
        if name.strip():
            known[canonicalize_name(name.strip())] = "switched off by ZOO_DISABLE"
    return known


def set_disabled(name: str, off: bool, also: Collection[str] = ()) -> None:
    """Switch a plugin off, by a name of its own or its distribution's, or on again.

    also  other names of it, by which it may have been switched off
    """
    names = {canonicalize_name(one) for one in (name, *also)}
    left = {one for one in _read("disabled") if canonicalize_name(one) not in names}
    _write("disabled", sorted(left | ({name} if off else set())))


def registries() -> list[str]:
    """The registries in use besides the built-in one, in the order in which they are asked."""
    return _read("registries")


def set_registry(source: str, use: bool) -> None:
    """Use a registry, before all others, or stop using it."""
    _write("registries", ([source] if use else []) + [other for other in registries() if other != source])


def _write(setting: str, values: list[str]) -> None:
    path = settings_file()
    if reason := how_others_change(path):
        way_out = _way_out(reason, "ZOO_CONFIG")
        raise ZooError(f"{path} is not written, because others can change it: {reason}. {way_out}")
    try:
        make_private(path.parent)
        write_atomic(path, (json.dumps(_settings() | {setting: values}, indent=2) + "\n").encode())
    except OSError as error:
        raise ZooError(
            f"Cannot write {path}: {error.strerror or error}. Name another folder for settings with ZOO_CONFIG."
        ) from None


def _read(setting: str) -> list[str]:
    values = _settings().get(setting, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise _damaged(f"{setting!r} is not a list of names")
    return values


def _settings() -> dict[str, Any]:
    path = settings_file()
    if os.path.lexists(path) and not _is_trusted(path):
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        if not os.access(settings_file().parent, os.X_OK):  # the home of somebody else, so there are none
            return {}
        raise ZooError(
            f"The settings {settings_file()} cannot be read: {error.strerror or error}. Make the file readable, or "
            "name another folder for settings with ZOO_CONFIG."
        ) from None
    except ValueError as error:
        raise _damaged(str(error)) from None
    if not isinstance(content, dict):
        raise _damaged("it is not a JSON object")
    return content


def _damaged(reason: str) -> ZooError:
    return ZooError(
        f"The settings {settings_file()} are damaged: {reason}. Repair the file; or delete it, and with it what it "
        "says of plugins that are switched off and registries in use."
    )
