"""Checks a model file before Keras opens it: the members of its archive, and the classes that it is made of."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zoo.errors import BadRun

# The modules that define Keras's own layers and operations, and the objects that configure them.
_KERAS = re.compile(
    r"keras\.(layers|initializers|regularizers|constraints|activations|ops|random|src\.models\.(functional|sequential)"
    r"|src\.(ops|layers|dtype_policies|random|applications)(\.\w+)*)"
)
# The classes allowed from `keras` and `keras.models`, which also have functions that load and download.
_MODELS = {"Functional", "Sequential", "Model", "DTypePolicy", "QuantizedDTypePolicy", "DTypePolicyMap", "KerasTensor"}
# Layers of Keras that run code from the file, or open other files that it names.
_REFUSED = {"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"}
_PLAIN = re.compile(r"__(keras_tensor|tensor|numpy|ellipsis|tuple|slice|bytes)__")
_LARGEST_CONFIG = 1 << 26
_GROWS = 20  # times an archive may grow when it is unpacked; Keras does not compress


def vet(path: Path) -> None:
    """Raise `BadRun` for a model file that could do anything other than hold a model of known parts."""
    try:
        with zipfile.ZipFile(path) as archive:
            _vet_members(archive, path)
            if archive.getinfo("config.json").file_size > _LARGEST_CONFIG:
                raise BadRun(f"{path} is refused: its config.json is too large.")
            config = json.loads(archive.read("config.json"))
    except (OSError, KeyError, ValueError, RecursionError, zipfile.BadZipFile) as error:
        raise not_read(path, error) from None
    for node in _objects(config):
        _vet_class(node, path)


def not_read(path: Path, error: Exception) -> BadRun:
    """What to say when a model file cannot be read: the system refuses, or it is damaged."""
    if isinstance(error, OSError) and error.errno is not None:
        return BadRun(f"{path} cannot be read: {error.strerror}.")
    return BadRun(f"{path} is damaged, or is not a model that zoo wrote.")


def _vet_members(archive: zipfile.ZipFile, path: Path) -> None:
    names = archive.namelist()
    for name in names:
        if name.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", name) or ":" in name:
            raise BadRun(f"{path} is refused: its member {name!r} would be written outside its folder.")
    if len(set(names)) != len(names):
        raise BadRun(f"{path} is refused: it has several members with the same name.")
    if sum(member.file_size for member in archive.infolist()) > _GROWS * path.stat().st_size:
        raise BadRun(f"{path} is refused: it would unpack to more than {_GROWS} times its size.")


def _objects(config: Any) -> Iterator[dict[str, Any]]:
    """Every object in a JSON document that describes an instance of a class."""
    waiting = [config]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
            if "class_name" in value:
                yield value
        elif isinstance(value, list):
            waiting += value


def _vet_class(node: dict[str, Any], path: Path) -> None:
    """Raise `BadRun` unless a class is one of Keras's in the lists above, or registered by an installed plugin."""
    name, module, registered = (str(node.get(key) or "") for key in ("class_name", "module", "registered_name"))
    if _PLAIN.fullmatch(name):
        return
    if name in _REFUSED:
        raise BadRun(f"{path} is refused: its layer {name} can run code or open files.")
    config = node.get("config")
    if isinstance(config, dict) and isinstance(config.get("vocabulary"), str):
        raise BadRun(f"{path} is refused: its layer {name} reads the file {config['vocabulary']!r}.")
    known = name in _MODELS if module in ("keras", "keras.models") else bool(_KERAS.fullmatch(module))
    if not known and not _is_of_a_plugin(module, registered):
        raise BadRun(f"{path} is refused: it uses {module or '?'}.{name}, which is not a part of a network.")


def _is_of_a_plugin(module: str, registered: str) -> bool:
    """Whether a class is registered with Keras, as the classes of plugins and of KerasHub are."""
    import keras

    return module.startswith("keras_hub.") or keras.saving.get_registered_object(registered) is not None
