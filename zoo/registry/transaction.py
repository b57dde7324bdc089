"""Changing the files of an environment, all or nothing: a process killed at any moment leaves what can be put right.

New files are laid out beside (`stage`), replaced ones are kept beside (`backup`), and a journal says which are which
before the first of them is moved. Every move is one rename in one file system, so each file is at exactly one of its
two places, and undoing is moving back what is at the wrong one; undoing twice, or half and then wholly, comes to the
same.
"""

from __future__ import annotations

import contextlib
import filecmp
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from zoo.atomic import write_atomic
from zoo.errors import CannotInstall
from zoo.progress import say
from zoo.registry.environment import library

_WAIT_SECONDS = 600


class Journal(msgspec.Struct):
    """What is going on, and the files it moves, relative to the environment."""

    what: str
    state: Literal["preparing", "moving", "done"] = "preparing"
    add: list[str] = []
    remove: list[str] = []


class Transaction:
    """One change of the environment; made by `transaction`."""

    def __init__(self, folder: Path, journal: Journal) -> None:
        self.folder, self.journal = folder, journal
        self.stage, self.backup, self.prefix = folder / "stage", folder / "backup", Path(sys.prefix)

    def move(self, remove: Iterable[Path]) -> None:
        """Take the files `remove` out of the environment, and put in everything that lies in `stage`.

        Raises `CannotInstall` before anything is moved, where a file of something else would be overwritten by another.
        """
        add = [path.relative_to(self.stage) for path in self.stage.rglob("*") if path.is_symlink() or path.is_file()]
        gone = {path.relative_to(self.prefix) for path in remove}
        for path in add:
            if path not in gone and os.path.lexists(self.prefix / path):
                if not filecmp.cmp(self.stage / path, self.prefix / path, shallow=False):
                    raise CannotInstall(f"It would overwrite {path}, which belongs to something else.")
                gone.add(path)
        self.journal.add, self.journal.remove = sorted(map(str, add)), sorted(map(str, gone))
        self.write("moving")
        for name in self.journal.remove:
            _move(self.prefix / name, self.backup / name)
            _forget_compiled(self.prefix / name)
        for name in self.journal.add:
            _move(self.stage / name, self.prefix / name)
        self._prune()

    def undo(self) -> None:
        """Put everything back as it was."""
        for name in self.journal.add:
            if not os.path.lexists(self.stage / name) and os.path.lexists(self.prefix / name):
                _move(self.prefix / name, self.stage / name)
                _forget_compiled(self.prefix / name)
        for name in self.journal.remove:
            if os.path.lexists(self.backup / name):
                _move(self.backup / name, self.prefix / name)
        self._prune()

    def write(self, state: Literal["preparing", "moving", "done"]) -> None:
        """Say in the journal how far it is; on the disk when this returns."""
        self.journal.state = state
        write_atomic(self.folder / "journal.json", msgspec.json.encode(self.journal))

    def _prune(self) -> None:
        """Remove folders that the moved files leave empty."""
        parents = {parent for name in (*self.journal.add, *self.journal.remove) for parent in Path(name).parents}
        for parent in sorted(parents, key=lambda path: len(path.parts), reverse=True):
            if parent.parts and self.prefix / parent != library():
                with contextlib.suppress(OSError):
                    (self.prefix / parent).rmdir()


@contextmanager
def transaction(what: str) -> Iterator[Transaction]:
    """A change of the environment, alone: another one waits. Left by an exception, it is undone.

    what  "The installation of X"; of that speaks the `CannotInstall` that an error of the system or of pip becomes
    """
    with _alone():
        _repair()
        folder = library() / ".zoo-install"
        change = Transaction(folder, Journal(what))
        try:
            change.stage.mkdir(parents=True)
            change.write("preparing")
            yield change
        except BaseException as error:
            change.undo()
            shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, (CannotInstall, OSError)):
                reason = error if isinstance(error, CannotInstall) else f"{error.strerror} ({error.filename})."
                raise CannotInstall(f"{what} failed, and nothing was changed. {reason}") from None
            raise
        change.write("done")
        shutil.rmtree(folder)


def repair() -> str:
    """Put right what a killed process left half done; says what it was, or nothing where there was nothing.

    Waits for one that is at work. Raises `CannotInstall` where the environment cannot be written.
    """
    if not (library() / ".zoo-install").exists():
        return ""
    with _alone():
        return _repair()


def _repair() -> str:
    folder = library() / ".zoo-install"
    if not folder.exists():
        return ""
    try:
        journal = msgspec.json.decode((folder / "journal.json").read_bytes(), type=Journal)
    except (OSError, msgspec.MsgspecError):  # killed before the journal was written: nothing was moved
        journal = Journal("an installation")
    if journal.state == "moving":
        Transaction(folder, journal).undo()
    shutil.rmtree(folder)
    outcome = "was done" if journal.state == "done" else "was put back as it was before"
    message = f"{journal.what} was interrupted; the environment {outcome}."
    say(message)
    return message


@contextmanager
def _alone() -> Iterator[None]:
    from filelock import FileLock, Timeout

    path = Path(sys.prefix) / ".zoo-install.lock"
    lock = FileLock(str(path))
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            say("Waiting for another zoo that is changing this environment ...")
            lock.acquire(timeout=_WAIT_SECONDS)
    except Timeout:
        raise CannotInstall(f"Another zoo has been changing this environment for long; {path} is its lock.") from None
    except OSError as error:
        raise CannotInstall(f"{path} cannot be written ({error.strerror}).") from None
    try:
        yield
    finally:
        lock.release()


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(source, target)


def _forget_compiled(path: Path) -> None:
    """Remove what Python compiled of a module that was moved away, and the folder for it where that is all."""
    if path.suffix == ".py":
        cache = path.parent / "__pycache__"
        for compiled in cache.glob(f"{path.stem}.*.pyc"):
            compiled.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            cache.rmdir()
