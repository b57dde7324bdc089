"""Opening every example once: what cannot be read is set aside, what can gets the fingerprint of its content."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from zoo.data.examples import Example, Examples, Skipped
from zoo.data.pictures import read_picture
from zoo.errors import BadData
from zoo.progress import step


def check(examples: Examples) -> Examples:
    """Keep the examples that can be read, and list the others with the reason.

    Raises `BadData` when none is left.
    """
    with (
        ThreadPoolExecutor(max_workers=os.cpu_count()) as pool,
        step("Reading the pictures", len(examples.items), "pictures") as advance,
    ):
        kept: list[Example] = []
        skipped = list(examples.skipped)
        for example, (content, reason) in zip(
            examples.items, pool.map(lambda e: _fingerprint(e.path), examples.items), strict=True
        ):
            if reason:
                skipped.append(Skipped(example.input, reason))
            else:
                example.content = content
                kept.append(example)
            advance()
    if not kept:
        reasons = Counter(s.reason for s in skipped).most_common(1)[0][0]
        raise BadData(f"None of the {len(skipped)} files in {examples.source} can be used as a picture ({reasons}).")
    return Examples(examples.source, kept, skipped)


def _fingerprint(path: Path) -> tuple[str, str]:
    try:
        pixels = read_picture(path)
    except BadData as error:
        return "", str(error)
    return hashlib.blake2b(repr(pixels.shape).encode() + pixels.tobytes(), digest_size=16).hexdigest(), ""
