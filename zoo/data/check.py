"""Reads every example once: sets aside those that cannot be read, and gives the others a fingerprint."""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from zoo.data.examples import Example, Examples, Skipped
from zoo.data.reader import Raw, Reader
from zoo.errors import BadData
from zoo.progress import progress


def check(examples: Examples, reader: Reader) -> Examples:
    """Keep the examples that can be read, and list the others with the reason.

    Raises `BadData` if none is left.
    """

    def look(example: Example) -> tuple[Raw, str, str]:
        """The raw to keep, its fingerprint, and why the example cannot be used ("" if it can)."""
        try:
            value = reader.read(example.raw)
        except BadData as error:
            return None, "", str(error)
        return value if reader.in_memory else example.raw, reader.fingerprint(value), ""

    kept: list[Example] = []
    skipped = list(examples.skipped)
    with (
        ThreadPoolExecutor(max_workers=os.cpu_count()) as pool,
        progress(f"Reading the {reader.unit}", len(examples.items), reader.unit) as advance,
    ):
        for example, (raw, content, reason) in zip(examples.items, pool.map(look, examples.items), strict=True):
            if reason:
                skipped.append(Skipped(example.input, reason))
            else:
                example.raw, example.content = raw, content
                kept.append(example)
            advance()
    if not kept:
        reasons = Counter(s.reason for s in skipped).most_common(1)[0][0]
        raise BadData(f"None of the inputs from {examples.source} can be used ({len(skipped)} in all; {reasons}).")
    return replace(examples, items=kept, skipped=skipped)
