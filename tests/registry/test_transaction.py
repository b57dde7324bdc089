"""Changes of an environment that fail at the worst moment: nothing is lost, and a sentence says what to do."""

import errno
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from zoo.errors import CannotInstall
from zoo.registry import environment, install, transaction
from zoo.registry.transaction import Transaction, repair


@pytest.fixture
def library(tmp_path, monkeypatch):
    """The library of an environment that is only a folder, with one file."""
    library = tmp_path / "env" / "lib"
    library.mkdir(parents=True)
    (library / "old.py").write_text("old")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "env"))
    monkeypatch.setattr(transaction, "library", lambda: library)
    return library


def _replace_old(library):
    with transaction.transaction("The upgrade of it") as change:
        (change.staging / "lib").mkdir()
        (change.staging / "lib" / "new.py").write_text("new")
        change.move([library / "old.py"])


def _files(library):
    return {path.name for path in library.rglob("*") if path.is_file()}


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("written", [False, True])
def test_failing_at_the_last_moment_changes_nothing(library, monkeypatch, error, written):
    write = Transaction.write

    def fail(self, state):
        if state != "done" or written:
            write(self, state)
        if state == "done":
            self.journal.state = state
            raise error

    monkeypatch.setattr(Transaction, "write", fail)
    with pytest.raises((CannotInstall, KeyboardInterrupt)) as caught:
        _replace_old(library)
    if isinstance(error, OSError):
        assert str(caught.value).endswith("nothing was changed. No space left on device.")
    assert _files(library) == {"old.py"}


def test_what_cannot_be_cleared_away_afterwards_is_no_failure(library, monkeypatch):
    def full(*_, **how):
        if not how.get("ignore_errors"):
            raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", full)
        _replace_old(library)
    assert (library / "new.py").exists()
    assert "it had been completed" in repair()
    assert _files(library) == {"new.py"}


def test_what_cannot_be_put_back_is_said_and_put_right_later(library, monkeypatch):
    move, said = transaction._move, []

    def fail_twice(source, target):
        if target.name == "new.py" or said:
            said.append(target)
            raise OSError(errno.EIO, "Input/output error", str(target))
        move(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(transaction, "_move", fail_twice)
        with pytest.raises(CannotInstall, match=r"Putting the files back failed, too: .*zoo doctor"):
            _replace_old(library)
    assert "put back" in repair()
    assert _files(library) == {"old.py"}


def _interrupted(library, journal):
    folder = library / ".zoo-install"
    (folder / "backup" / "lib").mkdir(parents=True)
    (library / "old.py").rename(folder / "backup" / "lib" / "old.py")
    if journal is not None:
        (folder / "journal.json").write_bytes(journal)
    return folder


def test_a_journal_that_cannot_be_read_deletes_nothing(library, monkeypatch):
    folder = _interrupted(library, b'{"what": "It", "state": "moving", "remove": ["lib/old.py"]}')
    read = Path.read_bytes

    def denied(path):
        if path.name == "journal.json":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return read(path)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", denied)
        with pytest.raises(CannotInstall, match="Permission denied"):
            repair()
    assert (folder / "backup" / "lib" / "old.py").exists()
    assert "put back" in repair()
    assert _files(library) == {"old.py"}


def test_a_damaged_journal_counts_only_if_nothing_was_moved(library):
    folder = _interrupted(library, b"{")
    with pytest.raises(CannotInstall, match="is damaged"):
        repair()
    (folder / "backup" / "lib" / "old.py").rename(library / "old.py")
    assert "was interrupted" in repair()
    assert _files(library) == {"old.py"}


@pytest.mark.parametrize("act", ["remove", "upgrade"])
def test_a_plugin_that_another_zoo_removed_meanwhile_is_gone(library, monkeypatch, act):
    about = library / "zoo_gone-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: zoo-gone\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(str(library))
    assert "zoo-gone" in environment.installed()
    right = install.transaction

    @contextmanager
    def after_a_wait(what):
        shutil.rmtree(about)
        with right(what) as change:
            yield change

    monkeypatch.setattr(install, "transaction", after_a_wait)
    candidate = install.Candidate("zoo-gone", "2.0", asked=True, replaces="1.0")
    plan = install.InstallPlan([], [candidate])
    acts = {
        "remove": lambda: install.remove(["zoo-gone"]),
        "upgrade": lambda: install.carry_out(plan, install.Options(no_index=True)),
    }
    with pytest.raises(CannotInstall, match=r"zoo-gone is gone: something else removed it"):
        acts[act]()
