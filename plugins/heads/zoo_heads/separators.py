"""What separates the labels in a cell: found out where the labels show it, asked for where they leave a doubt."""

import re
import shlex
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import NoReturn

import zoo

USUAL = "|"
_NAMES = {
    "tab": "\t",
    "\\t": "\t",
    "newline": "\n",
    "\\n": "\n",
    "space": " ",
    "comma": ",",
    "semicolon": ";",
    "slash": "/",
    "pipe": "|",
}
_SEPARATORS = ("|", ",", ";", "/", "\t", "\n", "、", "，", "；")
_ALSO_IN_LABELS = ("&", "+", "-", "_", ":", ".", "~", "#", "·", "•", " and ", " ")
_HUNDREDS = 200
_BARE_LIST = re.compile(r"\[[^\[\]]*[,;|\s][^\[\]]*\]")
_PREFIX = re.compile(r"__\w+?__")
_BRACKETS = ("()", "[]", "{}")


def named(option: str) -> str | None:
    """The separator that `--set separator=...` names: a text, or a word for one; None for "none".

    >>> named(","), named("tab"), named(" "), named("none")
    (',', '\\t', ' ', None)
    """
    return None if option == "none" else _NAMES.get(option, option)


def split(cell: str, separator: str | None) -> list[str]:
    """The labels in a cell, without the blanks around them; the usual separator alone means no label."""
    if cell.strip() == USUAL:
        return []
    parts = [cell] if separator is None else cell.split(separator)
    return [part.strip() for part in parts if part.strip()]


def find(cells: Iterable[str], labels: Iterable[str] = ()) -> str:
    """The separator in these cells; the usual one if they look like single labels.

    It is certain where its parts occur alone or in other combinations, so that there are no more labels than cells.
    `labels` are known besides, from cells that are lists. Raises `BadData` with a question in doubt.
    """
    texts = sorted({cell.strip() for cell in cells} - {USUAL, ""})
    known = set(labels) - set(texts)
    present = [separator for separator in _SEPARATORS if _with(texts, separator)]
    sure = [separator for separator in present if separator == USUAL or _recurs(texts, known, separator)]
    if len(sure) > 1:
        _ask_which(texts, sure[:2])
    if sure:
        found = sorted({label for text in texts for label in split(text, sure[0])} | known)
        for other in _SEPARATORS:
            if other != sure[0] and _some_recur(found, other):
                _ask_which(texts, (sure[0], other))
        return sure[0]
    if prefix := _of_fasttext(texts):
        raise zoo.BadData(
            f"The labels begin with {prefix!r}, as for fastText, and spaces separate them (as in "
            f"{_with(texts, ' ')!r}). If so: {_setting(' ')}; the prefix stays part of their names"
        )
    perhaps = present or [sign for sign in _ALSO_IN_LABELS if _with(texts, sign) and _recurs(texts, known, sign)]
    if perhaps:
        example = _with(texts, perhaps[0])
        raise zoo.BadData(
            f"The label {example!r} may be one label, or several that are separated by {shown(perhaps[0])}. "
            f"For one: --set separator=none; for several: {_setting(perhaps[0])}"
        )
    if len(texts) >= _HUNDREDS:
        raise zoo.BadData(
            f"There are {len(texts)} different labels, such as {texts[0]!r} and {texts[-1]!r}, and nothing that is "
            "known to separate labels. Name the separator, for example --set separator=comma. If each is one label: "
            "--set separator=none"
        )
    return USUAL


def _of_fasttext(texts: Sequence[str]) -> str:
    """The prefix that each label has, where several are separated by spaces as in "__label__a __label__b"; or ""."""
    prefixes = {match[0] if (match := _PREFIX.match(label)) else "" for text in texts for label in text.split()}
    return prefixes.pop() if len(prefixes) == 1 and _with(texts, " ") else ""


def certain(cells: Iterable[str]) -> str:
    """The separator that the parts of these cells show by occurring again; "" if there is none, or a doubt."""
    texts = sorted({cell.strip() for cell in cells})
    found = [separator for separator in _SEPARATORS if _with(texts, separator) and _recurs(texts, (), separator)]
    return found[0] if len(found) == 1 else ""


def refuse_halves(labels: Iterable[str], separator: str) -> None:
    """Raise `BadData` for a label in quotes, or with one half of a pair of brackets or quotes."""
    for label in labels:
        halves = any(label.count(opening) != label.count(closing) for opening, closing in _BRACKETS)
        if halves or label.count('"') % 2 or label[:1] == label[-1:] in ("'", '"'):
            raise zoo.BadData(
                f"Split at {shown(separator)}, there is the label {label!r}. Write labels without brackets and quotes, "
                "or say what is right: --set separator=none if each cell is one label, another separator, or "
                f"{_setting(separator)}"
            )


def refuse_unused(cells: Sequence[str], separator: str) -> None:
    """Raise `BadData` if a separator that was set is nowhere, but another one certainly is."""
    if not _with(cells, separator) and (other := certain(cells)):
        raise zoo.BadData(
            f"No label has {shown(separator)} in it, but {_with(cells, other)!r} seems to be several, separated by "
            f"{shown(other)}. If each is one label: --set separator=none; if they are separated so: {_setting(other)}"
        )


def refuse_bare_lists(cells: Iterable[str]) -> None:
    """Raise `BadData` for a list whose parts are not in quotes, as in "[red, round]"."""
    for cell in cells:
        if _BARE_LIST.fullmatch(cell.strip()):
            raise zoo.BadData(
                f"{cell!r} looks like a list, but its labels are not in quotes. Write them as in ['red', 'round'], or "
                "without brackets. If it is one label: --set separator=none"
            )


def shown(separator: str) -> str:
    """A separator as a message names it."""
    return {"\t": "tabs", "\n": "line breaks", " ": "spaces"}.get(separator, repr(separator))


def _setting(separator: str) -> str:
    name = {"\t": "tab", "\n": "newline", " ": "space"}.get(separator, separator)
    return f"--set {shlex.quote(f'separator={name}')}"


def _ask_which(texts: Sequence[str], separators: Sequence[str]) -> NoReturn:
    one, other = (f"{shown(s)} (as in {_with(texts, s)!r})" for s in separators)
    raise zoo.BadData(
        f"The labels may be separated by {one} or by {other}. "
        f"Say by which: {_setting(separators[0])} or {_setting(separators[1])}"
    )


def _with(texts: Sequence[str], separator: str) -> str:
    """The first text with this separator inside, or ""."""
    return next((text for text in texts if separator in text), "")


def _recurs(texts: Collection[str], known: Collection[str], separator: str) -> bool:
    """Whether splitting gives no more labels than there were texts, and most of these are in several texts."""
    counts = Counter(label for text in texts for label in set(split(text, separator)))
    counts.update(known)
    return len(counts) <= len(texts) + len(known) and 2 * sum(n > 1 for n in counts.values()) >= len(counts)


def _some_recur(labels: Sequence[str], separator: str) -> bool:
    """Whether a part of a label is another label, or a part of another one."""
    counts = Counter(part for label in labels for part in set(split(label, separator)))
    parts = {part for label in labels if separator in label for part in split(label, separator)}
    return any(counts[part] > 1 for part in parts)
