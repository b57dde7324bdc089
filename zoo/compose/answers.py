"""Puts an answer beside what is known about its example, under names that never hide each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OURS = ("input", "split", "target", "error")
_PREFIX = "answer_"


def beside(known: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    """What is known about an example, then its answer; a part that has one of our names gets a longer one."""
    return {**known, **{f"{_PREFIX}{name}" if name in OURS else name: part for name, part in answer.items()}}


def answer_in(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The answer as the head gave it, from what `beside` made of it."""
    shortened = {f"{_PREFIX}{name}": name for name in OURS}
    return {shortened.get(name, name): part for name, part in entry.items() if name not in OURS}
