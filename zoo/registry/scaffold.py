"""Starting a plugin: a complete distribution, made from the templates beside this module."""

from __future__ import annotations

import os
import re
import shutil
from importlib import metadata
from pathlib import Path
from string import Template

from zoo.atomic import UNFINISHED
from zoo.catalog import API_VERSION
from zoo.errors import ZooError

_TEMPLATES = Path(__file__).with_name("templates")


def scaffold(name: str, folder: Path, *, backbone: bool, head: bool) -> Path:
    """Write a plugin called `name` into `folder`, which must be empty or not exist; returns the folder.

    Raises `ZooError` for a name that a package cannot have, a plugin that offers nothing, or a folder that is in use.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*", name):
        raise ZooError(f"{name!r} cannot be a plugin's name. Use lower case letters, digits and '-', as in my-nets.")
    if not backbone and not head:
        raise ZooError("A plugin has to offer a backbone or a head.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ZooError(f"{folder} exists and is not empty. Choose another folder with --to.")
    plugin = name.replace("-", "_").removeprefix("zoo_")
    values = {
        "plugin": plugin,
        "package": f"zoo_{plugin}",
        "distribution": f"zoo-{plugin.replace('_', '-')}",
        "api": f">={API_VERSION},<{int(API_VERSION.partition('.')[0]) + 1}",
        "version": metadata.version("tfzoo"),
        "offers": " and ".join(["A backbone"] * backbone + ["a task head"] * head).capitalize(),
    }
    hooks = [_filled(f"hook_{kind}.py", values) for kind, wanted in (("backbone", backbone), ("head", head)) if wanted]
    package = values["package"]
    files = {
        "pyproject.toml": _filled("pyproject.toml", values),
        "README.md": _filled("README.md", values),
        ".gitignore": _filled("gitignore", values),
        f"{package}/__init__.py": _filled("hooks.py", values | {"hooks": "".join(hooks).rstrip("\n")}),
        "tests/test_promises.py": _filled("test_promises.py", values),
    }
    if backbone:
        files[f"{package}/backbone.py"] = _filled("backbone.py", values)
    if head:
        files[f"{package}/head.py"] = _filled("head.py", values)
    try:
        _write(files, folder.resolve())
    except OSError as error:
        raise ZooError(f"Cannot write {folder}: {error.strerror or error}. Nothing was left behind.") from None
    return folder


def _write(files: dict[str, str], folder: Path) -> None:
    """Write files into a folder, all or none of them. A folder that exists, such as a shell's own, stays the same one.

    Raises `OSError`.
    """
    unfinished = f"{UNFINISHED}{folder.name}-{os.urandom(4).hex()}"
    there = folder.exists()
    beside = folder / unfinished if there else folder.with_name(unfinished)
    moved: list[Path] = []
    try:
        for path, content in files.items():
            (beside / path).parent.mkdir(parents=True, exist_ok=True)
            (beside / path).write_text(content, encoding="utf-8")
        if not there:
            beside.replace(folder)
            return
        for made in list(beside.iterdir()):
            made.replace(folder / made.name)
            moved.append(folder / made.name)
    except BaseException:
        for written in moved:
            if written.is_dir():
                shutil.rmtree(written)
            else:
                written.unlink()
        raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _filled(template: str, values: dict[str, str]) -> str:
    return Template((_TEMPLATES / f"{template}.template").read_text(encoding="utf-8")).substitute(values)
