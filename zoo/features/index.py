"""Where features are, by the fingerprints of contents: sorted arrays, much smaller than a dict of objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

KEY = "S16"  # a fingerprint of 32 hexadecimal digits


class Index:
    """The place of each fingerprint, a number that is not negative. May be searched while another thread adds."""

    def __init__(self) -> None:
        import numpy as np

        self._sorted = np.empty(0, KEY), np.empty(0, "int64")  # keys and places, replaced together

    def add(self, keys: np.ndarray, start: int) -> None:
        """Add keys, whose places count from `start`; a key that was there gets its new place."""
        import numpy as np

        order = np.argsort(keys, kind="stable")
        new = keys[order]
        known, places = self._sorted
        at = np.searchsorted(known, new, side="right")
        self._sorted = np.insert(known, at, new), np.insert(places, at, start + order)

    def find(self, keys: np.ndarray) -> np.ndarray:
        """The place of each key, int64; -1 for one that is not there."""
        import numpy as np

        known, places = self._sorted
        if not len(known):
            return np.full(len(keys), -1)
        last = np.searchsorted(known, keys, side="right") - 1  # of equal ones, the one that was added last
        return np.where(known[last] == keys, places[last], -1)


def keys_of(contents: Sequence[str]) -> np.ndarray:
    """The keys of fingerprints."""
    import numpy as np

    return np.frombuffer(bytes.fromhex("".join(contents)), KEY)
