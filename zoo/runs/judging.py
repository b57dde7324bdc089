"""How a run is judged: on which examples, by default those that it was not trained on, and with what result."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.data.examples import Example, Skipped
from zoo.errors import BadData, BadPlan
from zoo.places import utf8
from zoo.plan import Plan
from zoo.progress import say
from zoo.runs.folder import RunFolder
from zoo.runs.provenance import read_provenance

if TYPE_CHECKING:
    from zoo.compose.task import Figure
    from zoo.runs.intervals import Interval
    from zoo.runs.mistakes import Mistakes

CHOICES = ("auto", "train", "validation", "test", "all")


@dataclass(frozen=True)
class Evaluation:
    """A run's metrics on a data set by name, with their 95 % intervals, and what a report shows.

    examples  how many were judged
    trained   how many of DATA's examples the run was trained on, which are not among them unless that was asked for
    skipped   those that could not be read
    figures   those of the head
    mistakes  the worst answers
    """

    metrics: dict[str, float]
    intervals: dict[str, Interval]
    examples: int
    trained: int
    skipped: list[Skipped]
    seconds: float
    figures: list[Figure]
    mistakes: Mistakes | None


def chosen_for_evaluation(
    folder: RunFolder, plan: Plan, data: str, examples: Sequence[Example], split: str
) -> tuple[list[Example], int]:
    """The examples to judge, and how many of all were used for training; says what was left out.

    Raises `BadData` if none is left.
    """
    if split not in CHOICES:
        raise BadPlan(f"--split {split}: it must be {', '.join(CHOICES[:-1])} or all.")
    splits = _splits_of(folder, plan, data, examples)
    trained = splits.count("train")
    if split == "all":
        chosen = list(examples)
        if trained:
            say(f"Warning: the run was trained on {trained} of these {len(examples)} examples, so it looks too good.")
    elif split == "auto":
        chosen = [example for example, its in zip(examples, splits, strict=True) if its != "train"]
        if trained:
            say(
                f"Left out: {trained} of {len(examples)} examples, because the run was trained on them. "
                "--split all judges them too."
            )
    else:
        chosen = [example for example, its in zip(examples, splits, strict=True) if its == split]
        say(f"Judges the {len(chosen)} of {len(examples)} examples that are in the run's {split} split.")
    if not chosen:
        way_on = "--split all judges them anyway" if split == "auto" else "--split auto judges what is new"
        what = "that the run was not trained on" if split == "auto" else f"that the run has in {split}"
        raise BadData(f"{data} has no examples {what} ({len(examples)} in all). {way_on}.")
    return chosen, trained


def _splits_of(folder: RunFolder, plan: Plan, data: str, examples: Sequence[Example]) -> list[str]:
    """For each example the split it has in the run, by content; "" if it is not in the run.

    Runs of version 0.1 kept no contents, so their examples are found by name, if the data is that of the run.
    """
    rows = folder.read_csv("split.csv") if folder.exists("split.csv") else []
    if not rows or "content" in rows[0]:
        ordered = sorted(rows, key=lambda row: row.get("split") == "train")
        known = {row["content"]: row.get("split", "") for row in ordered}
        return [known.get(example.content, "") for example in examples]
    before = read_provenance(folder)["folder"] if folder.exists("provenance.json") else "."
    seen = plan.seen_from(Path(before))
    if os.path.realpath(data) not in {os.path.realpath(one) for one in (seen.data, seen.val or seen.data)}:
        say("The run is of an older version, so it is not known which of these examples it was trained on.")
        return [""] * len(examples)
    say("The run is of an older version, so examples that it was trained on are found by their names.")
    named = {row.get("input", ""): row.get("split", "") for row in rows}
    return [named.get(utf8(example.input), "") for example in examples]
