"""`model.keras`: a Keras model file that also holds what turns its outputs into answers.

The model is made of Keras's own layers, so that `keras.models.load_model` opens it where `zoo` is not installed. Beside
Keras's members the archive has one of ours, `zoo.json`: the head, its options and class names. Keras ignores it.
"""

from __future__ import annotations

import contextlib
import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import engine
from zoo.catalog import catalog
from zoo.catalog.imports import resolve_import
from zoo.catalog.specs import Modality, Reads
from zoo.errors import BadRun, ZooError
from zoo.runs.vetting import vet

if TYPE_CHECKING:
    import keras

MEMBER = "zoo.json"
FORMAT = 1
_LARGEST_CARD = 1 << 26


@dataclass(frozen=True)
class Card:
    """What a model file says of itself: what it was made from, the state of its task, and how its data was read."""

    backbone: str
    head: str
    modality: Modality
    task: dict[str, Any]
    reads: Reads = "single"
    input_column: str = ""
    target_column: str = ""


def save_model(model: keras.Model, card: Card, path: Path) -> None:
    """Write the model and its card to `path`, which may have any name."""
    kept = path.with_name(f"{path.name}.keras")
    try:
        model.save(kept)
        with zipfile.ZipFile(kept, "a") as archive:
            archive.writestr(MEMBER, json.dumps({"format": FORMAT, **asdict(card)}, ensure_ascii=False, indent=1))
        kept.replace(path)
    finally:
        kept.unlink(missing_ok=True)


def read_card(path: Path) -> Card:
    """The card of a model file; raises `BadRun` where there is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(MEMBER).file_size > _LARGEST_CARD:
                raise BadRun(f"{path} is not a model of zoo: its {MEMBER} is too large.")
            content = json.loads(archive.read(MEMBER))
        if content.pop("format") != FORMAT:
            raise BadRun(f"{path} was written by another version of zoo; load it with that one.")
        return Card(**content)
    except FileNotFoundError:
        raise BadRun(f"{path} does not exist: it is not a finished run. `zoo train` makes one.") from None
    except (OSError, KeyError, ValueError, TypeError, AttributeError, RecursionError, zipfile.BadZipFile):
        raise BadRun(f"{path} is not a model that zoo wrote, or is damaged.") from None


def holds_saved_model(path: Path) -> bool:
    """Whether a SavedModel travels in a model file."""
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("saved_model.pb") for name in archive.namelist())


def load_model(path: Path, card: Card | None = None) -> keras.Model:
    """The Keras model; nothing in the file is run as code (Keras's safe mode). Raises `BadRun` when it is damaged.

    Where the plugin of the card's backbone is installed, layers of its own are known.
    """
    engine.start()
    import keras

    if card is not None:
        with contextlib.suppress(ZooError):
            offer = catalog().backbone(card.backbone)
            resolve_import(offer.spec.build, f"backbone {card.backbone}")
    vet(path)
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        reason = str(error).strip().partition("\n")[0]
        if card is not None and "Could not locate class" in reason:
            raise BadRun(
                f"{path} needs the plugin of the backbone {card.backbone}, which is not loaded; `zoo plugins` says why."
            ) from error
        raise BadRun(f"{path} cannot be loaded as a model: {reason}") from error
