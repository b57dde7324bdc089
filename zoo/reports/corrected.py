"""The data of a run with corrected targets, as a table from which the run is repeated."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from zoo.atomic import atomic_path
from zoo.compose.head import restore_task
from zoo.data.layout import SPLIT_COLUMN
from zoo.data.texts import words_of
from zoo.errors import BadData, BadRun
from zoo.places import is_place
from zoo.progress import counted, say
from zoo.reports.problems import REMOVE, read_corrections
from zoo.reports.shown import Shelf

if TYPE_CHECKING:
    from zoo.plan import Plan
    from zoo.runs.run import Run


def corrected_plan(run: Run, file: Path) -> Plan:
    """The plan that repeats a run, in the same split, on its data as the table `file` corrects it.

    Writes that data beside the file, as a Parquet table. Raises `BadData` for a table that does not fit the run.
    """
    corrections = read_corrections(file)
    layout, plan = run.layout, run.plan
    task = restore_task(run.card.head, run.card.task)
    columns: dict[str, list[Any]] = {name: [] for name in (*layout.inputs, *layout.targets, SPLIT_COLUMN)}
    rows = run.folder.read_csv("split.csv")
    unknown = set(corrections) - {(row["input"], row.get("content", "")) for row in rows}
    if unknown:
        raise BadData(f"{file}: {min(unknown)[0]} is not an example of {run.path}.")
    removed = 0
    with closing(Shelf(run)) as shelf:
        if shelf.problem:
            raise BadData(f"The data of {run.path} cannot be read any more: {shelf.problem}")
        for row in rows:
            key = row["input"], row.get("content", "")
            target = corrections.get(key, row["target"])
            if target == REMOVE:
                removed += 1
                continue
            try:
                cells = _cells(shelf.raw(key), layout.form_name)
            except BadData as error:
                raise BadData(f"{row['input']}: {error}. Restore the data of {run.path}, or train anew.") from None
            parsed = task.parse_target(target)
            several = parsed if isinstance(parsed, tuple) and len(layout.targets) > 1 else (_cell(parsed),)
            if len(several) != len(layout.targets):
                raise BadData(
                    f"{file}: the new target of {row['input']}, {target!r}, must have {len(layout.targets)} parts."
                )
            values = (*cells, *several, row["split"])
            for name, value in zip(columns, values, strict=True):
                columns[name].append(value)
    path = file.with_name(f"{file.stem}-data.parquet")
    _write(path, columns)
    changed = len(corrections) - removed
    say(f"{counted(changed, 'targets')} corrected, {counted(removed, 'examples')} removed: {path}")
    settings = {"data": str(path), "val": "", "val_fraction": None, "split_column": SPLIT_COLUMN, "group": ""}
    return msgspec.structs.replace(plan, **settings, separator="", quotes="auto", folders="auto")


def _cells(raw: Any, form: str) -> tuple[Any, ...]:
    """What stands in the columns of an example."""
    if isinstance(raw, tuple):
        return raw
    if form == "words":
        return (words_of(raw),)
    return (str(raw.absolute()) if is_place(raw) and hasattr(raw, "absolute") else raw,)


def _cell(parsed: Any) -> Any:
    return list(parsed) if isinstance(parsed, (tuple, list)) else parsed


def _write(path: Path, columns: dict[str, list[Any]]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with atomic_path(path) as beside:
            parquet.write_table(pa.table(columns), beside)
    except OSError as error:
        raise BadRun(f"Cannot write {path}: {error.strerror or error}.") from None
