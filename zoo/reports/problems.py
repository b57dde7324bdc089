"""What may be wrong with the data of a run: labels, copies on both sides of the split, examples like no other."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from zoo.atomic import atomic_path
from zoo.errors import BadData, BadRun
from zoo.places import utf8
from zoo.reports.features import Kept
from zoo.reports.nearness import near_pairs, outliers, usual_threshold

if TYPE_CHECKING:
    from zoo.compose.task import Task
    from zoo.runs.run import Run

Kind = Literal["label", "leak", "copy", "outlier"]

NEW = "new_target"  # the column to fill in
REMOVE = "remove"
_MOST_PAIRS = 1_000
_OUTLIERS = 0.01  # of all examples
_FEW_OUTLIERS = 5
_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Problem:
    """Something to look at.

    problem    "label": the target may be wrong; "leak": nearly the same example is in another split; "copy": in the
               same split; "outlier": it is like no other example
    score      how sure that is, comparable within one kind: 0 to 1; of copies, the cosine of their features
    suggested  the target that would fit better
    other      the example that is nearly the same, with its split and target
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


def problems(run: Run, kept: Kept, task: Task) -> list[Problem]:
    """All problems: suspected labels, the most suspicious first, then leaks, copies and outliers."""
    found = [*_labels(kept, task), *_pairs(run, kept), *_outliers(kept)]
    order = ("label", "leak", "copy", "outlier")
    return sorted(found, key=lambda one: (order.index(one.problem), -one.score))


def _labels(kept: Kept, task: Task) -> Iterator[Problem]:
    encoded = task.encode([task.parse_target(row["target"]) for row in kept.rows])
    suspected = task.suspect(kept.features, encoded)
    if suspected is None:
        return
    for row, score, suggested in zip(kept.rows, *suspected, strict=True):
        if suggested and suggested != row["target"]:
            yield _problem("label", float(score), row, suggested=suggested)


def _pairs(run: Run, kept: Kept) -> Iterator[Problem]:
    vectors = kept.vectors
    for one, two, cosine in near_pairs(vectors, usual_threshold(vectors, run.card.modality), _MOST_PAIRS):
        first, second = kept.rows[one], kept.rows[two]
        if second["split"] == "train" != first["split"]:
            first, second = second, first
        other = {"other": second["input"], "other_split": second["split"], "other_target": second["target"]}
        kind: Kind = "copy" if first["split"] == second["split"] else "leak"
        yield _problem(kind, cosine, first, **other, other_content=second["content"])


def _outliers(kept: Kept) -> Iterator[Problem]:
    distances = outliers(kept.vectors)
    count = min(len(distances) // 10, max(_FEW_OUTLIERS, int(_OUTLIERS * len(distances))))
    for row in distances.argsort()[::-1][:count]:
        yield _problem("outlier", min(1.0, float(distances[row])), kept.rows[row])


def _problem(kind: Kind, score: float, row: dict[str, str], **more: str) -> Problem:
    return Problem(kind, score, row["input"], row["split"], row["target"], content=row["content"], **more)


def write_problems(path: Path, found: Sequence[Problem]) -> None:
    """Write a CSV file for a spreadsheet, with an empty column `new_target` to fill in. Raises `BadRun`.

    A cell that a spreadsheet would run as a formula begins with an apostrophe, which `read_corrections` takes away.
    """
    names = [field.name for field in fields(Problem)]
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
    return f"'{utf8(cell)}" if cell.startswith(_BEGINS_A_FORMULA) and not _is_number(cell) else utf8(cell)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def read_corrections(path: Path) -> dict[tuple[str, str], str]:
    """By input and content, what the column `new_target` says, where it says something. Raises `BadData`."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            sample = file.read(4096)
            file.seek(0)
            separator = ";" if sample.partition("\n")[0].count(";") > sample.partition("\n")[0].count(",") else ","
            rows = list(csv.DictReader(file, delimiter=separator))
    except (OSError, ValueError, csv.Error) as error:
        raise BadData(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    if lacking := {NEW, "input", "content"} - set(rows[0] if rows else ()):
        raise BadData(
            f"{path} has no column {', '.join(sorted(lacking))}. `zoo errors RUN --csv FILE` writes one that has."
        )
    corrections: dict[tuple[str, str], str] = {}
    for row in rows:
        key, new = (_read(row["input"]), row["content"]), _read(row[NEW] or "").strip()
        if not new:
            continue
        if corrections.setdefault(key, new) != new:
            raise BadData(
                f"{path} has two new targets for {key[0]}: {corrections[key]!r} and {new!r}. Leave one of them."
            )
    if not corrections:
        raise BadData(f"{path}: nothing is filled in. Write the right target, or {REMOVE}, into the column {NEW}.")
    return corrections


def _read(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(_BEGINS_A_FORMULA) else cell
