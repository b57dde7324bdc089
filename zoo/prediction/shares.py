"""The share of each word of a text in the evidence: by integrated gradients, or by leaving words out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.compose.explained import Measure
from zoo.data.reader import Raw
from zoo.prediction.explanation import INTEGRATED, OCCLUSION
from zoo.prediction.integrated import BOUND, Integrated
from zoo.prediction.pieces import Pieces, Span, Texts, tokens_of_words
from zoo.prediction.predictor import Predictor

if TYPE_CHECKING:
    import numpy as np

_MOST = 128  # groups of words that are left out one by one
_GAP = "."  # stands for a word that is left out where something has to


@dataclass(frozen=True)
class Shares:
    """The texts in pieces, each with its share; how they were found, and what else is to be known."""

    texts: list[list[tuple[str, float]]]
    method: str
    note: str


class WordShares:
    """Finds the shares of words. Thread-safe.

    tagged  whether each word has a tag: words are separated by white space only, and none of them may be missing
    """

    def __init__(self, predictor: Predictor, integrated: Integrated, tagged: bool) -> None:
        self._predictor, self._integrated, self._tagged = predictor, integrated, tagged

    def __call__(self, raws: Sequence[Raw], measures: Sequence[Measure]) -> list[Shares]:
        """The shares of the words of texts or pairs.

        measures  what is explained about each
        """
        import numpy as np

        preprocessing = self._predictor.preprocessing
        texts: list[Texts] = [preprocessing.read(raw) for raw in raws]
        cut = set(self._predictor.cut(raws))
        made: dict[int, Shares] = {}
        prepared = preprocessing(texts)
        ids_name = self._integrated.ids_in(prepared, measures) if isinstance(prepared, dict) else None
        if ids_name is not None:
            known = {row: found for row, one in enumerate(texts) if (found := self._tokens(one, ids_name)) is not None}
            of_words = np.zeros(np.asarray(prepared[ids_name]).shape, bool)
            for row, found in known.items():
                for _, spans in found:
                    for start, end in spans:
                        of_words[row, start:end] = True
            result = self._integrated(prepared, measures, of_words)
            for row, found in known.items():
                made[row] = _of_tokens(found, result.tokens[row], float(result.errors[row]), row in cut)
        for row, one in enumerate(texts):
            if row not in made:
                made[row] = self._occluded(one, measures[row], row in cut)
        return [made[row] for row in range(len(texts))]

    def _tokens(self, texts: Texts, ids_name: str) -> list[tuple[Pieces, list[Span]]] | None:
        """The tokens of each word, as in `tokens_of_words`."""
        import numpy as np

        def tokenize(examples: Sequence[Texts]) -> list[np.ndarray]:
            prepared: Any = self._predictor.preprocessing(examples)
            used = next((prepared[name] for name in prepared if "mask" in name), prepared[ids_name]) != 0
            counts = np.where(used.any(1), used.shape[1] - used[:, ::-1].argmax(1), 0)
            return [row[:count] for row, count in zip(prepared[ids_name], counts, strict=True)]

        return tokens_of_words(tokenize, [Pieces.of(text, self._tagged) for text in texts])

    def _occluded(self, texts: Texts, measure: Measure, cut: bool) -> Shares:
        """How much less speaks for the answer without each word, or without each of several neighbouring words."""

        pieces = [Pieces.of(text, self._tagged) for text in texts]
        read = [len(one.spans) for one in pieces]
        if cut:
            read = [self._words_read(texts, part, one) for part, one in enumerate(pieces)]
        size = -(-max(sum(read), 1) // _MOST)
        grouped = []
        for one, count in zip(pieces, read, strict=True):
            groups = [(first, min(first + size, count)) for first in range(0, count, size)]
            grouped.append(one.grouped(groups))
        changed = [
            _replaced(texts, part, self._gap(texts[part], one, word))
            for part, one in enumerate(grouped)
            for word in range(len(one.spans))
        ]
        values = self._measured([texts, *changed], measure)
        rows = iter((values[0] - values[1:]).tolist())
        evidence = [[next(rows) for _ in one.spans] for one in grouped]
        total = sum(abs(value) for part in evidence for value in part)
        shared = [
            one.shared([value / total if total else 0.0 for value in part])
            for one, part in zip(grouped, evidence, strict=True)
        ]
        notes = [f"Each piece is {size} words, which were left out together."] if size > 1 else []
        return Shares(shared, OCCLUSION, " ".join([*notes, *_notes(cut, total)]))

    def _gap(self, text: str, pieces: Pieces, word: int) -> str:
        """The text without a word; with as many words as before where each has a tag, and never blank."""
        start, end = pieces.spans[word]
        words = len(Pieces.of(text[start:end], True).spans) if self._tagged else 0
        left = pieces.without(word, " ".join([_GAP] * words))
        return left if left.strip() else _GAP

    def _words_read(self, texts: Texts, part: int, pieces: Pieces) -> int:
        """The words that the backbone reads of a text: with these alone, what is prepared is the same as with all."""
        import numpy as np

        def same(count: int) -> bool:
            end = pieces.spans[count - 1][1] if count else 0
            one = self._predictor.preprocessing([_replaced(texts, part, pieces.text[:end])])
            return all(np.array_equal(a, b) for a, b in zip(_arrays(one), whole, strict=True))

        whole = _arrays(self._predictor.preprocessing([texts]))
        low, high = 0, len(pieces.spans)
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if same(middle) else (middle + 1, high)
        return low

    def _measured(self, examples: Sequence[Texts], measure: Measure) -> np.ndarray:
        """What is explained, of each of several examples: float64 (examples,)."""
        return measured(self._predictor, [one if len(one) > 1 else one[0] for one in examples], measure)


def measured(predictor: Predictor, raws: Sequence[Raw], measure: Measure) -> np.ndarray:
    """What is explained, of each of several examples: float64 (examples,)."""
    import numpy as np
    import tensorflow as tf

    outputs = tf.nest.map_structure(tf.constant, predictor.exact(raws))
    return np.asarray(measure(outputs), "float64")


def _of_tokens(found: Sequence[tuple[Pieces, list[Span]]], tokens: np.ndarray, error: float, cut: bool) -> Shares:
    """The shares of words, from the evidence of their tokens."""
    evidence = [[float(tokens[start:end].sum()) for start, end in spans] for _, spans in found]
    total = sum(abs(value) for part in evidence for value in part)
    texts = [
        pieces.shared([value / total if total else 0.0 for value in part])
        for (pieces, _), part in zip(found, evidence, strict=True)
    ]
    notes = [f"The shares are inexact: they miss {error:.0%} of the evidence."] if error > BOUND else []
    return Shares(texts, INTEGRATED, " ".join([*notes, *_notes(cut, total)]))


def _notes(cut: bool, total: float) -> list[str]:
    notes = ["The text is longer than the backbone reads; the words at its end count nothing."] if cut else []
    return notes if total else [*notes, "No word of it makes a difference."]


def _replaced(texts: Texts, part: int, text: str) -> Texts:
    return tuple(text if number == part else one for number, one in enumerate(texts))


def _arrays(prepared: Any) -> list[Any]:
    return list(prepared.values()) if isinstance(prepared, dict) else [prepared]
