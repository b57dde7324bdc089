"""What a person asks a finished model about: pictures, texts, and files and folders of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from zoo.data.examples import Raw
from zoo.data.sources import TABLES, Reading, files_below, read_inputs
from zoo.data.texts import read_text
from zoo.errors import BadData

Input = str | Path | tuple[str, str]
Entry = tuple[str, Raw | None, str]  # its name, what the model is given, or why it cannot be read


def read_given(given: Input, reading: Reading) -> Iterator[Entry]:
    """What one input stands for: itself, the files below a folder, or the rows of a table.

    Raises `BadData` for a text where the model reads pairs, and for a table that is not there.
    """
    if reading.modality == "image":
        path = Path(str(given))
        for file in files_below(path) if path.is_dir() else [path]:
            yield str(file), file, ""
    elif isinstance(given, tuple):
        yield " | ".join(given), given, ""
    else:
        yield from _texts(given, reading)


def _texts(given: str | Path, reading: Reading) -> Iterator[Entry]:
    path, suffix = Path(given), Path(given).suffix.lower()
    exists = bool(str(given).strip()) and len(str(given)) < 4096 and "\0" not in str(given) and path.exists()
    if not exists and (isinstance(given, Path) or suffix in TABLES):
        raise BadData(f"{given} does not exist.")
    if exists and suffix in TABLES:
        for name, raw, reason in read_inputs(path, reading):
            yield f"{given}: {name}", raw, reason
    elif reading.reads == "pair":
        raise BadData(f"{str(given)!r}: this model reads two texts; give a table with {' and '.join(reading.inputs)}.")
    elif exists:
        for file in files_below(path) if path.is_dir() else [path]:
            try:
                yield str(file), read_text(file), ""
            except BadData as error:
                yield str(file), None, str(error)
    elif str(given).strip():
        yield str(given), str(given), ""
    else:
        yield str(given), None, "empty text"
