"""Decides how the examples of a data set are read, where only all of them together can tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from zoo.data.examples import Examples, Skipped
from zoo.data.layout import Layout
from zoo.data.reader import Reader, digest
from zoo.errors import BadData, BadPlan


def settle(sets: Sequence[Examples], layout: Layout, depth: str | None) -> Layout:
    """The layout with the reader for these checked data sets; examples that it cannot read are left out of them.

    depth  as in `Reader.settled`; None: it has been decided, for a model

    An example that is read otherwise in other data sets gets a fingerprint of its own, by which features are cached.

    Raises `BadData` if the data leaves a doubt, or if nothing is left of a data set.
    """
    facts = [example.facts for examples in sets for example in examples.items]
    reader = layout.reader if depth is None else layout.reader.settled(facts, depth)
    for examples in sets if any(one is not None for one in facts) else ():
        kept = []
        for example in examples.items:
            try:
                scaled = "" if example.facts is None else reader.scaled(example.facts)
            except BadData as error:
                examples.skipped.append(Skipped(example.input, str(error)))
                continue
            example.content = digest(f"{example.content} {scaled}".encode()) if scaled else example.content
            example.facts = None
            kept.append(example)
        if not kept:
            count, reason = len(examples.skipped), examples.skipped[-1].reason
            raise BadData(f"None of the inputs from {examples.source} can be used ({count} in all; {reason}).")
        examples.items = kept
    return layout if depth is None else replace(layout, reading=reader.settings)


def refuse_wrong_depth(reader: Reader, depth: str) -> None:
    """Raise `BadPlan` for a depth that examples of this kind do not have."""
    if depth not in ("auto", *reader.depths):
        choices = ", ".join(("auto", *reader.depths))
        known = f"it must be one of {choices}" if reader.depths else f"{reader.unit} have no depth"
        raise BadPlan(f"--depth {depth}: {known}.")
