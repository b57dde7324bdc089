"""The data of a run with corrected targets, as a table from which the run is repeated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from zoo.atomic import write_atomic
from zoo.compose.head import restore_task
from zoo.data.layout import SPLIT_COLUMN, Layout
from zoo.data.reader import digest
from zoo.data.texts import words_of
from zoo.errors import BadData, BadRun, ZooError
from zoo.places import is_local, is_place
from zoo.progress import counted, say
from zoo.reports.problems import REMOVE, Correction, read_corrections
from zoo.reports.shown import Shelf
from zoo.runs.provenance import read_provenance

if TYPE_CHECKING:
    from zoo.compose.task import Task
    from zoo.plan import Plan
    from zoo.runs.run import Run


def corrected_plan(run: Run, file: Path) -> Plan:
    """The plan that repeats a run, in the same split, on its data as the table `file` corrects it.

    Writes that data beside the file, as a Parquet table whose name has a checksum of its content. Raises `BadData` for
    a table that does not fit the run.
    """
    corrections = read_corrections(file)
    before = Path(read_provenance(run.folder)["folder"]) if run.folder.exists("provenance.json") else Path()
    layout, plan = run.layout, run.plan.seen_from(before)
    task = restore_task(run.card.head, run.card.task)
    rows = run.folder.read_csv("split.csv")
    targets = _new_targets(run, file, corrections, rows, task)
    split = next(name for name in (SPLIT_COLUMN, "zoo_split") if name not in (*layout.inputs, *layout.targets))
    columns: dict[str, list[Any]] = {name: [] for name in (*layout.inputs, *layout.targets, split)}
    with closing(Shelf(run)) as shelf:
        if shelf.problem:
            raise BadData(f"The data of {run.path} cannot be read any more: {shelf.problem}")
        for number, row in enumerate(rows, start=1):
            target = targets.get(number, row["target"])
            if target is None:
                continue
            try:
                cells = _cells(shelf.raw((row["input"], row.get("content", ""))), layout)
            except BadData as error:
                raise BadData(f"{row['input']}: {error}. Restore the data of {run.path}, or train anew.") from None
            values = (*cells, *_of_target(target, layout, task), row["split"])
            for name, value in zip(columns, values, strict=True):
                columns[name].append(value)
    path = _written(file, columns)
    removed = sum(target is None for target in targets.values())
    say(f"{counted(len(targets) - removed, 'targets')} corrected, {counted(removed, 'examples')} removed: {path}")
    settings = {"data": str(path), "val": "", "val_fraction": None, "split_column": split, "group": ""}
    return msgspec.structs.replace(plan, **settings, separator="", quotes="auto", folders="auto")


def _new_targets(
    run: Run, file: Path, corrections: Mapping[int, Correction], rows: Sequence[Mapping[str, str]], task: Task
) -> dict[int, str | None]:
    """The new target of each example by its number, as the data writes it; None: it is removed.

    A spreadsheet may write a known target in another way, such as TRUE for true. Raises `BadData` for one that the run
    does not know, which would silently become a new class.
    """
    known = {row["target"] for row in rows}
    if any(target.lower() == REMOVE for target in known):
        raise BadData(
            f"{run.path} has a target called {REMOVE}, so it is not clear what is meant. Correct the data itself."
        )
    found: dict[int, str | None] = {}
    for number, one in corrections.items():
        row = rows[number - 1] if 0 < number <= len(rows) else {}
        if (row.get("input"), row.get("content")) != (one.input, one.content):
            raise BadData(f"{file}: {one.input} is not an example of {run.path}.")
        if one.new.lower() == REMOVE:
            found[number] = None
            continue
        same = {target for target in known if _usual(target) == _usual(one.new)} - {one.new}
        if one.new not in known and len(same) == 1:
            found[number] = same.pop()
            continue
        try:
            task.encode([task.parse_target(one.new)])
        except ZooError as error:
            raise BadData(f"{file}, {one.input}: {error} To bring in a new one, correct the data itself.") from None
        found[number] = one.new
    return found


def _usual(target: str) -> str:
    """One spelling of what a spreadsheet may spell in several ways."""
    return target.lower().removesuffix(".0")


def _cells(raw: Any, layout: Layout) -> tuple[Any, ...]:
    """What stands in the columns of an example."""
    if layout.reader.in_memory:
        raw = layout.reader.read(raw)
    if layout.form_name == "words":
        return (words_of(raw),)
    parts = raw if isinstance(raw, tuple) else (raw,)
    return tuple(str(part.absolute()) if is_place(part) and is_local(part) else _plain(part) for part in parts)


def _plain(part: Any) -> Any:
    return str(part) if is_place(part) else part


def _of_target(target: str, layout: Layout, task: Task) -> Sequence[Any]:
    """What stands in the columns of a target."""
    if layout.form_name == "words":
        return [list(task.parse_target(target))]
    return list(task.parse_target(target)) if len(layout.targets) > 1 else [target]


def _written(file: Path, columns: dict[str, list[Any]]) -> Path:
    """The table, which is written unless it is there already."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = pa.table(columns)
        sink = pa.BufferOutputStream()
        parquet.write_table(table, sink)
        content = sink.getvalue().to_pybytes()
        path = file.with_name(f"{file.stem}-data-{digest(content)[:8]}.parquet")
        if not path.exists():
            write_atomic(path, content)
    except pa.ArrowException as error:
        raise BadData(f"The corrected data cannot be written as one table: {error}.") from None
    except OSError as error:
        raise BadRun(f"Cannot write beside {file}: {error.strerror or error}.") from None
    return path
