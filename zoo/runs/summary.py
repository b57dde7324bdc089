"""The content of metrics.json: what a finished run has to say about itself. Light to import."""

from __future__ import annotations

import math

import msgspec

from zoo.errors import BadRun
from zoo.runs.folder import RunFolder
from zoo.runs.intervals import Interval
from zoo.structs import convert

FILE = "metrics.json"


class Rival(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a model has to beat: its name and metrics, and whether it was kept because no epoch was better."""

    name: str
    metrics: dict[str, float]
    kept: bool = False


class Summary(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The result of a training.

    metrics    on the validation set; `test_metrics` on the test set, if there is one
    intervals  the 95 % intervals (low, high) of the metrics that have one
    baseline   the linear model that the training was compared with
    constant   what always giving the same answer would get
    examples  the number of examples in each split, and of inputs left out
    seconds   how long the training took
    """

    run: str
    backbone: str
    head: str
    metrics: dict[str, float]
    intervals: dict[str, Interval] = {}
    test_metrics: dict[str, float] | None = None
    test_intervals: dict[str, Interval] = {}
    baseline: Rival | None = None
    constant: Rival | None = None
    examples: dict[str, int]
    seconds: float


def read_summary(folder: RunFolder) -> Summary:
    """The summary of a finished run; raises `BadRun` if its file is damaged."""
    content = folder.read_json(FILE)
    for owner in (content, *(part for part in map(content.get, ("baseline", "constant")) if isinstance(part, dict))):
        for part in ("metrics", "test_metrics"):
            if isinstance(metrics := owner.get(part), dict):  # null is written for a metric that is no number
                owner[part] = {name: math.nan if value is None else value for name, value in metrics.items()}
    return convert(content, Summary, BadRun, folder.path / FILE)


def write_summary(folder: RunFolder, summary: Summary) -> None:
    """Write the summary, which finishes the run."""
    folder.write_json(FILE, msgspec.to_builtins(summary))
