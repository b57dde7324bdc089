"""Features of examples while they are being read for the first time, so that no file is decoded twice."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from typing import Any

from zoo.data.reader import Value
from zoo.features.disk import room
from zoo.features.extractor import Extractor
from zoo.inference.arrays import joined
from zoo.progress import say

_NUMBER = 4  # bytes per number


class FeatureFeed:
    """Gives an extractor every example that its store lacks; see `zoo.data.check.Feed`."""

    def __init__(self, extractor: Extractor) -> None:
        self._extractor = extractor
        self._claimed: set[str] = set()
        self._given = self._found = 0  # of the data set that is being read
        self._lock = threading.Lock()

    @property
    def used(self) -> bool:
        """Whether it was given any example."""
        return bool(self._claimed)

    @property
    def wanted(self) -> Any:
        return self._extractor.preprocessing.model.output

    def has_room(self, count: int) -> bool:
        each = _NUMBER * sum(math.prod(size or 1 for size in shape) for shape in self._extractor.shapes.values())
        return each * count <= room()

    def claim(self, content: str) -> bool:
        with self._lock:
            if content in self._claimed:
                return False
            self._claimed.add(content)
            lacking = self._extractor.lacks(content)
            self._given += 1
            self._found += not lacking
            return lacking

    def prepare(self, value: Value) -> Any:
        return self._extractor.preprocessing([value if isinstance(value, tuple) else (value,)])

    def add(self, contents: Sequence[str], prepared: Sequence[Any]) -> None:
        self._extractor.add(contents, joined(prepared))

    def end(self) -> None:
        """Write what is left, and say how much was there already."""
        self._extractor.flush()
        if self._found:
            say(f"Features of {self._found} of {self._given} examples are cached from an earlier run.")
        self._given = self._found = 0
