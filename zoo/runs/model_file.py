"""`model.keras`: a Keras model file that also contains what is needed to turn its outputs into answers.

The model is made of Keras's own layers, so `keras.models.load_model` opens it even if `zoo` is not installed. Besides
Keras's members, the archive has our `zoo.json` with the head, its options and class names, which Keras ignores.
"""

from __future__ import annotations

import contextlib
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from zoo import engine
from zoo.catalog import catalog
from zoo.catalog.imports import resolve_import
from zoo.compose.model import Parts, layers_in_order, parts_of
from zoo.errors import BadRun, ZooError
from zoo.runs.vetting import not_read, vet

if TYPE_CHECKING:
    import keras

MEMBER = "zoo.json"
_LARGEST_CARD = 1 << 26


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """The facts in a model file: what it was made from, the state of its task, and how its data was read.

    parts    for each part of the model its layer, and the dtype and shape of its inputs, as in `Parts.signatures`
    reading  how the reader was set up, as in `Reader.configured`; None in runs from before there was a choice
    format   format 1 had no `parts`
    """

    backbone: str
    head: str
    modality: str
    task: dict[str, Any]
    reads: str = "single"
    input_column: str | tuple[str, ...] = ""
    target_column: str | tuple[str, ...] = ""
    parts: dict[str, dict[str, Any]] = {}
    reading: dict[str, Any] | None = None
    format: Literal[1, 2] = 2


def save_model(model: keras.Model, card: Card, path: Path) -> None:
    """Write the model and its card to `path`, which may have any name."""
    kept = path.with_name(f"{path.name}.keras")
    try:
        model.save(kept)
        with zipfile.ZipFile(kept, "a") as archive:
            content = json.dumps(msgspec.to_builtins(card), ensure_ascii=False, indent=1)
            archive.writestr(MEMBER, content)
        kept.replace(path)
    finally:
        kept.unlink(missing_ok=True)


def read_card(path: Path) -> Card:
    """The card of a model file; raises `BadRun` if it has none."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(MEMBER).file_size > _LARGEST_CARD:
                raise BadRun(f"{path} is not a model of zoo: its {MEMBER} is too large.")
            content = json.loads(archive.read(MEMBER))
        if content["format"] not in (1, 2):
            raise BadRun(f"{path} was written by another version of zoo. Load it with that version.")
        return msgspec.convert(content, Card)
    except FileNotFoundError:
        raise BadRun(f"{path} does not exist: this is not a finished run. To make one: zoo train") from None
    except (OSError, KeyError, ValueError, TypeError, RecursionError, zipfile.BadZipFile) as error:
        raise not_read(path, error) from None


def holds_saved_model(path: Path) -> bool:
    """Whether a model file contains a SavedModel."""
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("saved_model.pb") for name in archive.namelist())


def load_model(path: Path, backbone: str = "") -> keras.Model:
    """The Keras model; nothing in the file is run as code (Keras's safe mode). Raises `BadRun` if it is damaged.

    If the plugin of `backbone` is installed, the model may contain that plugin's own layers.
    """
    engine.start()
    import keras

    with contextlib.suppress(ZooError):
        offer = catalog().backbone(backbone)
        resolve_import(offer.spec.build, offer.plugin, f"backbone {backbone}")
    vet(path)
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        reason = str(error).strip().partition("\n")[0]
        if backbone and "Could not locate class" in reason:
            raise BadRun(
                f"{path} needs the plugin of the backbone {backbone}, which is not loaded. To see why: zoo plugins"
            ) from error
        raise BadRun(f"{path} cannot be loaded as a model: {reason}") from error


def load_parts(model: keras.Model, card: Card, path: Path) -> Parts:
    """The parts of a model that was loaded from `path`; raises `BadRun` if it lacks parts that its card names."""
    try:
        layers = {part: str(about["layer"]) for part, about in card.parts.items()} or layers_in_order(model)
        parts = parts_of(model, layers)
        if card.parts and _unnamed(parts.signatures()) != _unnamed(card.parts):
            raise ValueError
        return parts
    except (KeyError, ValueError, TypeError, AttributeError):
        raise BadRun(f"{path} is damaged: it does not have the parts that its {MEMBER} names.") from None


def _unnamed(signatures: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Signatures to compare: the inputs in order, as Keras gives those without a name another one when it loads."""
    return {part: (about["layer"], list(about["inputs"].values())) for part, about in signatures.items()}
