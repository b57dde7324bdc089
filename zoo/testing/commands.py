"""Runs real `zoo` commands, one after the other, in a separate process."""

from __future__ import annotations

import csv
import functools
import io
import json
import math
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoo.catalog import Backbone, Head, Offer, catalog
from zoo.catalog.specs import combine
from zoo.data.layout import Layout
from zoo.structs import as_json
from zoo.testing.helper import Helper
from zoo.testing.promises import BrokenPromise, NotChecked
from zoo.weights import HERE, states

_SERVER = """
import contextlib, io, json, os, sys
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
from zoo.cli.main import main
for line in sys.stdin:
    sys.argv, out, err = ["zoo", *json.loads(line)], io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(bool(end.code))
    print(json.dumps([status, out.getvalue(), err.getvalue()]), file=answers, flush=True)
"""
_REPEATED = 4  # times that each of the six targets is in the table, each time with another example


class CommandLine(Helper):
    """A process that runs one `zoo` command after the other."""

    def __init__(self, python: str | Path, **variables: str) -> None:
        super().__init__(python, _SERVER, **variables)

    def run(self, *arguments: object) -> tuple[int, str, str]:
        """Run a command; returns exit status, standard output and standard error. Raises `EOFError` if it crashes."""
        status, out, err = self.ask(*arguments)
        return status, out, err


def every_command(offer: Offer[Head], cells: Sequence[Sequence[Any]], words: Sequence[str]) -> str:
    """Train a head on a small table, predict and evaluate, with the real commands; returns the names of the metrics.

    cells  the target cells of six examples
    words  the words of an example, if examples are words
    """
    backbone, weights = _backbone(offer)
    layout = Layout(backbone.spec.modality, offer.spec.reads)
    with tempfile.TemporaryDirectory() as folder:
        table = _write_table(Path(folder), layout, cells, words)
        run = str(Path(folder, "run"))
        columns = ["--target", ",".join(f"target_{n}" for n in range(len(cells[0])))]
        training = ["train", backbone.name, table, "--head", offer.name, "--weights", weights, "--epochs", "1"]
        _ask(*training, *columns, "--out", run)
        count = len(cells) * _REPEATED
        lines = _ask("predict", run, table).splitlines()
        if len(lines) != count:
            raise BrokenPromise(f"`zoo predict` prints {len(lines)} lines for {count} examples")
        rows = list(csv.DictReader(io.StringIO(_ask("predict", run, table, "--csv"))))
        if len(rows) != count:
            raise BrokenPromise(f"`zoo predict --csv` prints {len(rows)} rows for {count} examples")
        answers = json.loads(_ask("predict", run, table, "--json"))
        if len(answers) != count or any(set(answer) <= {"input", "error"} for answer in answers):
            raise BrokenPromise(f"`zoo predict --json` answers {answers[0]!r}")
        figures = json.loads(_ask("evaluate", run, table, *columns, "--json"))["metrics"]
        if not figures or not all(math.isfinite(value) for value in figures.values()):
            raise BrokenPromise(f"`zoo evaluate` gives the metrics {figures}")
    return f"on {backbone.name}: {', '.join(figures)}"


def _backbone(offer: Offer[Head]) -> tuple[Offer[Backbone], str]:
    """The smallest backbone that combines with the head, and the weights to use: those on this machine if possible."""
    fitting = sorted((o for o in catalog().backbones if combine(o.spec, offer.spec)), key=lambda o: o.spec.params)
    here = [o for o, state in zip(fitting, states(fitting), strict=True) if state in HERE]
    if here:
        return here[0], "default"
    untrained = [o for o in fitting if not o.spec.weights]
    if not untrained:
        raise NotChecked("no backbone that combines with it has its weights on this machine")
    return untrained[0], "none"


def _write_table(folder: Path, layout: Layout, cells: Sequence[Sequence[Any]], words: Sequence[str]) -> str:
    """Write a table of examples, all different, and their targets; returns its path."""
    reader, names = layout.reader, layout.inputs
    rows = []
    for number, value in enumerate(reader.samples(len(cells) * _REPEATED)):
        if layout.form_name == "words":
            inputs: list[Any] = [[f"{words[0]}{number}", *words[1:]]]
        elif reader.in_memory:
            inputs = [f"{value} {n}" if n else value for n in range(len(names))]
        else:
            file = folder / f"{number}{reader.suffixes[0] if reader.suffixes else ''}"
            file.write_bytes(reader.show(value).content)
            inputs = [file.name] * len(names)
        targets = {f"target_{n}": cell for n, cell in enumerate(cells[number % len(cells)])}
        rows.append(json.dumps(dict(zip(names, inputs, strict=True)) | targets, default=as_json))
    (folder / "table.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return str(folder / "table.jsonl")


def _ask(*arguments: str) -> str:
    """Run a command and return what it prints; raises `BrokenPromise` if it fails."""
    try:
        status, out, err = _command_line().run(*arguments)
    except EOFError:
        _command_line.cache_clear()
        raise BrokenPromise(f"`zoo {arguments[0]}` crashes") from None
    if status:
        last = err.strip().rpartition("\n")[2]
        raise BrokenPromise(f"`zoo {arguments[0]}` exits with status {status}: {last}")
    return out


@functools.cache
def _command_line() -> CommandLine:
    """One process for all heads."""
    return CommandLine(sys.executable)
