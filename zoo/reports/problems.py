"""What may be wrong with the data of a run: labels, copies on both sides of the split, examples like no other."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from zoo.atomic import atomic_path
from zoo.errors import BadData, BadRun
from zoo.harmless import uncomputed
from zoo.places import utf8
from zoo.reports.features import Kept
from zoo.reports.nearness import near_pairs, outliers, usual_threshold

if TYPE_CHECKING:
    from zoo.compose.task import Task
    from zoo.runs.run import Run

Kind = Literal["label", "leak", "copy", "outlier"]

NEW = "new_target"  # the column to fill in
REMOVE = "remove"
_MOST_PAIRS = 20_000
_OF_A_KIND = 1_000  # pairs that are listed
_OUTLIERS = 0.01  # of all examples
_FEW_OUTLIERS = 5


@dataclass(frozen=True)
class Problem:
    """Something to look at.

    problem    "label": the target may be wrong; "leak": nearly the same example is in another split; "copy": in the
               same split; "outlier": it is like no other example
    score      how sure that is, comparable within one kind: 0 to 1; of copies, the cosine of their features
    suggested  the target that would fit better
    other      the example that is nearly the same, with its split and target
    number     of the example in split.csv, from 1
    """

    problem: Kind
    score: float
    input: str
    split: str
    target: str
    suggested: str = ""
    other: str = ""
    other_split: str = ""
    other_target: str = ""
    content: str = ""
    other_content: str = ""
    number: int = 0


def problems(run: Run, kept: Kept, task: Task) -> list[Problem]:
    """All problems: suspected labels, the most suspicious first, then leaks, copies and outliers."""
    found = [*_labels(kept, task), *_pairs(run, kept), *_outliers(kept)]
    order = ("label", "leak", "copy", "outlier")
    return sorted(found, key=lambda one: (order.index(one.problem), -one.score))


def _labels(kept: Kept, task: Task) -> Iterator[Problem]:
    if not kept.features:
        return
    encoded = task.encode([task.parse_target(row["target"]) for row in kept.rows])
    suspected = task.suspect(kept.features, encoded)
    if suspected is None:
        return
    for row, score, suggested in zip(kept.rows, *suspected, strict=True):
        if suggested and suggested != row["target"]:
            yield _problem("label", float(score), row, suggested=suggested)


def _pairs(run: Run, kept: Kept) -> Iterator[Problem]:
    """Examples of the same content, then those whose features are nearly the same; of each kind not too many."""
    first: dict[str, int] = {}
    pairs = []
    for place, row in enumerate(kept.rows):
        if (known := first.setdefault(row["content"], place)) != place:
            pairs.append((known, place, 1.0))
    places = list(first.values())
    vectors = kept.vectors[places]
    for one, two, cosine in near_pairs(vectors, usual_threshold(vectors, run.card.modality), _MOST_PAIRS):
        pairs.append((places[one], places[two], cosine))
    listed = Counter[Kind]()
    for one, two, cosine in pairs:
        a, b = kept.rows[one], kept.rows[two]
        if b["split"] == "train" != a["split"]:
            a, b = b, a
        kind: Kind = "copy" if a["split"] == b["split"] else "leak"
        listed[kind] += 1
        if listed[kind] <= _OF_A_KIND:
            other = {"other": b["input"], "other_split": b["split"], "other_target": b["target"]}
            yield _problem(kind, cosine, a, **other, other_content=b["content"])


def _outliers(kept: Kept) -> Iterator[Problem]:
    distances = outliers(kept.vectors)
    count = min(len(distances) // 10, max(_FEW_OUTLIERS, int(_OUTLIERS * len(distances))))
    for row in distances.argsort()[::-1][:count]:
        yield _problem("outlier", min(1.0, float(distances[row])), kept.rows[row])


def _problem(kind: Kind, score: float, row: dict[str, str], **more: str) -> Problem:
    known = {"content": row["content"], "number": int(row["number"])}
    return Problem(kind, score, row["input"], row["split"], row["target"], **known, **more)  # type: ignore[arg-type]


def write_problems(path: Path, found: Sequence[Problem]) -> None:
    """Write a CSV file for a spreadsheet, with an empty column `new_target` to fill in.

    A cell that a spreadsheet would run as a formula begins with an apostrophe, which `read_corrections` takes away.
    Raises `BadRun` if the file is there already, as it may be filled in, or cannot be written.
    """
    names = [field.name for field in fields(Problem)]
    if path.exists():
        raise BadRun(f"--csv {path}: the file exists, and it is never overwritten. Name another.")
    try:
        with atomic_path(path) as beside, beside.open("w", encoding="utf-8-sig", newline="") as file:
            table = csv.writer(file)
            table.writerow([NEW, *names])
            for one in found:
                cells = asdict(one) | {"score": f"{one.score:.4f}"}
                table.writerow(["", *(_plain(str(cells[name])) for name in names)])
    except OSError as error:
        raise BadRun(f"Cannot write {path}: {error.strerror or error}. Name another file with --csv.") from None


def _plain(cell: str) -> str:
    return f"'{utf8(cell)}" if cell.startswith("'") else str(uncomputed(utf8(cell)))


@dataclass(frozen=True)
class Correction:
    """What somebody wrote into the table: a new target for an example, or `REMOVE`."""

    number: int
    input: str
    content: str
    new: str


def read_corrections(path: Path) -> dict[int, Correction]:
    """The corrections in a table, by the number of the example. Raises `BadData`."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            file.seek(0)
            table = csv.DictReader(file, delimiter=max(",;\t", key=header.count))
            rows, names = list(table), table.fieldnames or []
    except (OSError, ValueError, csv.Error) as error:
        raise BadData(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    if lacking := [name for name in (NEW, "number", "input", "content") if name not in names]:
        raise BadData(
            f"{path} has no column {', '.join(lacking)}. To write a table that has: zoo errors RUN --csv FILE"
        )
    found: dict[int, Correction] = {}
    for row in rows:
        number, name, content, new = (_read(row[column] or "") for column in ("number", "input", "content", NEW))
        if not new.strip():
            continue
        if not number.isdecimal():
            raise BadData(f"{path}: the row of {name} has no number. Leave the other columns as they were.")
        one = Correction(int(number), name, content, new.strip())
        if found.setdefault(one.number, one).new != one.new:
            both = f"{found[one.number].new!r} and {one.new!r}"
            raise BadData(f"{path} has two new targets for {name}: {both}. Leave one of them.")
    if not found:
        raise BadData(f"{path}: nothing is filled in. Write the right target, or {REMOVE}, into the column {NEW}.")
    return found


def _read(cell: str) -> str:
    return cell.removeprefix("'")
