"""What a person asks a finished model about: pictures, texts, and files and folders of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from zoo.data.examples import Raw
from zoo.data.sources import Reading, files_below, read_inputs
from zoo.data.tables import TABLES
from zoo.data.texts import part_words, read_text
from zoo.errors import BadData

Input = str | Path | tuple[str, str]
Entry = tuple[str, Raw | None, str]  # its name, what the model is given, or why it cannot be read


def read_given(given: Input, reading: Reading) -> Iterator[Entry]:
    """What one input stands for: itself, the files below a folder, or the rows of a table.

    Raises `BadData` for a text where the model reads pairs, and for a table that is not there.
    """
    path = Path(str(given))
    if isinstance(given, tuple):
        yield " | ".join(given), given, ""
    elif path.suffix.lower() in TABLES:
        if not _exists(path):
            raise BadData(f"{given} does not exist.")
        for name, raw, reason in read_inputs(path, reading):
            yield (str(raw) if isinstance(raw, Path) else f"{given}: {name}"), raw, reason
    elif reading.modality == "image":
        for file in files_below(path) if path.is_dir() else [path]:
            yield str(file), file, ""
    elif reading.reads == "pair":
        raise BadData(f"{str(given)!r}: this model reads two texts; give a table with {' and '.join(reading.inputs)}.")
    else:
        for name, text, reason in _texts(given):
            yield name, part_words(text) if text and reading.reads == "words" else text, reason


def _texts(given: str | Path) -> Iterator[tuple[str, str | None, str]]:
    path = Path(given)
    if str(given).strip() and _exists(path):
        for file in files_below(path) if path.is_dir() else [path]:
            try:
                yield str(file), read_text(file), ""
            except BadData as error:
                yield str(file), None, str(error)
    elif isinstance(given, Path):
        raise BadData(f"{given} does not exist.")
    elif given.strip():
        yield given, given, ""
    else:
        yield given, None, "empty text"


def _exists(path: Path) -> bool:
    """Also of what is too long to be a path, as a text may be."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
