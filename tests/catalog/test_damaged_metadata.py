"""Distributions whose metadata is damaged or forged: each is a failed plugin, and every command goes on."""

import json

import pytest

from zoo.catalog.host import examined
from zoo.catalog.points import installed_point, installed_points
from zoo.testing.commands import CommandLine

MODULE = 'import zoo\nZOO_API = ">=1.0,<2"\n'
GOOD = {
    "METADATA": b"Metadata-Version: 2.1\nName: zoo-odd\nVersion: 1.0\n",
    "entry_points.txt": b"[zoo.plugins]\nodd = zoo_odd\n",
    "RECORD": b"zoo_odd.py,,\nzoo_odd-1.0.dist-info/RECORD,,\n",
}
DAMAGED = {
    "entry points without =": {"entry_points.txt": b"[zoo.plugins]\nodd\n"},
    "entry points of no text": {"entry_points.txt": b"[zoo.plugins]\n\xff = zoo_odd\n"},
    "metadata of no text": {"METADATA": b"Name: zoo-odd\nVersion: 1.0\nSummary: \xff\xfe\n"},
    "no metadata": {"METADATA": None},
    "no name": {"METADATA": b"Metadata-Version: 2.1\nVersion: 1.0\n"},
    "no version": {"METADATA": b"Metadata-Version: 2.1\nName: zoo-odd\n"},
    "record of no text": {"RECORD": b"\xff,,\n"},
    "record with a size of letters": {"RECORD": b"zoo_odd.py,,abc\n"},
    "record with too many columns": {"RECORD": b"zoo_odd.py,,1,2,3\n"},
    "record with a blank line": {"RECORD": b"\nzoo_odd.py,,\n"},
    "no record": {"RECORD": None},
    "an origin without an address": {"direct_url.json": b'{"dir_info": {"editable": true}}'},
    "an origin of lists": {"direct_url.json": b'{"url": [], "dir_info": {"editable": true}}'},
    "an origin that is nested": {"direct_url.json": b"[" * 100_000},
    "an origin of no text": {"direct_url.json": b"\xff"},
    "top level of no text": {"top_level.txt": b"\xff\xfe\n"},
    "a value that is none": {"entry_points.txt": b"[zoo.plugins]\nodd = !!\n"},
    "a blank value": {"entry_points.txt": b"[zoo.plugins]\nodd =\n"},
    "a name that is zoo's": {"entry_points.txt": b"[zoo.plugins]\nzoo = zoo_odd\n"},
    "a name without end": {"entry_points.txt": b"[zoo.plugins]\n" + b"o" * 5000 + b" = zoo_odd\n"},
    "needs that cannot be compared": {
        "METADATA": b"Metadata-Version: 2.1\nName: zoo-odd\nVersion: 1.0\nRequires-Dist: six; os_name ~= 'lin'\n"
    },
}


def _lay(library, files, name="zoo_odd", module=MODULE):
    (library / f"{name}.py").write_text(module)
    about = library / f"{name}-1.0.dist-info"
    about.mkdir()
    for file, content in files.items():
        if content is not None:
            (about / file).write_bytes(content)


@pytest.mark.parametrize("kind", DAMAGED)
def test_damaged_metadata_is_no_more_than_a_failed_plugin(tmp_path, kind):
    _lay(tmp_path, GOOD | DAMAGED[kind])
    points = installed_points([str(tmp_path)])
    plugins = examined(points, {}, path=[str(tmp_path)])
    assert len(plugins) <= 1
    assert all(plugin.status in ("failed", "loaded") for plugin in plugins)
    assert all(len(plugin.reason) < 700 for plugin in plugins)


def test_with_all_kinds_of_damage_every_command_goes_on(environment):
    for number, kind in enumerate(DAMAGED):
        name = f"zoo_odd{number}"
        files = {file: content and content.replace(b"odd", f"odd{number}".encode()) for file, content in GOOD.items()}
        changed = {
            f: content and content.replace(b"odd", f"odd{number}".encode()) for f, content in DAMAGED[kind].items()
        }
        _lay(environment.library, files | changed, name)
    shell = CommandLine(environment.python)
    for command in (
        ["list", "--json"],
        ["heads"],
        ["info", "resnet50"],
        ["search", "bert"],
        ["plugins"],
        ["--version"],
    ):
        status, out, err = shell.run(*command)
        assert status == 0, err
        assert out
        assert "ZOO_DEBUG" not in err
    assert "efficientnet_lite0" in {row["name"] for row in json.loads(shell.run("list", "--json")[1])}
    status, out, _ = shell.run("doctor")
    assert status == 1
    assert "is damaged" in out
    assert shell.run("uninstall", "heads", "--dry-run")[0] == 0


def test_an_impostor_does_not_keep_the_real_plugin_from_being_built(tmp_path, monkeypatch):
    _lay(tmp_path, GOOD | {"entry_points.txt": b"[zoo.plugins]\nheads = zoo_odd\n"})
    monkeypatch.syspath_prepend(tmp_path)
    assert installed_point("heads").distribution == "tfzoo-heads"
    plugins = {(p.name, p.distribution): p for p in examined(installed_points(), {})}
    assert plugins["heads", "tfzoo-heads"].status == "loaded"
    assert "reserved" in plugins["heads", "zoo-odd"].reason


FORGED = """
import json, os, sys
frame = sys._getframe()
while frame and "said" not in frame.f_locals:
    frame = frame.f_back
weights = [{"name": "w", "source": "https://example.org/w", "bytes": 1, "licence": "MIT", "trained_on": "-"}]
spec = {"name": "odd_net", "modality": "image", "family": "f", "params": 1, "input": 8, "dim": 1}
spec |= {"features": ["pooled"], "licence": "MIT", "paper": "-", "build": "zoo_odd:build", "weights": weights}
answer = {"api": ">=1", "hooks": [], "offers": {"backbones": [spec]}, "seen": SEEN, "changes": ["x" * 10**6]}
os.write(frame.f_locals["said"].writes, json.dumps(answer).encode())
os._exit(0)
"""


@pytest.mark.parametrize("seen", ['{"/tmp/\\0x": [1, 1]}', "{}", '{"\\udc80": None}', "7"])
def test_an_answer_that_is_forged_silences_nothing(environment, seen):
    _lay(environment.library, GOOD, module=FORGED.replace("SEEN", seen))
    for _ in range(2):
        for command in (["list", "--json"], ["plugins"], ["heads"]):
            done = environment.zoo(*command)
            assert done.returncode == 0, done.stderr
            assert "ZOO_DEBUG" not in done.stderr
            assert len(done.stdout) < 10**6
    assert "efficientnet_lite0" in {row["name"] for row in json.loads(environment.zoo("list", "--json").stdout)}


@pytest.mark.parametrize("name", ["zoo-odd", "zoo_odd", "ZOO.Odd", "odd", "Odd"])
def test_a_plugin_is_switched_off_however_its_name_is_written(environment, tmp_path, name):
    _lay(environment.library, GOOD)
    own = {"ZOO_CONFIG": str(tmp_path / "config")}

    def status(**variables):
        listed = json.loads(environment.zoo("plugins", "--json", **own, **variables).stdout)
        return next(plugin["status"] for plugin in listed if plugin["name"] == "odd")

    assert status() == "loaded"
    assert status(ZOO_DISABLE=name) == "disabled"
    assert environment.zoo("plugins", "--disable", name, **own).returncode == 0
    assert status() == "disabled"
    assert environment.zoo("plugins", "--enable", "odd", **own).returncode == 0
    assert status() == "loaded"
