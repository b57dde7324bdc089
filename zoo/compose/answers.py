"""Puts an answer beside what is known about its example, under names that never hide each other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

OURS = ("input", "split", "target", "error")
_PREFIX = "answer_"
_TAKEN = re.compile(f"(?:{_PREFIX})*(?:{'|'.join(OURS)})")


def beside(known: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    """What is known about an example, then its answer; a part that has one of our names gets a longer one."""
    longer = {f"{_PREFIX}{name}" if _TAKEN.fullmatch(name) else name: part for name, part in answer.items()}
    return {**known, **longer}


def answer_in(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The answer as the head gave it, from what `beside` made of it."""
    own = {name: part for name, part in entry.items() if name not in OURS}
    return {name.removeprefix(_PREFIX) if _TAKEN.fullmatch(name) else name: part for name, part in own.items()}
