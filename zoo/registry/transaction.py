"""Changing the files of an environment, all or nothing: what a process killed at any moment leaves can be put right.

New files are laid out in a folder beside the others (`staging`), replaced ones go to another (`backup`), and a journal
says which are which before the first of them is moved. Every move is one rename within one file system, so each file is
in exactly one of its two places, and undoing means moving back what is in the wrong one. Undoing twice, or a part first
and then the whole, has the same result.
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
    """What is being done, and the files that are moved, relative to the environment."""

    what: str
    state: Literal["preparing", "moving", "done"] = "preparing"
    add: list[str] = []
    remove: list[str] = []


class Transaction:
    """One change of the environment; made by `transaction`."""

    def __init__(self, folder: Path, journal: Journal) -> None:
        self.folder, self.journal = folder, journal
        # The folder keeps the name that version 0.1.0 gave it, so that each version can repair what the other left.
        self.staging, self.backup, self.prefix = folder / "stage", folder / "backup", Path(sys.prefix)

    def move(self, remove: Iterable[Path]) -> None:
        """Move the files `remove` out of the environment, and everything in `staging` into it.

        Raises `CannotInstall`, before anything is moved, if that would overwrite a file of something else.
        """
        staged = [path for path in self.staging.rglob("*") if path.is_symlink() or path.is_file()]
        add = [path.relative_to(self.staging) for path in staged]
        gone = {path.relative_to(self.prefix) for path in remove}
        for path in add:
            if path not in gone and os.path.lexists(self.prefix / path):
                if not filecmp.cmp(self.staging / path, self.prefix / path, shallow=False):
                    raise CannotInstall(f"It would overwrite {path}, which belongs to something else.")
                gone.add(path)
        self.journal.add, self.journal.remove = sorted(map(str, add)), sorted(map(str, gone))
        self.write("moving")
        for name in self.journal.remove:
            _move(self.prefix / name, self.backup / name)
            _forget_compiled(self.prefix / name)
        for name in self.journal.add:
            _move(self.staging / name, self.prefix / name)
        self._prune()

    def undo(self) -> None:
        """Put everything back as it was."""
        for name in self.journal.add:
            if not os.path.lexists(self.staging / name) and os.path.lexists(self.prefix / name):
                _move(self.prefix / name, self.staging / name)
                _forget_compiled(self.prefix / name)
        for name in self.journal.remove:
            if os.path.lexists(self.backup / name):
                _move(self.backup / name, self.prefix / name)
        self._prune()

    def write(self, state: Literal["preparing", "moving", "done"]) -> None:
        """Record in the journal how far it is; it is on the disk when this returns."""
        self.journal.state = state
        write_atomic(self.folder / "journal.json", msgspec.json.encode(self.journal))

    def _prune(self) -> None:
        """Remove the folders that are empty now that files were moved out."""
        parents = {parent for name in (*self.journal.add, *self.journal.remove) for parent in Path(name).parents}
        for parent in sorted(parents, key=lambda path: len(path.parts), reverse=True):
            if parent.parts and self.prefix / parent != library():
                with contextlib.suppress(OSError):
                    (self.prefix / parent).rmdir()


@contextmanager
def transaction(what: str) -> Iterator[Transaction]:
    """A change of the environment, one at a time: another one waits. An exception in the block undoes it.

    what  "The installation of X", for messages; an error of the system or of pip becomes a `CannotInstall`
    """
    with _alone():
        _repair()
        folder = library() / ".zoo-install"
        change = Transaction(folder, Journal(what))
        try:
            change.staging.mkdir(parents=True)
            change.write("preparing")
            yield change
            change.write("done")
        except BaseException as error:
            if change.journal.state == "done":  # which may be on the disk already
                with contextlib.suppress(OSError):
                    change.write("moving")
            try:
                change.undo()
            except OSError as second:
                raise CannotInstall(
                    f"{what} failed: {_reason(error)} Putting the files back failed, too: {_reason(second)} "
                    "To try that again: zoo doctor"
                ) from None
            shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, (CannotInstall, OSError)):
                raise CannotInstall(f"{what} failed, and nothing was changed. {_reason(error)}") from None
            raise
        shutil.rmtree(folder, ignore_errors=True)


def repair() -> str:
    """Put right what a killed process left half done; returns a sentence on what it was, blank if there was nothing.

    Waits for a process that is still at work. Raises `CannotInstall` if the environment is not writable.
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
        journal = _journal(folder)
        if journal.state == "moving":
            Transaction(folder, journal).undo()
        shutil.rmtree(folder)
    except OSError as error:
        raise CannotInstall(
            f"What an interrupted installation left in {folder} cannot be put right: {_reason(error)} "
            "Mend that, then run: zoo doctor"
        ) from None
    outcome = "it had been completed" if journal.state == "done" else "the environment was put back as it was before"
    message = f"{journal.what} was interrupted; {outcome}."
    say(message)
    return message


def _journal(folder: Path) -> Journal:
    """The journal in a folder. Without one, the process was killed before it was written, and nothing was moved.

    Raises `OSError` if it cannot be read, and `CannotInstall` if it is damaged and files were moved away.
    """
    journal = folder / "journal.json"
    try:
        return msgspec.json.decode(journal.read_bytes(), type=Journal)
    except FileNotFoundError:
        return Journal("an installation")
    except msgspec.MsgspecError as error:
        backup = folder / "backup"
        if any(path.is_symlink() or not path.is_dir() for path in backup.rglob("*")):
            raise CannotInstall(
                f"{journal} is damaged ({error}), and {backup} has files of this environment. Move them back to where "
                f"they were below {sys.prefix}, then delete {folder}."
            ) from None
        return Journal("an installation")


def _reason(error: BaseException) -> str:
    """What went wrong, as a sentence."""
    if not isinstance(error, OSError):
        return str(error) or f"{type(error).__name__}."
    return f"{error.strerror or error or type(error).__name__}{f' ({error.filename})' if error.filename else ''}."


@contextmanager
def _alone() -> Iterator[None]:
    from filelock import FileLock, Timeout

    path = Path(sys.prefix) / ".zoo-install.lock"
    lock = FileLock(str(path))
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            say("Waiting for another zoo that is changing this environment...")
            lock.acquire(timeout=_WAIT_SECONDS)
    except Timeout:
        raise CannotInstall(
            f"Another zoo has been changing this environment for {_WAIT_SECONDS // 60} minutes; its lock is {path}."
        ) from None
    except OSError as error:
        raise CannotInstall(f"{path} is not writable: {error.strerror}.") from None
    try:
        yield
    finally:
        lock.release()


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(source, target)


def _forget_compiled(path: Path) -> None:
    """Remove what Python compiled of a module that was moved away, and its folder if that leaves it empty."""
    if path.suffix == ".py":
        cache = path.parent / "__pycache__"
        for compiled in cache.glob(f"{path.stem}.*.pyc"):
            compiled.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            cache.rmdir()
