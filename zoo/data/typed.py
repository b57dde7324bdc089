"""The inputs that a person typed on a command line: what is a text, what a file, and what to ask about."""

from __future__ import annotations

import codecs
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Literal

from zoo.data.given import Input, Missing, is_folder, reads_text
from zoo.data.layout import Layout
from zoo.data.tables import TABLES
from zoo.errors import BadData
from zoo.places import exists, is_address, place
from zoo.progress import say

Kind = Literal["auto", "text", "file"]
STANDARD_INPUT = "-"
_ENDINGS = """
    csv.gz tsv.gz jsonl.gz docx feather gz htm html ini log md npy npz ods odt pdf pickle pkl txt xls xml yaml yml zip
    avif bmp gif heic jpeg jpg png svg tif tiff webp mp3 mp4 wav
"""
_OF_OTHER_FILES = tuple(f".{ending}" for ending in _ENDINGS.split())
_PATH = re.compile(r"(?:\.{1,2}|~)?/\S*[^\s/]")  # begins like one, and has no spaces
_NAMED = 3  # files that a message names


def typed_inputs(arguments: Sequence[str], layout: Layout, kind: Kind = "auto") -> list[Input]:
    """The inputs for arguments, in order; `-` is every line of the standard input.

    For a model that reads texts, an argument that is an existing file or folder is read as such, and that is said; any
    other is a text, and so is every line of the standard input. For other models, arguments and lines are paths.

    kind  "text" or "file" settles what all of them are

    Raises `BadData` for an argument that looks like a file but does not exist.
    """
    texts = reads_text(layout)
    if kind == "text" and not texts:
        raise BadData(f"--text: this model reads {layout.reader.unit}, not texts.")
    if arguments.count(STANDARD_INPUT) > 1:
        raise BadData("- is the standard input, which can be read only once. Give it once.")
    inputs: list[Input] = []
    opened: list[str] = []
    for argument in arguments:
        if argument == STANDARD_INPUT:
            inputs += _lines(texts and kind != "file", layout)
        elif kind == "text" or not argument.strip():
            inputs.append(argument)
        elif kind == "file":
            inputs.append(_existing(argument))
        elif not texts:
            inputs.append(place(argument))
        elif _is_file(argument, layout):
            opened.append(argument)
            inputs.append(place(argument))
        else:
            inputs.append(argument)
    if opened:
        say(_reads(opened))
    return inputs


def _is_file(argument: str, layout: Layout) -> bool:
    """Whether an argument that may be a text is a file; raises `BadData` if it looks like one that does not exist."""
    ending = argument.lower().endswith((*layout.reader.suffixes, *TABLES))
    one_line = len(argument.splitlines()) == 1
    if is_address(argument):
        return one_line and ending and " " not in argument
    if exists(place(argument)):
        return True
    like_a_file = ending or argument.lower().endswith(_OF_OTHER_FILES) or argument.endswith(("/", "\\"))
    if one_line and (like_a_file or _PATH.fullmatch(argument)):
        raise BadData(f"{argument} does not exist. If it is a text and not the name of a file, give --text.")
    return False


def _existing(argument: str) -> Input:
    path = place(argument)
    if not exists(path):
        raise BadData(f"--file: {argument} does not exist.")
    return path


def _reads(opened: Sequence[str]) -> str:
    if len(opened) == 1:
        kind = "folder" if is_folder(place(opened[0])) else "file"
        return f"Reads the {kind} {opened[0]}; --text takes it as a text."
    named = ", ".join(opened[:_NAMED]) + (", ..." if len(opened) > _NAMED else "")
    return f"Reads {len(opened)} files and folders ({named}); --text takes them as texts."


def _lines(texts: bool, layout: Layout) -> Iterator[Input]:
    """An input for each line of the standard input, also for an empty one, so that answers can be counted off."""
    unit = "texts" if texts else f"paths of {'files' if reads_text(layout) else layout.reader.unit}"
    if sys.stdin.isatty():
        say(f"Reads {unit} from the keyboard, one a line; Ctrl-D ends them.")
    content = sys.stdin.buffer.read()
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise BadData("The standard input is UTF-16. Make it UTF-8, for example: iconv -f utf-16 -t utf-8")
    lines = content.removeprefix(codecs.BOM_UTF8).removesuffix(b"\n").split(b"\n") if content else []
    for number, line in enumerate((line.removesuffix(b"\r") for line in lines), start=1):
        if not line.strip():
            yield Missing(f"line {number}", "an empty line")
        elif texts:
            yield line  # its encoding is checked where texts are read
        else:
            yield place(line.decode("utf-8", "surrogateescape"))
