"""What a person has set: the folders of `zoo`, and which plugins are switched off."""

import functools
import json
import os
from pathlib import Path
from typing import Any

from zoo.atomic import write_atomic
from zoo.errors import ZooError


def settings_file() -> Path:
    """Where `zoo plugins --disable` remembers: the platform's folder for settings, or what `ZOO_CONFIG` names."""
    if folder := os.environ.get("ZOO_CONFIG"):
        return Path(folder) / "settings.json"
    import platformdirs

    return Path(platformdirs.user_config_dir("zoo")) / "settings.json"


def cache_folder() -> Path:
    """Where weights and what is made of them are kept: the platform's cache folder, or what `ZOO_CACHE` names."""
    return _cache_folder(os.environ.get("ZOO_CACHE", ""))


@functools.cache
def _cache_folder(named: str) -> Path:
    if named:
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("zoo"))


def disabled_plugins() -> dict[str, str]:
    """Names of plugins that are switched off, each with the way to switch it on again."""
    remembered = {name: f"switched off; `zoo plugins --enable {name}` switches it on" for name in _read("disabled")}
    listed = os.environ.get("ZOO_DISABLE", "").split(",")
    return remembered | {name.strip(): "switched off by ZOO_DISABLE" for name in listed if name.strip()}


def set_disabled(name: str, off: bool) -> None:
    """Remember that plugin `name` is switched off, or on again."""
    _write("disabled", sorted(set(_read("disabled")) - {name} | ({name} if off else set())))


def registries() -> list[str]:
    """The registries that a person uses besides the built-in one, in their order."""
    return _read("registries")


def set_registry(source: str, use: bool) -> None:
    """Remember to use a registry, before all others, or to use it no more."""
    _write("registries", ([source] if use else []) + [other for other in registries() if other != source])


def _write(setting: str, values: list[str]) -> None:
    path = settings_file()
    try:
        write_atomic(path, (json.dumps(_settings() | {setting: values}, indent=2) + "\n").encode())
    except OSError as error:
        raise ZooError(
            f"{path} cannot be written: {error.strerror or error}; ZOO_CONFIG names another folder for settings."
        ) from None


def _read(setting: str) -> list[str]:
    values = _settings().get(setting, [])
    return [str(value) for value in values] if isinstance(values, list) else []


def _settings() -> dict[str, Any]:
    try:
        content = json.loads(settings_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
