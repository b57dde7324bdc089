"""The run folder on disk: where its files are, and how they are written, each whole or not at all."""

from __future__ import annotations

import csv
import json
import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from zoo.atomic import UNFINISHED, atomic_path
from zoo.errors import BadRun
from zoo.structs import json_text

_LOCK = ".lock"
_LONGEST_CELL = 2**31 - 1  # letters
_PATIENCE = 0.5  # seconds; `held` locks the file for a moment


class RunFolder:
    """One run's folder.

    It contains plan.toml, provenance.json, split.csv, skipped.csv, history.csv, predictions.parquet, figures.json,
    mistakes.json, model.keras, metrics.json, logs/ (TensorBoard), and report.html; during training also checkpoints/
    and .lock. `metrics.json` is written last, so a run that has it is finished.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    @contextmanager
    def created(cls, path: Path) -> Iterator[RunFolder]:
        """A context with a new folder, locked by this process.

        Raises `BadRun` if there is something in the folder already, or it cannot be created.
        """
        cls.refuse_occupied(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadRun(f"Cannot create {path}: {error.strerror}. Name another run folder with --out.") from None
        with cls._held(path) as folder:
            cls.refuse_occupied(path)
            yield folder

    @classmethod
    @contextmanager
    def reopened(cls, path: Path) -> Iterator[RunFolder]:
        """A context with the folder of an unfinished run, locked by this process.

        Raises `BadRun` if it is not a run folder, or the run is finished.
        """
        folder = cls(path)
        if not folder.exists("plan.toml"):
            raise BadRun(f"{path} is not a run: it has no plan.toml. To start a run: zoo train")
        with cls._held(path):
            if folder.finished:
                raise BadRun(f"{path} is already finished. To use it: {folder.command('predict')} INPUT")
            for left in path.rglob(f"{UNFINISHED}*"):  # by a killed process
                left.unlink(missing_ok=True)
            yield folder

    @classmethod
    @contextmanager
    def _held(cls, path: Path) -> Iterator[RunFolder]:
        """A context that locks the folder; the system unlocks it when the process ends, however it ends."""
        from filelock import FileLock, Timeout

        lock = FileLock(path / _LOCK, timeout=_PATIENCE)
        try:
            lock.acquire()
        except Timeout:
            raise BadRun(f"{path} is being trained by another process. Wait, or name a new one with --out.") from None
        except OSError as error:
            raise BadRun(f"Cannot write to the run folder {path}: {error.strerror or error}.") from None
        except NotImplementedError:
            raise BadRun(f"The disk of {path} cannot lock files. Name a run folder on another with --out.") from None
        folder = cls(path)
        try:
            yield folder
        finally:
            lock.release()  # before it is deleted, as Windows deletes no open file
        if folder.finished:  # otherwise another process may be about to lock this file
            with suppress(OSError):
                (path / _LOCK).unlink()

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """A context that removes a new folder and its files again if they cannot all be written."""
        try:
            yield
        except BaseException:
            for path in self.path.iterdir():
                path.unlink()
            self.path.rmdir()
            raise

    @staticmethod
    def refuse_occupied(path: Path) -> None:
        """Raise `BadRun` if there is something in the folder already, or it is a file."""
        if not path.exists() or (path.is_dir() and not {child.name for child in path.iterdir()} - {_LOCK}):
            return
        folder = RunFolder(path)
        if folder.exists("plan.toml") and not folder.finished:
            if folder.held():
                raise BadRun(f"{path} is being trained by another process. Name a new folder with --out.")
            raise BadRun(f"{path} contains an unfinished run. To continue it: {folder.command('resume')}")
        what = "is not empty" if path.is_dir() else "is a file"
        raise BadRun(f"{path} {what}, and a run never overwrites anything. Name a new folder with --out.")

    @classmethod
    def free_name(cls, parent: Path, name: str) -> Path:
        """Create `parent/name`, or the first of `name`-2, -3, ... that does not exist; no other process gets it."""
        for number in range(1, 100_000):
            path = parent / (name if number == 1 else f"{name}-{number}")
            try:
                path.mkdir(parents=True)
            except FileExistsError:
                continue
            except OSError as error:
                raise BadRun(f"Cannot create {path}: {error.strerror}. Name another run folder with --out.") from None
            return path
        raise BadRun(f"There are 100,000 runs called {name} in {parent}. Name a new folder with --out.")

    @property
    def model(self) -> Path:
        return self.path / "model.keras"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def finished(self) -> bool:
        """Whether the run is finished."""
        return self.exists("metrics.json")

    def held(self) -> bool:
        """Whether a process is training the run right now. Writes nothing, and gets in the way of no training."""
        if os.name == "nt":
            return self._held_on_windows()
        import fcntl

        try:
            with (self.path / _LOCK).open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:  # there is no lock, or it cannot be read
            pass
        return False

    def _held_on_windows(self) -> bool:
        from filelock import FileLock, Timeout

        try:
            with FileLock(self.path / _LOCK, timeout=0):
                return False
        except (Timeout, OSError):
            return self.exists(_LOCK)

    def refuse_unfinished(self) -> None:
        """Raise `BadRun` if the run is not finished."""
        if self.exists("plan.toml") and not self.finished:
            if self.held():
                raise BadRun(f"{self.path} is being trained by another process. Wait until it is finished.")
            raise BadRun(f"{self.path} is not finished. To continue it: {self.command('resume')}")

    def command(self, verb: str, file: str = "") -> str:
        """A `zoo` command for this run or one of its files, quoted for a shell: `zoo resume 'runs/My Photos'`."""
        return f"zoo {verb} {shlex.quote(str(self.path / file))}"

    def exists(self, name: str) -> bool:
        """Whether the run has this file."""
        return (self.path / name).is_file()

    def write(self, name: str, write: Callable[[Path], None]) -> None:
        """Let `write` fill a temporary file, flush it to the disk, and then give it its name."""
        try:
            with atomic_path(self.path / name) as beside:
                write(beside)
        except OSError as error:
            reason = error.strerror or error
            resumable = self.exists("plan.toml") and not self.finished
            way_on = f" Free some space, then continue: {self.command('resume')}" if resumable else ""
            raise BadRun(f"Cannot write {self.path / name}: {reason}. No partial file is left.{way_on}") from None

    def write_text(self, name: str, text: str) -> None:
        def write(path: Path) -> None:
            path.write_text(text, encoding="utf-8", newline="")

        self.write(name, write)

    def write_json(self, name: str, content: Any) -> None:
        self.write_text(name, json_text(content) + "\n")

    def write_csv(self, name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        def write(path: Path) -> None:
            with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
                plain = csv.writer(file, lineterminator="\n")
                quoted = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)  # plain leaves a lone \r as it is
                for row in (header, *rows):
                    (quoted if any("\r" in str(cell) for cell in row) else plain).writerow(row)

        self.write(name, write)

    def read_csv(self, name: str) -> list[dict[str, str]]:
        """The rows of one of the run's CSV files, by column; raises `BadRun` if it is missing or damaged."""
        return list(self.rows(name))

    def rows(self, name: str) -> Iterator[dict[str, str]]:
        """The same row by row, for a file that may be large."""
        try:
            csv.field_size_limit(_LONGEST_CELL)
            with (self.path / name).open(newline="", encoding="utf-8") as file:
                for number, row in enumerate(csv.DictReader(file), start=1):
                    if None in row or None in row.values():
                        raise BadRun(
                            f"{self.path / name} is damaged: row {number} does not have the columns of the header."
                        )
                    yield row
        except (OSError, ValueError, csv.Error) as error:
            raise BadRun(f"{self.path / name} cannot be read: {error}.") from None

    def read_json(self, name: str) -> dict[str, Any]:
        """The content of one of the run's JSON files; raises `BadRun` if it is missing or damaged."""
        try:
            content = json.loads((self.path / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise BadRun(f"{self.path} is not a finished run: it has no {name}. To make one: zoo train") from None
        except (OSError, ValueError) as error:
            raise BadRun(f"{self.path / name} cannot be read: {error}.") from None
        if not isinstance(content, dict):
            raise BadRun(f"{self.path / name} is damaged: it does not contain a JSON object.")
        return content
