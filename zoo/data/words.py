"""Words of an ordinary text, as Unicode separates them (UAX #29), in any language."""

from __future__ import annotations

import regex

_LETTER = regex.compile(r"\X")  # what a reader sees as one letter, with all of its marks
_BOUNDARY = regex.compile(r"(?V1w)\b")  # between words, spaces and punctuation marks, as UAX #29 defines them
_WORD = regex.compile(r"(?V1)[\p{WB=ALetter}\p{WB=Hebrew_Letter}\p{WB=Numeric}\p{WB=ExtendNumLet}\p{No}]")
_UNSEEN = regex.compile(r"[\p{Cc}\p{Cf}]+")
_INSIDE = ("-", "'", "’", ".")  # they belong to a word between two parts of it: e-mail, rock'n'roll, a.5
_ALONE = (":", ";")  # UAX #29 leaves them inside words and numbers, for Swedish and Persian


def words_in(text: str) -> list[str]:
    """The words and punctuation marks of a text, in order. Nothing but white space is lost.

    Hyphens, points and apostrophes inside a word, and raised numbers, belong to it. There is no dictionary: Chinese,
    Japanese and Thai are separated into letters. White space is all that Python and Unicode call so.

    >>> words_in("Isn't e-mail 3.5, or 1,000?"), words_in("हिन्दी में 我们")
    (["Isn't", 'e-mail', '3.5', ',', 'or', '1,000', '?'], ['हिन्दी', 'में', '我', '们'])
    """
    return [word for run in text.split() for word in _words_of_run(run)]


def _words_of_run(run: str) -> list[str]:
    if run.isascii() and run.isalpha():
        return [run]
    pieces = _pieces(run)
    of_word = [_WORD.search(piece) is not None for piece in pieces]
    words: list[str] = []
    inside = False  # whether the piece before was put into a word, which goes on
    for at, piece in enumerate(pieces):
        follows = at > 0 and of_word[at - 1]
        opens = follows and piece in _INSIDE and at + 1 < len(pieces) and of_word[at + 1]
        if inside or opens or (follows and of_word[at]) or (words and _UNSEEN.fullmatch(piece)):
            words[-1] += piece
        else:
            words.append(piece)
        inside = opens
    return words


def _pieces(run: str) -> list[str]:
    """The run, divided where both a letter ends and UAX #29 has a boundary, and around colons and semicolons."""
    letters = list(_LETTER.finditer(run))
    boundaries = {match.start() for match in _BOUNDARY.finditer(run)}
    for letter in letters:
        if letter.group() in _ALONE:
            boundaries |= {letter.start(), letter.end()}
    starts = [letter.start() for letter in letters if letter.start() in boundaries or letter.start() == 0]
    return [run[start:end] for start, end in zip(starts, [*starts[1:], len(run)], strict=True)]
