"""Writing entries: what an entry says of where its plugin comes from, and what else of a registry stays."""

import hashlib
import json
import tomllib
import zipfile
from importlib import metadata

import pytest

from zoo.catalog.host import examined
from zoo.catalog.points import installed_points
from zoo.errors import BadRegistry
from zoo.registry.describe import _source, _unpacked, write
from zoo.registry.environment import is_editable
from zoo.registry.format import Artefact, Entry, parse

SHA256 = "0" * 64
WHEEL = "https://example.org/zoo_tiny-1.0-py3-none-any.whl"
FILE = """# The plugins of our house.
format = 1

# Ann looks after this one.
[[plugins]]  # first
name = "one"
summary = "A plugin"
distribution = "zoo-one"
requirement = "zoo-one==1.0"
api = ">=1.0,<2"
licence = "MIT"

# Bob looks after this one.
[[ plugins ]]
summary = "A plugin"
name = 'two'
distribution = "zoo-two"
requirement = "zoo-two==1.0"
api = ">=1.0,<2"
licence = "MIT"
# The end.
"""


def _entry(name, **more):
    facts = {
        "summary": "Another",
        "requirement": f"zoo-{name}==2.0",
        "api": ">=1.0,<2",
        "licence": "MIT",
        "homepage": "https://example.org",
    }
    return Entry(name=name, distribution=f"zoo-{name}", **facts | more)


@pytest.mark.parametrize("name", ["one", "two", "three"])
def test_everything_else_of_a_registry_stays(tmp_path, name):
    registry = tmp_path / "registry.toml"
    registry.write_text(FILE)
    write([_entry(name)], registry)
    text = registry.read_text()
    before, after = (tomllib.loads(one)["plugins"] for one in (FILE, text))
    assert [one["name"] for one in after] == ["one", "two", *(["three"] if name == "three" else [])]
    assert [one for one in after if one["name"] != name] == [one for one in before if one["name"] != name]
    assert next(one for one in after if one["name"] == name)["summary"] == "Another"
    assert [line for line in text.splitlines() if "#" in line] == [line for line in FILE.splitlines() if "#" in line]
    write([_entry(name)], registry)
    assert registry.read_text() == text


@pytest.mark.parametrize(
    "content",
    [
        'format = 1\nplugins = [{ name = "one" }]\n',
        FILE.replace('summary = "A plugin"', 'summary = """\n[[plugins]]\nname = "one"\n"""', 1),
    ],
)
def test_a_registry_that_would_lose_an_entry_is_not_written(tmp_path, content):
    registry = tmp_path / "registry.toml"
    registry.write_text(content)
    with pytest.raises(BadRegistry):
        write([_entry("one")], registry)
    assert registry.read_text() == content


def test_a_plugin_with_a_modality_is_written(tmp_path):
    registry = tmp_path / "registry.toml"
    write([_entry("sounds", modalities=("sound", "speech"))], registry)
    entries, problems = parse(registry.read_bytes(), "it")
    assert (entries[0].modalities, problems) == (("sound", "speech"), [])


def _distribution(folder, origin):
    about = folder / "zoo_tiny-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: zoo-tiny\nVersion: 1.0\n")
    (about / "direct_url.json").write_text(origin if isinstance(origin, str) else json.dumps(origin))
    return metadata.PathDistribution(about)


@pytest.mark.parametrize(
    ("origin", "editable"),
    [
        ('{"url":"file:///x","dir_info":{"editable":true}}', True),
        ('{"url": "file:///x", "dir_info": {"editable": true}}', True),
        ('{"url":"file:///x","dir_info":{"editable":false}}', False),
        ('{"url":"file:///x","archive_info":{}}', False),
        ("damaged", False),
    ],
)
def test_editable_as_pip_and_as_uv_write_it(tmp_path, origin, editable):
    assert is_editable(_distribution(tmp_path, origin)) is editable


@pytest.mark.parametrize("recorded", [{"hashes": {"sha256": SHA256}}, {"hash": f"sha256={SHA256}"}])
def test_a_plugin_from_an_address_has_that_address_and_hash(tmp_path, recorded):
    found = _source(_distribution(tmp_path, {"url": WHEEL, "archive_info": recorded}), tmp_path)
    assert found == {"requirement": WHEEL, "artefacts": (Artefact("zoo_tiny-1.0-py3-none-any.whl", SHA256),)}
    write([_entry("tiny", **found)], tmp_path / "registry.toml")


def test_a_plugin_from_a_file_with_a_space_in_its_path(tmp_path):
    wheel = tmp_path / "my wheels" / "zoo_tiny-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    wheel.write_bytes(b"content")
    distribution = _distribution(tmp_path, {"url": wheel.as_uri(), "archive_info": {}})
    (artefact,) = _source(distribution, tmp_path.resolve())["artefacts"]
    assert artefact.sha256 == hashlib.sha256(b"content").hexdigest()


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        ({"url": WHEEL, "archive_info": {}}, "no sha256 of it was recorded"),
        ({"url": "https://example.org/zoo.tar.gz", "archive_info": {}}, "which is not a wheel"),
        ({"url": "file:///nowhere/zoo_tiny-1.0-py3-none-any.whl", "archive_info": {}}, "outside"),
        (
            {"url": "https://example.org/a", "subdirectory": "b", "vcs_info": {"vcs": "git", "commit_id": "0" * 40}},
            "only name the top folder",
        ),
    ],
)
def test_what_a_registry_cannot_name_is_a_sentence(tmp_path, origin, said):
    with pytest.raises(BadRegistry, match=said):
        _source(_distribution(tmp_path, origin), tmp_path)


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([("zeros.bin", b"\0" * 5_000_000)], "times its size"),
        ([("../outside.py", b"")], "outside its folder"),
        ([("/outside.py", b"")], "outside its folder"),
        ([("a\\..\\..\\outside.py", b"")], "outside its folder"),
        ([("twice.py", b"1"), ("twice.py", b"2")], "same name"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_hostile_wheel_is_refused_before_it_is_unpacked(tmp_path, members, said):
    wheel, folder = tmp_path / "zoo_x-1.0-py3-none-any.whl", tmp_path / "folder"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zoo_x-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: zoo-x\nVersion: 1.0\n")
        for name, content in members:
            archive.writestr(name, content)
    with pytest.raises(BadRegistry, match=said):
        _unpacked(wheel, str(folder))
    assert not folder.exists()


def test_what_a_plugin_says_in_another_alphabet_arrives_whatever_the_locale(tmp_path, monkeypatch):
    about = tmp_path / "zoo_greek-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: zoo-greek\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[zoo.plugins]\ngreek = zoo_greek\n")
    (tmp_path / "zoo_greek.py").write_text("print('before')\nraise RuntimeError('ζῷον')\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    folder = [str(tmp_path)]
    (plugin,) = examined(installed_points(folder), {}, path=folder)
    assert "ζῷον" in plugin.reason
    monkeypatch.setenv("PYTHONIOENCODING", "utf-16")
    assert examined([], {}) == []
