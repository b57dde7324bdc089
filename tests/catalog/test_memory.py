"""What plugins say is remembered between commands, and never a moment too long: real pip, real environments."""

import json
import os
import subprocess
import sys
import time

import pytest

import zoo
from zoo.catalog import memory, settings

PLUGIN = """
    import pathlib
    import zoo
    from zoo_{name}.facts import NAMES

    ZOO_API = ">=1.0,<2"
    with open({log!r}, "a") as log:
        log.write("loaded\\n")

    @zoo.hookimpl
    def zoo_backbones():
        facts = dict(modality="image", family="f", params=1, input=8, dim=1, features=("pooled",), licence="MIT")
        more = pathlib.Path(__file__).with_name("more.txt").read_text().split()
        facts |= dict(paper="https://example.org", build="zoo_{name}:build")
        return [zoo.Backbone(name=n, **facts) for n in NAMES + more]
"""


def _write(environment, name, log, names):
    project = environment.write_plugin(name, PLUGIN.format(name=name, log=str(log)))
    (project / f"zoo_{name}" / "facts.py").write_text(f"NAMES = {names!r}\n")
    (project / f"zoo_{name}" / "more.txt").write_text("")
    return project


def _names(environment):
    listed = environment.zoo("list", "--json")
    assert listed.returncode == 0, listed.stderr
    return {row["name"] for row in json.loads(listed.stdout) if row["family"] == "f"}


def test_what_is_remembered_is_never_stale(environment, tmp_path):
    log = tmp_path / "log.txt"
    project = _write(environment, "memo", log, ["first"])
    source = project / "zoo_memo"

    def loads():
        return log.read_text().count("loaded")

    environment.install("-e", project)
    assert _names(environment) == {"first"}
    for _ in range(
        2
    ):  # what is younger than two seconds is not remembered, nor is a folder that code was compiled into
        time.sleep(2.1)
        _names(environment)
    before = loads()
    assert _names(environment) == {"first"}
    assert environment.zoo("info", "first").returncode == 0
    assert loads() == before, "nothing was remembered"

    (source / "facts.py").write_text("NAMES = ['other']\n")  # as long as it was
    assert _names(environment) == {"other"}
    (source / "more.txt").write_text("one\n")
    assert _names(environment) == {"other", "one"}
    (source / "facts").mkdir()
    (source / "facts" / "__init__.py").write_text("NAMES = ['in_its_stead']\n")
    assert _names(environment) == {"in_its_stead", "one"}

    (source / "facts" / "__init__.py").write_text("NAMES = [\n")
    assert _names(environment) == set()
    time.sleep(2.1)
    assert _names(environment) == set()
    (source / "facts" / "__init__.py").write_text("NAMES = ['mended']\n")
    assert _names(environment) == {"mended", "one"}

    time.sleep(2.1)
    assert _names(environment) == {"mended", "one"}
    environment.install(_write(environment, "second", log, ["another"]))
    assert _names(environment) == {"mended", "one", "another"}
    (environment.folder / "project-second" / "zoo_second" / "facts.py").write_text("NAMES = ['upgraded']\n")
    project_file = environment.folder / "project-second" / "pyproject.toml"
    project_file.write_text(project_file.read_text().replace('version = "1.0"', 'version = "2.0"'))
    assert _names(environment) == {"mended", "one", "another"}
    environment.install("--upgrade", environment.folder / "project-second")
    assert _names(environment) == {"mended", "one", "upgraded"}
    pip = [environment.python, "-m", "pip", "uninstall", "--quiet", "--yes", "zoo-second", "zoo-memo"]
    subprocess.run(pip, check=True, capture_output=True)
    assert _names(environment) == set()


def test_a_memory_that_is_damaged_or_cannot_be_written_is_no_harm(environment, tmp_path):
    environment.install(_write(environment, "memo", tmp_path / "log.txt", ["first"]))
    own = {"ZOO_CACHE": str(tmp_path / "cache")}
    for _ in range(2):
        environment.zoo("list", **own)
        time.sleep(2.1)
    environment.zoo("list", **own)
    (memory,) = (tmp_path / "cache" / "catalog").iterdir()
    for damage in (b"", b"{", b'{"seen": {}, "plugins": 3}', b'{"seen": {}, "plugins": [{"name": 7}]}', b"\xff"):
        memory.write_bytes(damage)
        assert "first" in environment.zoo("list", **own).stdout
    blocked = tmp_path / "a-file"
    blocked.write_text("no folder")
    listed = environment.zoo("list", ZOO_CACHE=str(blocked))
    assert listed.returncode == 0
    assert "first" in listed.stdout


def test_files_are_heard_of_by_one_hook_however_often(monkeypatch):
    hooks = []
    monkeypatch.setattr(sys, "addaudithook", hooks.append)
    memory._listen.cache_clear()
    for _ in range(3):
        with memory.noting() as outer, memory.noting() as inner:
            for hook in hooks:
                hook("open", (__file__, "r", os.O_RDONLY))
        assert __file__ in outer
        assert __file__ in inner
    assert len(hooks) == 1
    assert memory._noting == []
    memory._listen.cache_clear()


@pytest.mark.parametrize(
    ("content", "act"),
    [
        ("{", settings.registries),
        ("[]", settings.disabled_plugins),
        ('{"disabled": "heads"}', settings.disabled_plugins),
        ('{"registries": [1]}', settings.registries),
        ("{", lambda: settings.set_disabled("heads", off=True)),
        ("[]", lambda: settings.set_registry("r.toml", use=True)),
        ('{"disabled": "heads"}', lambda: settings.set_disabled("heads", off=True)),
    ],
)
def test_damaged_settings_are_said_and_never_overwritten(content, act, monkeypatch, tmp_path):
    monkeypatch.setenv("ZOO_CONFIG", str(tmp_path))
    (tmp_path / "settings.json").write_text(content)
    with pytest.raises(zoo.ZooError, match=r"settings\.json are damaged: .*Repair the file; or delete it"):
        act()
    assert (tmp_path / "settings.json").read_text() == content


def test_where_there_can_be_no_settings_there_are_none(monkeypatch):
    monkeypatch.setenv("ZOO_CONFIG", os.devnull)
    assert settings.registries() == []
    assert settings.disabled_plugins() == {}


def test_damaged_settings_are_a_problem_that_doctor_reports(monkeypatch, tmp_path):
    monkeypatch.setenv("ZOO_CONFIG", str(tmp_path))
    (tmp_path / "settings.json").write_text("{")
    report = zoo.doctor()
    assert any("settings.json are damaged" in problem for problem in report["problems"])
    assert report["facts"]["python"]
