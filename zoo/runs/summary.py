"""The content of metrics.json: what a finished run has to say about itself. Light to import."""

from __future__ import annotations

from typing import Any

import msgspec

from zoo.errors import BadRun
from zoo.runs.folder import RunFolder
from zoo.structs import convert

FILE = "metrics.json"


class Summary(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The result of a training.

    metrics   on the validation set; `test_metrics` on the test set, if there is one
    baseline  name and metrics of the linear model, and whether it was kept because no epoch was better
    examples  the number of examples in each split, and of inputs left out
    seconds   how long the training took
    """

    run: str
    backbone: str
    head: str
    metrics: dict[str, float]
    test_metrics: dict[str, float] | None = None
    baseline: dict[str, Any] | None = None
    examples: dict[str, int]
    seconds: float


def read_summary(folder: RunFolder) -> Summary:
    """The summary of a finished run; raises `BadRun` if its file is damaged."""
    return convert(folder.read_json(FILE), Summary, BadRun, folder.path / FILE)


def write_summary(folder: RunFolder, summary: Summary) -> None:
    """Write the summary, which finishes the run."""
    folder.write_json(FILE, msgspec.to_builtins(summary))
