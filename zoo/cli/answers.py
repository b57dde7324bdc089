"""The answers of a run, as lines for a person and as comma-separated values. Which kind they are, their keys say."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from typing import Any

Answer = dict[str, Any]


def in_words(answer: Answer) -> str:
    """One line, without the input's name."""
    if "error" in answer:
        return f"left out: {answer['error']}"
    if "value" in answer:
        return f"{answer['value']:.4g}"
    if "values" in answer:
        return "  ".join(f"{name} {value:.4g}" for name, value in answer["values"].items())
    if "entities" in answer:
        return "  ".join(f"{entity['text']} ({entity['label']})" for entity in answer["entities"]) or "no entity"
    if "tags" in answer:
        return " ".join(f"{word}/{tag}" for word, tag in zip(answer["words"], answer["tags"], strict=True))
    shares = "  ".join(f"{label} {share:.3f}" for label, share in answer["probabilities"].items())
    return f"{' | '.join(answer['labels']) or 'no label'}  ({shares})" if "labels" in answer else shares


def print_csv(answers: Sequence[Answer], top: int) -> None:
    """A row for each input; of tagged words a row for each word."""
    given = [answer for answer in answers if "error" not in answer]
    header = _header(given[0], top)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["input", *header, "error"])
    for answer in answers:
        if "error" in answer:
            writer.writerow([answer["input"], *[""] * len(header), answer["error"]])
        for cells in _rows(answer):
            writer.writerow([answer["input"], *cells, *[""] * (len(header) - len(cells)), ""])


def _header(answer: Answer, top: int) -> list[str]:
    if "value" in answer:
        return ["value"]
    if "values" in answer:
        return list(answer["values"])
    if "tags" in answer:
        return ["word", "tag"]
    count = min(top, len(answer["probabilities"]))
    ranks = [name for i in range(1, count + 1) for name in (f"label_{i}", f"probability_{i}")]
    return ["labels" if "labels" in answer else "label", *ranks]


def _rows(answer: Answer) -> Iterator[list[Any]]:
    if "value" in answer:
        yield [answer["value"]]
    elif "values" in answer:
        yield list(answer["values"].values())
    elif "tags" in answer:
        yield from map(list, zip(answer["words"], answer["tags"], strict=True))
    elif "probabilities" in answer:
        shares = [cell for label, share in answer["probabilities"].items() for cell in (label, f"{share:.6f}")]
        yield ["|".join(answer["labels"]) if "labels" in answer else answer["label"], *shares]
