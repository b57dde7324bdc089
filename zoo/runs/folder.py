"""The run folder on disk: where each thing lies, and writing it so that it appears whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from zoo.errors import BadRun


class RunFolder:
    """One run's folder.

    plan.toml, provenance.json, split.csv, skipped.csv, history.csv, metrics.json, model.keras, logs/ (TensorBoard).
    `model.keras` is written last but for the figures, and `metrics.json` last of all: a run that has it is finished.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path) -> RunFolder:
        """Make a new folder; raises `BadRun` when there is something in it already, or it cannot be made."""
        cls.refuse_occupied(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadRun(f"The run folder {path} cannot be made: {error.strerror}. Name another with --out.") from None
        return cls(path)

    @staticmethod
    def refuse_occupied(path: Path) -> None:
        """Raise `BadRun` when there is something in the folder already, or it is no folder."""
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            what = "is not empty" if path.is_dir() else "is a file"
            raise BadRun(f"{path} {what}, and a run never overwrites anything; name a new folder with --out.")

    @classmethod
    def free_name(cls, parent: Path, name: str) -> Path:
        """`parent/name`, or with -2, -3, ... the first that does not exist."""
        candidates = (parent / (name if i == 1 else f"{name}-{i}") for i in range(1, 100_000))
        return next(path for path in candidates if not path.exists())

    @property
    def model(self) -> Path:
        return self.path / "model.keras"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    def write(self, name: str, write: Callable[[Path], None]) -> None:
        """Let `write` fill a file beside, flush it to the disk, and give it its name."""
        beside = self.path / f".new-{name}"
        try:
            write(beside)
            with beside.open("rb+") as file:
                os.fsync(file.fileno())
            beside.replace(self.path / name)
        except OSError as error:
            beside.unlink(missing_ok=True)
            reason = error.strerror or error
            raise BadRun(f"{self.path / name} cannot be written: {reason}. Nothing half-written was left.") from None

    def write_text(self, name: str, text: str) -> None:
        def write(path: Path) -> None:
            path.write_text(text, encoding="utf-8", newline="")

        self.write(name, write)

    def write_json(self, name: str, content: Any) -> None:
        self.write_text(name, json.dumps(content, indent=2, ensure_ascii=False) + "\n")

    def write_csv(self, name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
        self.write_text(name, text.getvalue().encode("utf-8", "backslashreplace").decode())

    def read_json(self, name: str) -> dict[str, Any]:
        """The content of one of the run's JSON files; raises `BadRun` when it is missing or damaged."""
        try:
            content = json.loads((self.path / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise BadRun(f"{self.path} has no {name}: it is not a finished run. `zoo train` makes one.") from None
        except (OSError, ValueError) as error:
            raise BadRun(f"{self.path / name} cannot be read: {error}.") from None
        if not isinstance(content, dict):
            raise BadRun(f"{self.path / name} does not hold an object.")
        return content
