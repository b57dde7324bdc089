"""The most tokens that a backbone reads, and the texts that are longer, whose rest is not used."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from zoo.data.batches import Preprocessing
from zoo.data.reader import Raw
from zoo.data.spool import held
from zoo.errors import BadData
from zoo.progress import progress, say

if TYPE_CHECKING:
    import numpy as np

Prepared = dict[str, "np.ndarray"]  # arrays that have a number for each token, by name

_BATCH = 64
_SPECIAL = 8  # tokens that may stand around and between texts
_LETTERS = 6  # more than a token has on average: the rest of a text is looked at only where that was not enough
_MOST = 1 << 16  # tokens; no backbone is asked whether it reads more


class Limit:
    """Finds the texts that a preprocessing cuts off. Thread-safe.

    It needs only what is prepared for the network, as of every backbone that reads texts: integers (batch, tokens),
    with a mask among them, or zeros after the last token. Texts that are too short to be cut off are not prepared.
    """

    def __init__(self, preprocessing: Preprocessing) -> None:
        self._preprocessing = preprocessing
        self._inputs = len(preprocessing.model.inputs)
        self._tokens: int | None = None
        self._more_than = 0

    def say_what_is_cut(self, raws: Sequence[Raw], backbone: str) -> None:
        """Say how many of these texts are longer than `backbone` reads, if there are any."""
        if count := len(self.cut(raws)):
            texts = f"{len(raws)} {'pairs of ' if self._inputs > 1 else ''}texts"
            are, them = ("is", "it") if count == 1 else ("are", "them")
            say(
                f"{count} of {texts} {are} longer than the {self._tokens} tokens that {backbone} reads; "
                f"the rest of {them} is not used."
            )

    def cut(self, raws: Sequence[Raw]) -> list[int]:
        """The positions of the texts, or pairs, whose end is not used."""
        reader = self._preprocessing.reader
        if reader.dtype != "string" or not reader.in_memory or not raws:
            return []
        sizes = [_most_tokens(self._text_of(raw)) for raw in raws]
        limit = self._limit(min(max(sizes), _MOST))
        if limit is None:
            return []
        long = [row for row, size in enumerate(sizes) if size >= limit]
        batches = [long[start : start + _BATCH] for start in range(0, len(long), _BATCH)]
        found: list[int] = []
        with (
            ThreadPoolExecutor(os.cpu_count()) as pool,
            progress("Looking for texts that are too long", len(long), "texts") as advance,
        ):
            for rows, cut in zip(batches, pool.map(lambda rows: self._cut(rows, raws, limit), batches), strict=True):
                found += cut
                advance(len(rows))
        return found

    def _text_of(self, raw: Raw) -> Raw:
        """A text as it is, or read from a file or bytes; "" if it cannot be read."""
        known = held(raw)
        if isinstance(known, str) or (isinstance(known, tuple) and all(isinstance(part, str) for part in known)):
            return known
        try:
            return self._preprocessing.reader.read(known)
        except BadData:
            return ""

    def _limit(self, tokens: int) -> int | None:
        """The most tokens that are read; None if they are more than `tokens`, or cannot be known."""
        if self._tokens is None and tokens > self._more_than:
            made = self._prepared([("a " * tokens,) * self._inputs])
            count = int(_counts(made)[0]) if made else tokens
            if count < tokens:
                self._tokens = count
            else:
                self._more_than = tokens
        return self._tokens

    def _cut(self, rows: Sequence[int], raws: Sequence[Raw], limit: int) -> list[int]:
        read: dict[int, tuple[str, ...]] = {}
        for row in rows:
            try:
                read[row] = tuple(text.rstrip() for text in self._preprocessing.read(raws[row]))
            except BadData:  # it is left out where it is used
                continue
        begun = {row: tuple(text[: _LETTERS * limit] for text in texts) for row, texts in read.items()}
        unused = set(self._full({row: texts for row, texts in begun.items() if texts != read[row]}, limit)[1])
        rest = {row: texts for row, texts in read.items() if row not in unused}
        made, full = self._full(rest, limit)
        for part in range(self._inputs if full else 0):
            less = self._prepared([_shorter(rest[row], part) for row in full])
            unused |= {row for n, (row, at) in enumerate(full.items()) if _same(made, at, less, n, limit)}
        return sorted(unused)

    def _full(self, read: dict[int, tuple[str, ...]], limit: int) -> tuple[Prepared, dict[int, int]]:
        """What is prepared from texts, and the place in it of those that have `limit` tokens."""
        made = self._prepared([*read.values()]) if read else {}
        if not made:
            return made, {}
        counts = zip(read, _counts(made), strict=True)
        return made, {row: at for at, (row, count) in enumerate(counts) if count >= limit}

    def _prepared(self, values: Sequence[tuple[str, ...]]) -> Prepared:
        import numpy as np

        made: Any = self._preprocessing(values)
        named = made if isinstance(made, dict) else dict(enumerate(made if isinstance(made, (list, tuple)) else [made]))
        arrays = {str(name): np.asarray(array) for name, array in named.items() if name != "words"}
        return {name: array for name, array in arrays.items() if array.ndim == 2 and array.dtype.kind in "iub"}


def _shorter(texts: tuple[str, ...], part: int) -> tuple[str, ...]:
    """The texts, one of them without its last letter: if that makes no difference, its end is not used."""
    return tuple(text[:-1] if number == part else text for number, text in enumerate(texts))


def _most_tokens(raw: Raw) -> int:
    """More tokens than any tokenizer makes of a text or pair: its bytes, once its ligatures are spelt out."""
    texts = raw if isinstance(raw, tuple) else (raw,)
    spelt = (text if text.isascii() else max(text, unicodedata.normalize("NFKC", text), key=len) for text in texts)
    return sum(len(text.encode("utf-8", "replace")) for text in spelt) + _SPECIAL


def _counts(made: Prepared) -> np.ndarray:
    """The tokens of each text: up to the last number of its mask, or of any array, that is not zero."""
    import numpy as np

    array = next((array for name, array in made.items() if "mask" in name), next(iter(made.values())))
    used = array != 0
    return np.where(used.any(1), array.shape[1] - used[:, ::-1].argmax(1), 0)


def _same(one: Prepared, row: int, other: Prepared, of_other: int, width: int) -> bool:
    """Whether a row of each holds the same tokens."""
    return all(array[row, :width].tolist() == other[name][of_other, :width].tolist() for name, array in one.items())
