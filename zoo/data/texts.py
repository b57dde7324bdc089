"""From the bytes of a file to a text."""

from __future__ import annotations

from pathlib import Path

from zoo.errors import BadData


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, with or without a mark (BOM) at its start.

    Raises `BadData` with the reason where the file is not one, or holds nothing but white space.
    """
    if path.suffix.lower() != ".txt":
        raise BadData("not a .txt file")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadData(f"not UTF-8 text (byte 0x{error.object[error.start]:02x} at {error.start})") from None
    except OSError as error:
        raise BadData(f"cannot be read: {error.strerror or error}") from None
    if not text.strip():
        raise BadData("empty text")
    return text
