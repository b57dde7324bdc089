"""The way of a newcomer in docs/plugins.md, from `zoo new` to a model trained with the new backbone, as it stands."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("registry")
GUIDE = (Path(__file__).parent.parent.parent / "docs" / "plugins.md").read_text()


def test_the_way_in_the_guide_works_as_it_stands(emptied, few_pictures, tmp_path):
    (script,) = re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)
    assert script.startswith("zoo new my-nets\n")
    shutil.copytree(few_pictures, tmp_path / "photos")
    path = {"PATH": f"{emptied.env / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-e", "-c", script], cwd=tmp_path, env=os.environ | emptied.own | path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "14 passed" in done.stdout
    assert "my_nets_small" in done.stdout
    runs = sorted(run.name for run in (tmp_path / "runs").iterdir())
    assert runs == ["photos", "photos-2"]
    assert "accuracy" in (tmp_path / "runs" / "photos-2" / "metrics.json").read_text()


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
