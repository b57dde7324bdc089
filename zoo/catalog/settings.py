"""What a person has set: the plugins that are switched off, and the registries in use."""

import json
import os
import shlex
from collections.abc import Collection
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from zoo.atomic import write_atomic
from zoo.errors import ZooError
from zoo.progress import say_once
from zoo.trust import how_others_change, make_private, way_out


def settings_file() -> Path:
    """The file of settings, in the folder `ZOO_CONFIG` or the platform's folder for settings."""
    if folder := os.environ.get("ZOO_CONFIG"):
        return Path(folder) / "settings.json"
    import platformdirs

    return Path(platformdirs.user_config_dir("zoo")) / "settings.json"


def _is_trusted(settings: Path) -> bool:
    """Whether nobody else can change the settings; that others can is said once."""
    if reason := how_others_change(settings):
        remedy = way_out(reason, "ZOO_CONFIG")
        say_once(f"The settings {settings} are not used, because others can change them: {reason}. {remedy}")
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
        remedy = way_out(reason, "ZOO_CONFIG")
        raise ZooError(f"{path} is not written, because others can change it: {reason}. {remedy}")
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
