"""Explanations as a web page shows them: heat over pictures, and shaded words. Everything from others is escaped.

No colour says anything alone: heat has an outline, and words for and against are underlined in different ways.
"""

from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoo.prediction.explanation import Explanation, signed

if TYPE_CHECKING:
    import numpy as np

# Cividis (Nuñez, Anderton and Renslow 2018), in equal steps: perceptually uniform, and nearly the same to people who do
# not tell red from green.
_CIVIDIS = "00224e 123570 3b496c 575d6d 707173 8a8678 a59c74 c3b369 e1cc55 fee838"
_OUTLINE = 0.5  # the heat that is inside of the line
_CLEAR, _DENSE = 0.25, 0.75  # opacity of no heat and of the highest
_FOR, _AGAINST = "0, 114, 178", "213, 94, 0"  # blue and vermilion of Okabe and Ito
_FAINT = 0.05  # of the largest share: a word with less is not marked
_STRONGEST = 0.55  # opacity behind the word with the largest share
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")  # what no web page may contain
_TURNS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # the direction of what comes after


def fragment(explanation: Explanation) -> str:
    """One explanation: the input, the answer, the evidence, and how it was found."""
    if explanation.error:
        return f"<p><b>{escaped(explanation.input)}</b> could not be explained: {escaped(explanation.error)}</p>"
    head = f"<h2>{escaped(explanation.input)}</h2>" if explanation.heat is not None else ""
    return f"{head}<p>Answer: <b>{escaped(explanation.answer)}</b></p>{evidence(explanation)}"


def evidence(explanation: Explanation) -> str:
    """The evidence alone, and how it was found."""
    if explanation.heat is not None and explanation.picture is not None:
        shown = _picture(explanation.picture, explanation.heat, explanation.in_words())
    else:
        shown = "".join(_text(text, explanation.texts) for text in explanation.texts) + _KEY
    facts = [f"Why {explanation.about}? {_sentence(explanation.in_words())}", f"Method: {explanation.method}."]
    facts += [explanation.note] if explanation.note else []
    return f"{shown}<p>{escaped(' '.join(facts))}</p>"


def overlay(picture: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """The picture in grey under its heat, uint8 (height, width, 3), with a line around what has at least half of it.

    picture  uint8 RGB (height, width, 3)
    heat     float32 (height, width), 0 to 1
    """
    import numpy as np

    steps = np.array([[int(one[at : at + 2], 16) for at in (0, 2, 4)] for one in _CIVIDIS.split()], "float32")
    places = np.linspace(0, 1, len(steps))
    colours = np.stack([np.interp(heat, places, channel) for channel in steps.T], -1)
    grey = (picture.astype("float32") @ np.array([0.299, 0.587, 0.114], "float32"))[..., np.newaxis]
    opacity = (_CLEAR + (_DENSE - _CLEAR) * heat)[..., np.newaxis]
    drawn = grey * (1 - opacity) + colours * opacity
    inside = np.pad(heat >= _OUTLINE, 1, mode="edge")
    middle = inside[1:-1, 1:-1]
    neighbours = inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
    drawn[middle & ~neighbours] = 255
    pixels: np.ndarray = drawn.round().clip(0, 255).astype("uint8")
    return pixels


def _picture(picture: np.ndarray, heat: np.ndarray, words: str) -> str:
    """The picture as it is, and beside it with its heat."""
    shown = [("the picture", picture), (f"its heat: {words}", overlay(picture, heat))]
    style = "max-width: 48%; height: auto; margin: 0 1% 0 0"
    return "".join(f'<img src="{_webp(one)}" alt="{escaped(name)}" style="{style}">' for name, one in shown)


def _webp(pixels: np.ndarray) -> str:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "WEBP", quality=85)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"


def _text(text: Sequence[tuple[str, float]], texts: Sequence[Sequence[tuple[str, float]]]) -> str:
    """A text with its words shaded by their shares, beside the largest of all texts of the example."""
    largest = max((abs(share) for pieces in texts for _, share in pieces), default=0.0)
    words = "".join(_word(piece, share, share / largest if largest else 0.0) for piece, share in text)
    return f'<p dir="auto" style="white-space: pre-wrap; overflow-wrap: anywhere; line-height: 2">{words}</p>'


def _word(piece: str, share: float, strength: float) -> str:
    if abs(strength) < _FAINT:
        return escaped(piece)
    colour, line, side = (_FOR, "solid", "for it") if share > 0 else (_AGAINST, "dashed", "against it")
    style = (
        f"background: rgba({colour}, {abs(strength) * _STRONGEST:.2f}); border-bottom: 3px {line} rgb({colour}); "
        "padding: 0.1em 0"
    )
    return f'<span style="{style}" title="{signed(share)}, {side}">{escaped(piece)}</span>'


_KEY = (
    f'<p style="font-size: 0.85em"><span style="border-bottom: 3px solid rgb({_FOR})">for it</span> '
    f'<span style="border-bottom: 3px dashed rgb({_AGAINST})">against it</span></p>'
)


def escaped(text: str) -> str:
    """A text of anybody for a web page: it is no mark-up, and turns the direction of nothing that comes after it."""
    seen = _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text)
    return html.escape(_TURNS.sub(lambda found: f"\\u{ord(found[0]):04x}", seen))


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
