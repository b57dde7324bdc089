"""What a person has set: the folders of `zoo`, the plugins that are switched off, and the registries in use."""

import functools
import json
import os
import shlex
from pathlib import Path
from typing import Any

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


def own_cache() -> Path | None:
    """The cache folder if nobody else can change what is in it, or else the platform's; None if others can change both.

    That `ZOO_CACHE` is not trusted is said once.
    """
    return _own_cache(cache_folder())


def own_cache_folder() -> Path:
    """The same as `own_cache`; raises `ZooError` if there is none."""
    if (folder := own_cache()) is None:
        raise ZooError(
            f"There is no cache folder that only you can change: {how_others_change(_cache_folder(''))}. "
            "Name a folder of your own with ZOO_CACHE."
        )
    return folder


@functools.cache
def _own_cache(named: Path) -> Path | None:
    if not (reason := how_others_change(named)):
        return named
    other = _cache_folder("")
    own = None if how_others_change(other) else other
    kept = f"everything else is in {own}" if own else "nothing else is kept"
    say(
        f"Others can change what is in the cache folder {named}: {reason}. So only weights that are verified and "
        f"features are taken from it; {kept}. {_way_out(reason)}ZOO_CACHE names another folder."
    )
    return own


def _way_out(reason: str) -> str:
    path = reason.rpartition(" can write to ")[2]
    return f"To trust it: chmod go-w {shlex.quote(path)}. " if path != reason else ""


@functools.cache
def _cache_folder(named: str) -> Path:
    if named:
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("zoo"))


@functools.cache
def _is_trusted(settings: Path) -> bool:
    """Whether nobody else can change the settings; that others can is said once."""
    if reason := how_others_change(settings.parent):
        way_out = _way_out(reason) or "Name a folder of your own with ZOO_CONFIG."
        say(f"The settings {settings} are not used, because others can change them: {reason}. {way_out.strip()}")
    return not reason


def disabled_plugins() -> dict[str, str]:
    """The names of the plugins that are switched off, each with how to switch it on again."""
    remembered = {
        name: f"switched off; to switch it on: zoo plugins --enable {shlex.quote(name)}" for name in _read("disabled")
    }
    listed = os.environ.get("ZOO_DISABLE", "").split(",")
    return remembered | {name.strip(): "switched off by ZOO_DISABLE" for name in listed if name.strip()}


def set_disabled(name: str, off: bool) -> None:
    """Switch plugin `name` off, or on again."""
    _write("disabled", sorted(set(_read("disabled")) - {name} | ({name} if off else set())))


def registries() -> list[str]:
    """The registries in use besides the built-in one, in the order in which they are asked."""
    return _read("registries")


def set_registry(source: str, use: bool) -> None:
    """Use a registry, before all others, or stop using it."""
    _write("registries", ([source] if use else []) + [other for other in registries() if other != source])


def _write(setting: str, values: list[str]) -> None:
    path = settings_file()
    if reason := how_others_change(path.parent):
        raise ZooError(
            f"{path} is not written, because others can change it: {reason}. Name a folder of your own with ZOO_CONFIG."
        )
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
    if path.parent.is_dir() and not _is_trusted(path):
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
