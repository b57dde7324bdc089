"""The text of a `registry.toml` with some entries replaced or added; everything else in it stays as it is."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from typing import Any

import msgspec
import tomli_w

from zoo.errors import BadRegistry
from zoo.registry.format import Entry, parse

_HEADER = re.compile(r"[ \t]*\[\[[ \t]*(plugins|\"plugins\"|'plugins')[ \t]*\]\][ \t]*(#.*)?\r?\n?")


def replaced(content: str, entries: Sequence[Entry], origin: str) -> str:
    """The text of a registry with these entries, each in the place of one with its name or at the end.

    Comments between entries stay, and so does the line at which an entry starts. Raises `BadRegistry` if an entry is
    wrong, or if another one would change.
    """
    head, *blocks = _blocks(content)
    new = {entry.name: _toml(entry) for entry in entries}
    for number, block in enumerate(blocks):
        name = _name_in(block)
        if name in new:
            body = "".join(_without_trailing_comments(block))
            blocks[number] = block.partition("\n")[0] + "\n" + new.pop(name) + block[len(body) :]
    text = "".join([head, *blocks])
    for block in new.values():
        text = f"{text.rstrip()}\n\n[[plugins]]\n{block}"
    try:
        _, problems = parse(text.encode(), origin)
        changed = _others(content, entries) != _others(text, entries)
    except (BadRegistry, tomllib.TOMLDecodeError):
        problems, changed = [], True
    if changed:
        raise BadRegistry(
            f"{origin} cannot be changed without losing other entries: each has to start with a line [[plugins]]. "
            "Write this entry by hand. The file is unchanged."
        )
    if problems:
        raise BadRegistry(f"{origin}: {problems[0]}.")
    return text


def _blocks(content: str) -> list[str]:
    """What is above the first entry, and each entry with all that follows it."""
    blocks: list[list[str]] = [[]]
    for line in _lines(content):
        if _HEADER.fullmatch(line):
            blocks.append([])
        blocks[-1].append(line)
    return ["".join(lines) for lines in blocks]


def _lines(text: str) -> list[str]:
    return re.split(r"(?<=\n)(?=.)", text, flags=re.DOTALL)


def _without_trailing_comments(block: str) -> list[str]:
    lines = _lines(block)
    while len(lines) > 1 and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
        lines.pop()
    return lines


def _name_in(block: str) -> str | None:
    """The name in the text of one entry."""
    try:
        name = tomllib.loads(block)["plugins"][0].get("name")
    except tomllib.TOMLDecodeError:
        return None
    return name if isinstance(name, str) else None


def _others(content: str, entries: Sequence[Entry]) -> list[Any]:
    """The parsed entries other than these."""
    names = {entry.name for entry in entries}
    plugins = tomllib.loads(content).get("plugins", [])
    return [one for one in plugins if not isinstance(one, dict) or one.get("name") not in names]


def _toml(entry: Entry) -> str:
    """An entry as TOML, with a line for each artefact, backbone and head."""
    lines = []
    for key, value in msgspec.to_builtins(entry).items():
        if isinstance(value, tuple):
            rows = "".join(f"    {_inline(row)},\n" for row in value)
            lines.append(f"{key} = [\n{rows}]\n")
        else:
            lines.append(tomli_w.dumps({key: value}))
    return "".join(lines)


def _inline(row: dict[str, Any] | str) -> str:
    if isinstance(row, str):
        return tomli_w.dumps({"row": row}).removeprefix("row = ").strip()
    values = [" ".join(tomli_w.dumps({key: value}).split("\n")).strip() for key, value in row.items()]
    return "{ " + ", ".join(values) + " }"
