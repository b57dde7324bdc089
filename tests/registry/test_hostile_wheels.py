"""Wheels that somebody made to do harm: refused with a sentence, and the environment is as it was."""

import os
import shutil
import stat
import zipfile

import pytest


def _rewritten(wheel, folder, *members, keep=True):
    """A copy of a wheel with more members: pairs of a name or `ZipInfo`, and the content."""
    folder.mkdir(exist_ok=True)
    copy = folder / wheel.name
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist() if keep else ():
            new.writestr(member, old.read(member))
        for name, content in members:
            new.writestr(name, content)
    return copy


def _called(wheel, name):
    """Let the plugin in a wheel have another name."""
    with zipfile.ZipFile(wheel) as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    (points,) = [member for member in members if member.endswith("entry_points.txt")]
    (record,) = [member for member in members if member.endswith("RECORD")]
    module = members[points].decode().rpartition("=")[2].strip()
    members[points] = f"[zoo.plugins]\n{name} = {module}\n".encode()
    lines = [line for line in members[record].splitlines(keepends=True) if b"entry_points" not in line]
    members[record] = b"".join([*lines, f"{points},,\n".encode()])
    with zipfile.ZipFile(wheel, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return wheel


def _link(name):
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


HOSTILE = {
    "above": ([("../../../above.py", "")], "would be written outside"),
    "above in the data": ([("zoo_evil-1.0.data/data/../../../above.py", "")], "would be written outside"),
    "absolute": ([("/tmp/absolute.py", "")], "would be written outside"),
    "of Windows": ([("C:\\absolute.py", "")], "would be written outside"),
    "link": ([(_link("zoo_evil_link"), "/etc/passwd")], "it has links"),
    "bomb": ([("zoo_evil_bomb.py", b"\0" * 200_000_000)], "more than 100 times its size"),
    "twice": ([("zoo_evil.py", "import os")], "several members with the same name"),
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_hostile_wheel_changes_nothing(emptied, tmp_path, kind):
    members, said = HOSTILE[kind]
    wheel = _rewritten(emptied.add_wheel("evil"), tmp_path / "evil", *members)
    before = emptied.state()
    around = {path: path.stat().st_size for path in tmp_path.rglob("*")}
    offline = ["--no-index"]
    refused = emptied.zoo("install", wheel, "--yes", *offline)
    assert refused.returncode == 1
    assert said in refused.stderr.splitlines()[-1]
    assert emptied.state() == before
    assert {path: path.stat().st_size for path in tmp_path.rglob("*")} == around
    named = emptied.zoo("install", "zoo-evil", "--yes", "--find-links", wheel.parent, *offline)
    assert named.returncode == 1
    assert said in named.stderr
    assert emptied.state() == before


@pytest.mark.parametrize("content", [b"", b"PK", os.urandom(2000), b"PK\x03\x04" + bytes(500)])
def test_what_is_no_wheel_is_a_sentence(emptied, tmp_path, content):
    wheel = tmp_path / "zoo_evil-1.0-py3-none-any.whl"
    wheel.write_bytes(content)
    refused = emptied.zoo("install", wheel, "--yes", "--no-index")
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith("zoo: ")
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("name", ["od\x1bd", "od\u202ed", "o d", "../odd", "öd", "-odd", ""])
def test_a_plugin_with_a_name_that_is_none_is_refused(emptied, tmp_path, name):
    wheel = emptied.add_wheel("named")
    changed = _called(shutil.copy(wheel, tmp_path), name)
    before = emptied.state()
    refused = emptied.zoo("install", changed, "--yes", "--no-index")
    assert refused.returncode == 1
    assert "\x1b" not in refused.stderr
    assert "\u202e" not in refused.stderr
    assert refused.stderr.splitlines()[-1].startswith("zoo: ")
    assert emptied.state() == before


def test_two_distributions_that_offer_one_plugin_name_are_both_named(emptied):
    first = emptied.add_wheel("twin")
    second = emptied.add_wheel("sibling", emptied.module("sibling", "sibling_net"))
    _called(second, "twin")
    before = emptied.state()
    offline = ["--no-index", "--yes"]
    assert emptied.zoo("install", first, *offline).returncode == 0
    refused = emptied.zoo("install", second, *offline)
    assert refused.returncode == 1
    assert "zoo-sibling 1.0 and zoo-twin 1.0 offer a plugin of this name" in refused.stderr
    assert "twin_net" in emptied.zoo("list").stdout
    emptied.pip_installs(second)
    plugins = emptied.zoo("plugins").stdout
    assert plugins.count("failed") == 2
    assert "zoo-sibling 1.0 and zoo-twin 1.0 offer a plugin of this name" in plugins
    assert "zoo uninstall zoo-sibling" in emptied.zoo("doctor").stdout
    unclear = emptied.zoo("uninstall", "twin", "--yes")
    assert unclear.returncode == 1
    assert "Name one of these distributions" in unclear.stderr
    assert emptied.zoo("plugins", "--disable", "zoo-sibling").returncode == 0
    assert "disabled" in emptied.zoo("plugins").stdout
    assert emptied.zoo("plugins", "--enable", "zoo-sibling").returncode == 0
    assert emptied.zoo("uninstall", "zoo-sibling", "--yes").returncode == 0
    assert "twin_net" in emptied.zoo("list").stdout
    assert emptied.zoo("uninstall", "twin", "--yes").returncode == 0
    assert emptied.state() == before


def test_nobody_takes_the_name_of_a_plugin_of_the_registry(emptied):
    wheel = emptied.add_wheel("thief", emptied.module("thief", "thief_net"))
    _called(wheel, "heads")
    before = emptied.state()
    emptied.pip_installs(wheel)
    assert "classification" in emptied.zoo("heads").stdout
    assert "the name heads is reserved for the plugin in tfzoo-heads" in emptied.zoo("plugins").stdout
    assert emptied.zoo("uninstall", "zoo-thief", "--yes").returncode == 0
    assert emptied.state() == before


def test_a_record_that_names_files_of_others_removes_none(emptied):
    victim = emptied.add_wheel("victim")
    wheel = emptied.add_wheel("greedy")
    before = emptied.state()
    emptied.pip_installs(victim)
    emptied.pip_installs(wheel)
    (record,) = emptied.library.glob("zoo_greedy-1.0.dist-info/RECORD")
    rows = ["zoo_victim.py", "zoo_victim-1.0.dist-info/RECORD", "../../../bin/python", "../../../pyvenv.cfg"]
    record.write_text(record.read_text() + "".join(f"{row},,\n" for row in rows))
    removed = emptied.zoo("uninstall", "greedy", "--yes")
    assert removed.returncode == 0, removed.stderr
    assert emptied.python.exists()
    assert "victim_net" in emptied.zoo("list").stdout
    assert emptied.zoo("uninstall", "victim", "--yes").returncode == 0
    assert emptied.state() == before


SURPRISES = {
    "a record with more": ("RECORD", "zoo_evil.py,,\nsix.py,,\n", "names six.py, which is not in it"),
    "a path file": ("zoo_evil.pth", "import os; os._exit(0)\n", "would run whenever Python starts"),
    "sitecustomize": ("sitecustomize.py", "import os; os._exit(0)\n", "would run whenever Python starts"),
    "a path file in the data": ("zoo_evil-1.0.data/purelib/zoo.pth", "import os\n", "would run whenever Python starts"),
    "a hidden distribution": (
        "zoo_evil-1.0.data/purelib/hidden-9.dist-info/METADATA",
        "Metadata-Version: 2.1\nName: tfzoo-kerashub\nVersion: 9\n",
        "a distribution that the plan does not name",
    ),
}


@pytest.mark.parametrize("kind", SURPRISES)
def test_what_is_more_than_the_plan_says_is_refused(emptied, tmp_path, kind):
    name, content, said = SURPRISES[kind]
    wheel = emptied.add_wheel("evil")
    copy = tmp_path / wheel.name
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(copy, "w") as new:
        for member in old.namelist():
            text = old.read(member)
            if name == "RECORD" and member.endswith("RECORD"):
                text += content.encode()
            new.writestr(member, text)
        if name != "RECORD":
            new.writestr(name, content)
    before = emptied.state()
    refused = emptied.zoo("install", copy, "--yes", "--no-index")
    assert refused.returncode == 1
    assert said in refused.stderr.splitlines()[-1], refused.stderr
    assert emptied.state() == before


def test_metadata_that_unpack_without_end_are_refused_before_pip_reads_them(emptied, tmp_path):
    wheel = _rewritten(emptied.add_wheel("evil"), tmp_path / "evil", ("more/METADATA", b"\0" * 300_000_000))
    refused = emptied.zoo("install", wheel, "--dry-run", "--no-index")
    assert refused.returncode == 1
    assert "more than 100 times its size" in refused.stderr


def test_what_a_plugin_needs_may_have_path_files_and_scripts(emptied, tmp_path):
    """As setuptools has: it is said, and not refused."""
    before = emptied.state()
    wheel = emptied.add_wheel("helper", "def main():\n    print('help')\n", plugin=False)
    members = [
        ("zoo_helper.pth", "import sys\n"),
        ("zoo_helper-1.0.data/scripts/zoo-help", "#!python\nprint('help')\n"),
    ]
    helper = _rewritten(wheel, tmp_path / "needs", *members)
    with zipfile.ZipFile(helper) as archive:
        kept = {name: archive.read(name) for name in archive.namelist()}
    (record,) = [name for name in kept if name.endswith("RECORD")]
    kept[record] += b"zoo_helper.pth,,\nzoo_helper-1.0.data/scripts/zoo-help,,\n"
    with zipfile.ZipFile(helper, "w") as archive:
        for name, content in kept.items():
            archive.writestr(name, content)
    plugin = emptied.add_wheel("needy", needs='"zoo-helper"')
    done = emptied.zoo("install", plugin, "--yes", "--no-index", "--find-links", helper.parent)
    assert done.returncode == 0, done.stderr
    assert "Note: zoo-helper, which it needs, brings zoo_helper.pth, which runs whenever Python starts." in done.stderr
    assert (emptied.env / "bin" / "zoo-help").exists()
    assert emptied.zoo("uninstall", "needy", "--yes").returncode == 0
    assert emptied.state() == before
