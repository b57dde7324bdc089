"""Starting a plugin: what `zoo new` writes, and what it refuses. That it works is seen in test_install.py."""

import os
from pathlib import Path

import pytest

import zoo
from zoo.registry import scaffold


@pytest.mark.parametrize(("arguments", "files"), [(["--backbone"], {"backbone.py"}), (["--head"], {"head.py"})])
def test_only_a_backbone_or_only_a_head(zoo_command, tmp_path, arguments, files):
    folder = tmp_path / "half"
    assert zoo_command("new", "half", *arguments, "--to", folder).returncode == 0
    assert {path.name for path in (folder / "zoo_half").iterdir()} == files | {"__init__.py"}


def test_what_cannot_be_started_is_a_sentence(zoo_command, tmp_path):
    for name in ("../evil", "Has Space", "-x", ""):
        refused = zoo_command("new", "--to", tmp_path / "new", "--", name)
        assert refused.returncode == 1
        assert "cannot be a plugin's name" in refused.stderr
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").write_text("mine")
    occupied = zoo_command("new", "fine", "--to", tmp_path / "used")
    assert occupied.returncode == 1
    assert "not empty" in occupied.stderr
    assert [path.name for path in (tmp_path / "used").iterdir()] == ["file"]


def test_the_folder_of_the_shell_stays_the_same(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path.parent / f".new-{tmp_path.name}").mkdir()
    (tmp_path.parent / f".new-{tmp_path.name}" / "left.txt").write_text("by a killed run")
    before = tmp_path.stat().st_ino
    assert zoo.new_plugin("my-nets", ".") == Path(".")
    assert tmp_path.stat().st_ino == before
    assert sorted(os.listdir()) == [".gitignore", "README.md", "pyproject.toml", "tests", "zoo_my_nets"]


@pytest.mark.parametrize("there", [False, True])
def test_what_fails_leaves_nothing_behind(tmp_path, monkeypatch, there):
    folder = tmp_path / "new"
    if there:
        folder.mkdir()
    replace, calls = Path.replace, []

    def full(path, target):
        calls.append(path)
        if not there or len(calls) == 3:
            raise OSError(28, "No space left on device")
        return replace(path, target)

    monkeypatch.setattr(scaffold.Path, "replace", full)
    with pytest.raises(zoo.ZooError, match="No space left on device"):
        zoo.new_plugin("my-nets", folder)
    assert list(tmp_path.iterdir()) == ([folder] if there else [])
    assert not there or not any(folder.iterdir())
