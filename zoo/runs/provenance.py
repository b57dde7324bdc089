"""The content of provenance.json: what a run was made with. Light to import."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from zoo.errors import BadRun
from zoo.runs.folder import RunFolder
from zoo.structs import convert

FILE = "provenance.json"
Plain = str | int | float | None


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of the file that are read again; a run of an older version lacks some of them.

    started  when the training was started (ISO 8601, UTC); folder, the working folder, from which its paths are seen
    data     the number of examples, and a fingerprint of their contents, targets and splits
    resumed  how often the training was continued
    seconds  how long each part took
    """

    started: str = ""
    folder: str = "."
    versions: dict[str, Plain] = {}
    plugins: dict[str, Plain] = {}
    weights: dict[str, Plain] = {}
    data: dict[str, Plain] = {}
    machine: dict[str, Plain | list[Plain]] = {}
    computing: dict[str, Plain] = {}
    resumed: Annotated[int, Meta(ge=0)] = 0
    seconds: dict[str, float] = {}


def read_provenance(folder: RunFolder) -> dict[str, Any]:
    """The content of a run's provenance.json, with every part that it lacks; raises `BadRun` if one is not as it is
    written.
    """
    content = folder.read_json(FILE)
    known: dict[str, Any] = msgspec.to_builtins(convert(content, Provenance, BadRun, folder.path / FILE))
    return known | {name: value for name, value in content.items() if name not in known}
