"""What a person has set: the folders of `zoo`, the plugins that are switched off, and the registries in use."""

import functools
import json
import os
import shlex
from pathlib import Path
from typing import Any

from zoo.atomic import write_atomic
from zoo.errors import ZooError


def settings_file() -> Path:
    """The file of settings, in the folder `ZOO_CONFIG` or the platform's folder for settings."""
    if folder := os.environ.get("ZOO_CONFIG"):
        return Path(folder) / "settings.json"
    import platformdirs

    return Path(platformdirs.user_config_dir("zoo")) / "settings.json"


def cache_folder() -> Path:
    """The folder for weights and what is computed from them: `ZOO_CACHE`, or the platform's cache folder."""
    return _cache_folder(os.environ.get("ZOO_CACHE", ""))


@functools.cache
def _cache_folder(named: str) -> Path:
    if named:
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("zoo"))


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
    try:
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
    try:
        content = json.loads(settings_file().read_text(encoding="utf-8"))
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
