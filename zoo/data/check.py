"""Opening every example once: what cannot be read is set aside, what can gets the fingerprint of its content."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from zoo.catalog.specs import Modality
from zoo.data.examples import Example, Examples, Raw, Skipped
from zoo.data.pictures import read_picture
from zoo.data.texts import read_text
from zoo.errors import BadData
from zoo.progress import progress


def check(examples: Examples, modality: Modality = "image") -> Examples:
    """Keep the examples that can be read, and list the others with the reason.

    Raises `BadData` when none is left.
    """
    unit = {"image": "pictures", "text": "texts"}[modality]
    look = {"image": _look_at_picture, "text": _look_at_text}[modality]
    with (
        ThreadPoolExecutor(max_workers=os.cpu_count()) as pool,
        progress(f"Reading the {unit}", len(examples.items), unit) as advance,
    ):
        kept: list[Example] = []
        skipped = list(examples.skipped)
        for example, (raw, content, reason) in zip(
            examples.items, pool.map(lambda e: look(e.raw), examples.items), strict=True
        ):
            if reason:
                skipped.append(Skipped(example.input, reason))
            else:
                example.raw, example.content = raw, content
                kept.append(example)
            advance()
    if not kept:
        reasons = Counter(s.reason for s in skipped).most_common(1)[0][0]
        raise BadData(f"None of the {len(skipped)} inputs from {examples.source} can be used ({reasons}).")
    return Examples(examples.source, kept, skipped)


def _look_at_picture(raw: Raw) -> tuple[Raw, str, str]:
    """The file, the fingerprint of its pixels, and why it cannot be used."""
    assert isinstance(raw, Path)
    try:
        pixels = read_picture(raw)
    except BadData as error:
        return raw, "", str(error)
    return raw, _fingerprint(repr(pixels.shape).encode() + pixels.tobytes()), ""


def _look_at_text(raw: Raw) -> tuple[Raw, str, str]:
    """The text, its fingerprint, and why it cannot be used."""
    try:
        text = read_text(raw) if isinstance(raw, Path) else raw
    except BadData as error:
        return raw, "", str(error)
    return text, _fingerprint(repr(text).encode("utf-8", "surrogatepass")), ""


def _fingerprint(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()
