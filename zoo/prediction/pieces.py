"""A text in words and what is between them, and the tokens that a backbone makes of each word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.data.texts import words_of
from zoo.data.words import words_in

if TYPE_CHECKING:
    import numpy as np

Texts = tuple[str, ...]  # one, or the two of a pair
Tokenize = Callable[[Sequence[Texts]], "list[np.ndarray]"]  # the ids of each example, without what fills up a batch
Span = tuple[int, int]  # the first token, and the one after the last

_BATCH = 64  # beginnings of a text that are tokenized at a time


@dataclass(frozen=True)
class Pieces:
    """A text, divided at the places where its words end.

    text   all of it
    spans  for each word its start and end, in letters; the words are in order, and what is between them is no evidence
    """

    text: str
    spans: tuple[Span, ...]

    @classmethod
    def of(cls, text: str, tagged: bool) -> Pieces:
        """Divide a text into words; with `tagged`, only at white space, as where each word has a tag."""
        spans, at = [], 0
        for word in words_of(text) if tagged else words_in(text):
            start = text.index(word, at)
            at = start + len(word)
            spans.append((start, at))
        return cls(text, tuple(spans))

    def grouped(self, groups: Sequence[Span]) -> Pieces:
        """With one word for each group of neighbouring words, given by its first and the one after its last."""
        return Pieces(self.text, tuple((self.spans[first][0], self.spans[end - 1][1]) for first, end in groups))

    def shared(self, shares: Sequence[float]) -> list[tuple[str, float]]:
        """All of the text in order, each word with its share and what is between words with 0."""
        made: list[tuple[str, float]] = []
        at = 0
        for (start, end), share in zip(self.spans, shares, strict=True):
            made += [(self.text[at:start], 0.0)] if start > at else []
            made.append((self.text[start:end], float(share)))
            at = end
        return made + ([(self.text[at:], 0.0)] if at < len(self.text) else [])

    def without(self, word: int, instead: str) -> str:
        """The text without one of its words."""
        start, end = self.spans[word]
        return f"{self.text[:start]}{instead}{self.text[end:]}"


def tokens_of_words(tokenize: Tokenize, pieces: Sequence[Pieces]) -> list[tuple[Pieces, list[Span]]] | None:
    """For each text of an example the tokens of its words, which may be grouped for that.

    The beginnings of the text are tokenized, and where the tokens of one are the beginning of all tokens, a word ends.
    A word whose end is not found so is put together with the next one. A word without tokens, because it is beyond
    what the backbone reads or has none, has an empty span. None if half of the ends are not found.
    """
    texts = tuple(one.text for one in pieces)
    (full,) = tokenize([texts])
    made: list[tuple[Pieces, list[Span]]] = []
    end = lead_before = 0  # where the text before ends in `full`, and where it begins
    for part, one in enumerate(pieces):
        alone = _alone(tokenize, texts, part, one)
        if alone is None:
            return None
        offset = end - lead_before  # what stands here in `full` if the text before is there, too
        last = len(full) - alone.after - offset if part else _common(full, alone.ids)
        if (full[alone.lead + offset : last + offset] != alone.ids[alone.lead : last]).any():
            return None
        groups, spans, first, start = list[Span](), list[Span](), 0, alone.lead
        for word, bound in enumerate(alone.ends):
            if bound >= start:
                groups.append((first, word + 1))
                spans.append((min(start, last) + offset, min(bound, last) + offset))
                first, start = word + 1, bound
        if 2 * len(groups) < len(one.spans) or first != len(one.spans):
            return None
        made.append((one.grouped(groups), spans))
        end, lead_before = spans[-1][1], alone.lead
    return made


@dataclass(frozen=True)
class _Alone:
    """One of the texts of an example, while the others are empty.

    ids    all tokens
    lead   the place of its first token
    after  the number of tokens behind its last one
    ends   for each word the place behind its last token; -1: unknown
    """

    ids: np.ndarray
    lead: int
    after: int
    ends: list[int]


def _alone(tokenize: Tokenize, texts: Texts, part: int, pieces: Pieces) -> _Alone | None:
    """None if it cannot be told which tokens belong to the text."""

    import numpy as np

    def alone(text: str) -> Texts:
        return tuple(text if number == part else "" for number in range(len(texts)))

    whole, empty = tokenize([alone(texts[part]), alone("")])
    lead = _common(empty, whole)
    found: list[tuple[int, int]] = []  # for each beginning: the tokens that are those of the whole, and the others
    for start in range(0, len(pieces.spans), _BATCH):
        beginnings = [alone(pieces.text[:end]) for _, end in pieces.spans[start : start + _BATCH]]
        found += [(same := _common(row, whole), len(row) - same) for row in tokenize(beginnings)]
        if found[-1] == (len(whole), 0):
            break
    others = Counter(rest for _, rest in found if rest).most_common(1)
    after = others[0][0] if others else len(empty) - lead
    ends = [same if rest == after else -1 if rest else len(whole) - after for same, rest in found]
    ends += [len(whole) - after] * (len(pieces.spans) - len(ends))
    unseen = bool(ends) and ends[-1] == lead and not np.array_equal(whole, empty)  # its tokens are not in order
    return _Alone(whole, lead, after, ends) if ends and ends[-1] >= lead and not unseen else None


def _common(one: np.ndarray, other: np.ndarray) -> int:
    """How many ids at the beginning are the same."""
    size = min(len(one), len(other))
    different = (one[:size] != other[:size]).nonzero()[0]
    return int(different[0]) if len(different) else size
