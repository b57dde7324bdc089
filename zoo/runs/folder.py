"""The run folder on disk: where each thing lies, and writing it so that it appears whole or not at all."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zoo.atomic import UNFINISHED, atomic_path
from zoo.errors import BadRun
from zoo.places import utf8

_LOCK = ".lock"


class RunFolder:
    """One run's folder.

    plan.toml, provenance.json, split.csv, skipped.csv, history.csv, predictions.parquet, figures.json, model.keras,
    metrics.json, logs/ (TensorBoard); while it is trained also checkpoints/ and .lock. `metrics.json` is written last
    of all: a run that has it is finished.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    @contextmanager
    def created(cls, path: Path) -> Iterator[RunFolder]:
        """A new folder, held by this process alone for the block.

        Raises `BadRun` when there is something in it already, or it cannot be made.
        """
        cls.refuse_occupied(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadRun(f"The run folder {path} cannot be made: {error.strerror}. Name another with --out.") from None
        with cls._held(path) as folder:
            cls.refuse_occupied(path)
            yield folder

    @classmethod
    @contextmanager
    def reopened(cls, path: Path) -> Iterator[RunFolder]:
        """The folder of a run that is not finished, held by this process alone for the block.

        Raises `BadRun` where there is none, or it is finished.
        """
        folder = cls(path)
        if not folder.exists("plan.toml"):
            raise BadRun(f"{path} has no plan.toml: it is not a run. `zoo train` starts one.")
        with cls._held(path):
            if folder.finished:
                raise BadRun(f"{path} is finished, and there is nothing to resume. Use it: zoo predict {path} INPUT")
            for left in path.rglob(f"{UNFINISHED}*"):  # by a killed process
                left.unlink(missing_ok=True)
            yield folder

    @classmethod
    @contextmanager
    def _held(cls, path: Path) -> Iterator[RunFolder]:
        """A lock that the system takes away from a process that ends, however it ends."""
        from filelock import FileLock, Timeout

        lock = FileLock(path / _LOCK, timeout=0)
        try:
            with lock:
                yield (folder := cls(path))
                if folder.finished:  # else another process may be about to lock this very file
                    (path / _LOCK).unlink(missing_ok=True)
        except Timeout:
            raise BadRun(
                f"{path} is being trained by another process; wait for it, or name another folder with --out."
            ) from None
        except PermissionError as error:
            raise BadRun(f"The run folder {path} cannot be written: {error.strerror}.") from None

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Take the files of a new folder away again where they cannot all be written."""
        try:
            yield
        except BaseException:
            for path in self.path.iterdir():
                path.unlink()
            self.path.rmdir()
            raise

    @staticmethod
    def refuse_occupied(path: Path) -> None:
        """Raise `BadRun` when there is something in the folder already, or it is no folder."""
        if not path.exists() or (path.is_dir() and not {child.name for child in path.iterdir()} - {_LOCK}):
            return
        folder = RunFolder(path)
        if folder.exists("plan.toml") and not folder.finished:
            raise BadRun(f"{path} holds a run that is not finished; go on with: zoo resume {path}")
        what = "is not empty" if path.is_dir() else "is a file"
        raise BadRun(f"{path} {what}, and a run never overwrites anything; name a new folder with --out.")

    @classmethod
    def free_name(cls, parent: Path, name: str) -> Path:
        """A new folder `parent/name`, or with -2, -3, ... the first that does not exist; nobody else is given it."""
        for number in range(1, 100_000):
            path = parent / (name if number == 1 else f"{name}-{number}")
            try:
                path.mkdir(parents=True)
            except FileExistsError:
                continue
            except OSError as error:
                raise BadRun(
                    f"The run folder {path} cannot be made: {error.strerror}. Name another with --out."
                ) from None
            return path
        raise BadRun(f"There are 100,000 runs called {name} in {parent}; name a new folder with --out.")

    @property
    def model(self) -> Path:
        return self.path / "model.keras"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def finished(self) -> bool:
        """Whether the training is over."""
        return self.exists("metrics.json")

    def held(self) -> bool:
        """Whether a process is training the run at this moment."""
        from filelock import FileLock, Timeout

        if not (self.path / _LOCK).exists():
            return False
        try:
            with FileLock(self.path / _LOCK, timeout=0):
                return False
        except (Timeout, OSError):
            return True

    def refuse_unfinished(self) -> None:
        """Raise `BadRun` where the training is not over."""
        if self.exists("plan.toml") and not self.finished:
            raise BadRun(f"{self.path} is not a finished run; go on with its training: zoo resume {self.path}")

    def exists(self, name: str) -> bool:
        """Whether the run has this file."""
        return (self.path / name).is_file()

    def write(self, name: str, write: Callable[[Path], None]) -> None:
        """Let `write` fill a file beside, flush it to the disk, and give it its name."""
        try:
            with atomic_path(self.path / name) as beside:
                write(beside)
        except OSError as error:
            reason = error.strerror or error
            resumable = self.exists("plan.toml") and not self.finished
            way_on = f" Free some space, and go on with: zoo resume {self.path}" if resumable else ""
            raise BadRun(
                f"{self.path / name} cannot be written: {reason}. Nothing half-written was left.{way_on}"
            ) from None

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
        self.write_text(name, utf8(text.getvalue()))

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
