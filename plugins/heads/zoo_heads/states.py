"""What a saved model says of its task, which may be a stranger's model: each value is of the type that was written."""

import math
from collections.abc import Mapping
from typing import Any


def list_of_texts(state: Mapping[str, Any], name: str) -> list[str]:
    """The list of texts `name`; raises `ValueError` if it is anything else, is empty, or has one twice."""
    found = state[name]
    if not isinstance(found, list) or not found or not all(isinstance(one, str) for one in found):
        raise ValueError(f"{name} is {_short(found)}; it must be a list of texts")
    if len(set(found)) < len(found):
        raise ValueError(f"{name} has a text twice: {_short(found)}")
    return list(found)


def list_of_numbers(state: Mapping[str, Any], name: str, count: int, least: float = -math.inf) -> list[Any]:
    """The list of `count` finite numbers `name`, none below `least`; raises `ValueError` if it is anything else."""
    found = state[name]
    right = isinstance(found, list) and len(found) == count
    if not right or not all(type(one) in (int, float) and math.isfinite(one) and one >= least for one in found):
        above = "" if least == -math.inf else f" of at least {least:g}"
        raise ValueError(f"{name} is {_short(found)}; it must be a list of {count} finite numbers{above}")
    return list(found)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
