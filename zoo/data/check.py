"""Reads every example once: sets aside those that cannot be read, and gives the others a fingerprint."""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from zoo.data.examples import Example, Examples, Skipped
from zoo.data.reader import Raw, Reader
from zoo.errors import BadData
from zoo.progress import progress, say


def check(examples: Examples, reader: Reader) -> Examples:
    """Keep the examples that can be read, and list the others with the reason.

    Raises `BadData` if none is left.
    """

    def look(example: Example) -> tuple[Raw, str, Any, str]:
        """The raw to keep, its fingerprint and facts, and why the example cannot be used ("" if it can)."""
        try:
            seen = reader.survey(example.raw)
        except BadData as error:
            return None, "", None, str(error)
        return seen.value if reader.in_memory else example.raw, seen.content, seen.facts, ""

    kept: list[Example] = []
    skipped = list(examples.skipped)
    with (
        ThreadPoolExecutor(max_workers=os.cpu_count()) as pool,
        progress(f"Reading the {reader.unit}", len(examples.items), reader.unit) as advance,
    ):
        for example, (raw, content, facts, reason) in zip(examples.items, pool.map(look, examples.items), strict=True):
            if reason:
                skipped.append(Skipped(example.input, reason))
            else:
                example.raw, example.content, example.facts = raw, content, facts
                kept.append(example)
            advance()
    if not kept:
        reasons = Counter(s.reason for s in skipped).most_common(1)[0][0]
        raise BadData(
            f"None of the inputs from {examples.source} can be used ({len(skipped)} in all; {reasons})."
            f"{_hint(examples, skipped)}"
        )
    if len(skipped) > len(kept) and (hint := _hint(examples, skipped)):
        say(f"{skipped[-1].input}: {skipped[-1].reason}.{hint}")
    return replace(examples, items=kept, skipped=skipped)


def _hint(examples: Examples, skipped: list[Skipped]) -> str:
    """How a table names files, if most of the files that were left out are not where it says."""
    missing = sum("no file " in one.reason for one in skipped)
    seen = "Paths in a table are seen from its folder, or else from the working folder."
    return f" {seen}" if 2 * missing > len(skipped) and not examples.source.is_dir() else ""
