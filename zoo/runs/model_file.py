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
from zoo.compose.head import restore_task
from zoo.compose.model import Parts, layers_in_order, parts_of
from zoo.data.layout import Layout
from zoo.errors import BadRun, ZooError
from zoo.runs.vetting import not_read, vet
from zoo.structs import convert

if TYPE_CHECKING:
    import keras

    from zoo.compose.task import Task

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
    except FileNotFoundError:
        raise BadRun(f"{path} does not exist: this is not a finished run. To make one: zoo train") from None
    except (OSError, KeyError, ValueError, TypeError, RecursionError, zipfile.BadZipFile) as error:
        raise not_read(path, error) from None
    return convert(content, Card, BadRun, f"{path} ({MEMBER})")


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


def refuse_unreadable(card: Card, path: Path) -> None:
    """Raise `BadRun` if no installed reader reads what the card of `path` says that the model reads."""
    try:
        Layout(card.modality, card.reads, card.input_column, card.target_column, reading=card.reading).inputs  # noqa: B018
    except ZooError as error:
        raise BadRun(f"{path} ({MEMBER}): {error}") from None
    except Exception as error:  # whatever a reader raises for settings that it did not write
        raise BadRun(f"{path} ({MEMBER}): reading is {card.reading!r}, which is not a setting ({error}).") from error


def load_task(card: Card, head: keras.Model, path: Path) -> Task:
    """The task of the model in `path`, from its state; raises `BadRun` if that does not fit, or not its outputs.

    head  the part of the model that gives the outputs
    """
    try:
        task = restore_task(card.head, card.task)
    except ZooError as error:
        raise BadRun(f"{path} ({MEMBER}): {error}") from None
    except Exception as error:  # whatever a head raises for a state that it did not write
        reason = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
        raise BadRun(f"{path} ({MEMBER}): task is not a state of the head {card.head} ({reason}).") from error
    wanted, found = _shapes(_outputs(task, head)), _shapes(head.output)
    if wanted and wanted != found:
        raise BadRun(f"{path} ({MEMBER}): task is of another model: it needs outputs {wanted}, and this has {found}.")
    return task


def _outputs(task: Task, head: keras.Model) -> Any:
    """The outputs of new layers of a task, on the inputs of a head; None if it does not make them from its state."""
    import keras

    entry = keras.tree.map_structure(lambda x: keras.Input(x.shape[1:], dtype=x.dtype, name=x.name), head.input)
    try:
        return task.outputs(entry)
    except Exception:
        return None


def _shapes(outputs: Any) -> str:
    """Names and shapes, as text to compare."""
    import keras

    if outputs is None:
        return ""
    if isinstance(outputs, dict):
        return ", ".join(f"{name} {_shapes(outputs[name])}" for name in sorted(outputs))
    return str([tuple(x.shape[1:]) for x in keras.tree.flatten(outputs)])


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
