"""Why a model answered as it did: the evidence for one answer, in words, as JSON and as a part of a web page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

GRAD_CAM, OCCLUSION, INTEGRATED = "Grad-CAM", "occlusion", "integrated gradients"

_NAMED = 5  # words in a line
_LEAST = 0.1  # of the largest share: a word with less is not named
_SPREAD = 0.2  # of the heat; if no ninth of the picture has as much, it is spread
_ROWS, _COLUMNS = ("top", "middle", "bottom"), ("left", "", "right")


@dataclass(frozen=True)
class Explanation:
    """Why a model gave one answer.

    input    the name of the input: its path, its text, or its row in a table
    answer   the answer in words, as `zoo predict` prints it
    about    what is explained: the label, the column or the entity
    method   how: "Grad-CAM", "integrated gradients" or "occlusion"
    heat     of a picture: how much each place speaks for `about`, float32 (height, width), 0 to 1; it covers all of
             the picture
    picture  the picture itself, uint8 RGB (height, width, 3), at most 640 pixels on the longer side
    grid     of a picture: the heat as it was computed, float32 (rows, columns), 0 to 1
    texts    of a text: its pieces in order, each with its share of the evidence, -1 to 1; what is above 0 speaks for
             `about`, and what is below against it. Without their signs, the shares add up to 1, unless all are 0. The
             pieces joined are the text; of a pair, there is one list for each text
    note     what else has to be known to read it, in sentences; often ""
    error    why there is no explanation; then all fields but `input` are empty
    """

    input: str
    answer: str = ""
    about: str = ""
    method: str = ""
    heat: np.ndarray | None = None
    picture: np.ndarray | None = None
    grid: np.ndarray | None = None
    texts: Sequence[Sequence[tuple[str, float]]] = ()
    note: str = ""
    error: str = ""

    def in_words(self) -> str:
        """The evidence in one line: for a picture where it is, for a text its strongest words."""
        if self.error:
            return f"left out: {self.error}"
        return _where(self.heat) if self.heat is not None else _strongest(self.texts)

    def as_json(self) -> dict[str, Any]:
        """JSON values: `grid` as rows of numbers, and `texts` as lists of {"piece": text, "share": number}."""
        if self.error:
            return {"input": self.input, "error": self.error}
        said = {"input": self.input, "answer": self.answer, "about": self.about, "method": self.method}
        said |= {"note": self.note} if self.note else {}
        if self.grid is not None:
            grid = [[round(float(value), 4) for value in row] for row in self.grid]
            return {**said, "in_words": self.in_words(), "grid": grid}
        texts = [[{"piece": piece, "share": round(share, 6)} for piece, share in text] for text in self.texts]
        return {**said, "in_words": self.in_words(), "texts": texts}

    def as_html(self) -> str:
        """A fragment of a web page that needs nothing else: pictures are in it, and all text of others is escaped."""
        from zoo.prediction.drawing import fragment

        return fragment(self)


def _where(heat: np.ndarray) -> str:
    """Where the heat of a picture is, as one of its ninths."""
    import numpy as np

    total = float(heat.sum())
    if not total:
        return "nothing in the picture speaks for it"
    rows = np.array_split(heat, 3, axis=0)
    shares = np.array([[part.sum() / total for part in np.array_split(row, 3, axis=1)] for row in rows])
    row, column = np.unravel_index(shares.argmax(), shares.shape)
    if shares[row, column] < _SPREAD:
        return "spread over the picture"
    name = f"{_ROWS[row]} {_COLUMNS[column]}".strip()
    return f"mostly {'in the middle' if name == 'middle' else name} ({shares[row, column]:.0%} of the heat)"


def _strongest(texts: Sequence[Sequence[tuple[str, float]]]) -> str:
    """The words with the largest shares, for and against."""
    pieces = [(piece.strip(), share) for text in texts for piece, share in text if share]
    ranked = sorted(pieces, key=lambda one: -abs(one[1]))[:_NAMED]
    ranked = [one for one in ranked if abs(one[1]) >= _LEAST * abs(ranked[0][1])]
    sides = []
    for side, sign in (("for it", 1), ("against it", -1)):
        named = [f"{_short(piece)} {signed(share)}" for piece, share in ranked if share * sign > 0]
        sides += [f"{side}: {', '.join(named)}"] if named else []
    return "; ".join(sides) or "no word speaks for it or against it"


def signed(share: float) -> str:
    """A share with its sign and two decimals, or one digit where that would be 0."""
    return f"{share:+.2f}" if abs(share) >= 0.005 else f"{share:+.1g}"


def _short(piece: str, most: int = 40) -> str:
    piece = " ".join(piece.split())
    return piece if len(piece) <= most else f"{piece[: most // 2]}…{piece[-most // 2 :]}"
