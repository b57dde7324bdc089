"""Starting a plugin: what `zoo new` writes, and what it refuses. That it works is seen in test_install.py."""

import pytest


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
