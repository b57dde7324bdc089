"""Plugins come and go in a real environment that starts empty, and what goes wrong changes nothing.

Real wheels, real pip, real processes killed with SIGKILL; all of it in one environment, so in one file.
"""

import contextlib
import json
import os
import pty
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

GUIDE = (Path(__file__).parent.parent.parent / "docs" / "plugins.md").read_text()


def _offline(emptied):
    return ["--find-links", emptied.wheels, "--no-index"]


@pytest.fixture(scope="module")
def before(emptied):
    """The environment before any of these tests; each has to leave it so."""
    assert emptied.zoo("plugins").returncode == 0
    return emptied.state()


def _assert_as_before(emptied, before):
    freeze, files = emptied.state()
    assert freeze == before[0]
    assert files == before[1]
    assert not (emptied.library / ".zoo-install").exists()


def test_a_plugin_is_found_installed_trained_upgraded_and_removed(emptied, before, few_pictures, tmp_path):
    registry = tmp_path / "registry.toml"
    places = tmp_path / "wheels"
    places.mkdir()
    emptied.add_wheel("helper", "VALUE = 1\n", plugin=False)
    first = emptied.add_wheel("tiny", needs='"tfzoo>=0.1"')
    shutil.copy(first, places)
    added = emptied.zoo("registry", "add", places / first.name, "--to", registry)
    assert added.returncode == 0, added.stderr
    assert emptied.zoo("registry", "check", registry).returncode == 0
    known = {"ZOO_REGISTRY": str(registry)}

    assert "tiny" not in emptied.zoo("search", "tiny_net").stdout
    found = json.loads(emptied.zoo("search", "tiny_net", "--registry", registry, "--json").stdout)
    assert [(one["name"], one["installed"], one["matches"]["backbones"]) for one in found] == [
        ("tiny", None, ["tiny_net"])
    ]
    unknown = emptied.zoo("train", "tiny_net", few_pictures, **known)
    assert unknown.returncode == 1
    assert "The plugin tiny offers tiny_net: zoo install tiny" in unknown.stderr
    assert "offers tiny_net" in emptied.zoo("info", "tiny_nett", **known).stderr

    planned = emptied.zoo("install", "tiny", "--dry-run", *_offline(emptied), **known)
    assert planned.returncode == 0, planned.stderr
    assert "UNVERIFIED" in planned.stdout
    unasked = emptied.zoo("install", "tiny", *_offline(emptied), **known)
    assert unasked.returncode == 1
    assert "--yes" in unasked.stderr
    _assert_as_before(emptied, before)

    installed = emptied.zoo("install", "tiny", "--yes", *_offline(emptied), **known)
    assert installed.returncode == 0, installed.stderr
    assert "tiny_net" in installed.stdout
    assert "installed already" in emptied.zoo("install", "tiny", "--yes", *_offline(emptied), **known).stdout
    assert "tiny_net" in emptied.zoo("list").stdout
    trained = emptied.zoo("train", "tiny_net", few_pictures, "--epochs", 1, "--out", tmp_path / "run", "--json")
    assert trained.returncode == 0, trained.stderr
    assert json.loads(trained.stdout)["backbone"] == "tiny_net"

    assert "up to date" in emptied.zoo("upgrade", "tiny", "--yes", *_offline(emptied), **known).stdout
    module = emptied.module("tiny", "tiny_net_2")
    second = emptied.add_wheel("tiny", module, version="2.0", needs='"tfzoo>=0.1", "zoo-helper"')
    shutil.copy(second, places)
    assert emptied.zoo("registry", "add", places / second.name, "--to", registry).returncode == 0
    upgraded = emptied.zoo("upgrade", "--yes", "--json", *_offline(emptied), **known)
    assert upgraded.returncode == 0, upgraded.stderr
    steps = {step["distribution"]: step for step in json.loads(upgraded.stdout)["plan"]}
    assert steps["zoo-tiny"]["replaces"] == "1.0"
    assert steps["zoo-helper"]["asked"] is False
    names = [row["name"] for row in json.loads(emptied.zoo("list", "tiny_net", "--json").stdout)]
    assert names == ["tiny_net_2"]

    removed = emptied.zoo("uninstall", "tiny", "--yes", "--json")
    assert removed.returncode == 0, removed.stderr
    assert json.loads(removed.stdout)["removed"] == {"zoo-tiny": "2.0", "zoo-helper": "1.0"}
    assert emptied.zoo("uninstall", "tiny", "--yes").returncode == 1
    _assert_as_before(emptied, before)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("raises", {"module": "raise RuntimeError('no luck today')"}, "no luck today"),
        ("exits", {"module": "import os\nos._exit(3)"}, "ends the process that loads it (exit status 3)"),
        ("heavy", {"first": "import keras"}, "imports tensorflow and keras"),
        ("future", {"api": ">=7,<8"}, "plugin API >=7,<8"),
        ("old_keras", {"needs": '"keras<3"'}, "keras"),
        ("other_zoo", {"needs": '"tfzoo>=9"'}, "tfzoo"),
        ("needs_none", {"needs": '"zoo-nowhere>=1"'}, "zoo-nowhere"),
        ("no_plugin", {"module": "VALUE = 1", "plugin": False}, "no entry point"),
        ("heads", {}, "the name heads is reserved for the plugin in tfzoo-heads"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_plugin_that_cannot_be_used_is_refused_and_nothing_changes(emptied, before, name, options, said):
    first, api = options.pop("first", ""), options.pop("api", ">=1.0,<2")
    whole = f"{first}\n{emptied.module(name, f'{name}_net')}".replace(">=1.0,<2", api)
    wheel = emptied.add_wheel(name, **{"module": whole} | options)
    refused = emptied.zoo("install", wheel, "--yes", *_offline(emptied))
    assert refused.returncode == 1
    assert said in refused.stderr
    assert refused.stderr.splitlines()[-1].startswith("zoo: ")
    assert "Traceback" not in refused.stderr
    _assert_as_before(emptied, before)


@pytest.mark.parametrize("asked", ["nowhere.whl", "./nowhere", "-r", "--target=/", "a b", "http://example.org/x.whl"])
def test_what_cannot_be_a_plugin_is_a_sentence(emptied, asked):
    refused = emptied.zoo("install", "--yes", *_offline(emptied), "--", asked)
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith("zoo: ")
    assert "Traceback" not in refused.stderr


def test_a_wheel_with_another_hash_is_refused(emptied, before, tmp_path):
    wheel = shutil.copy(emptied.add_wheel("altered"), tmp_path)
    registry = tmp_path / "registry.toml"
    assert emptied.zoo("registry", "add", wheel, "--to", registry).returncode == 0
    emptied.add_wheel("altered", emptied.module("altered", "other_net"))
    shutil.copy(emptied.wheels / "zoo_altered-1.0-py3-none-any.whl", tmp_path)
    refused = emptied.zoo("install", "altered", "--yes", "--registry", registry, *_offline(emptied))
    assert refused.returncode == 1
    assert "sha256" in refused.stderr
    _assert_as_before(emptied, before)


def test_what_came_for_a_plugin_goes_with_it_though_an_extra_of_another_names_it(emptied, before):
    emptied.add_wheel("helper", "VALUE = 1\n", plugin=False)
    wheels = [emptied.add_wheel("keeper", extra='"zoo-helper"'), emptied.add_wheel("user", needs='"zoo-helper"')]
    assert emptied.zoo("install", *wheels, "--yes", *_offline(emptied)).returncode == 0
    removed = json.loads(emptied.zoo("uninstall", "user", "--yes", "--json").stdout)["removed"]
    assert set(removed) == {"zoo-user", "zoo-helper"}
    assert "keeper_net" in emptied.zoo("list").stdout
    assert emptied.zoo("uninstall", "keeper", "--yes").returncode == 0
    _assert_as_before(emptied, before)


def test_what_somebody_asked_pip_for_stays(emptied, before):
    helper = emptied.add_wheel("helper", "VALUE = 1\n", plugin=False)
    pip = [emptied.python, "-m", "pip", "--quiet"]
    subprocess.run([*pip, "install", "--no-index", helper], check=True)
    assert (
        emptied.zoo("install", emptied.add_wheel("user", needs='"zoo-helper"'), "-y", *_offline(emptied)).returncode
        == 0
    )
    removed = json.loads(emptied.zoo("uninstall", "user", "--yes", "--json").stdout)["removed"]
    assert set(removed) == {"zoo-user"}
    subprocess.run([*pip, "uninstall", "--yes", "zoo-helper"], check=True)
    _assert_as_before(emptied, before)


@pytest.mark.parametrize("victim", ["keras/__init__.py", "six.py", "zoo/errors.py"])
def test_a_wheel_cannot_change_what_belongs_to_others(emptied, before, victim):
    wheel = emptied.add_wheel("thief")
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr(victim, "raise SystemExit('stolen')\n")
    refused = emptied.zoo("install", wheel, "--yes", *_offline(emptied))
    assert refused.returncode == 1
    assert (
        f"would overwrite lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages/{victim}"
        in refused.stderr
    )
    _assert_as_before(emptied, before)


def test_a_plugin_that_broke_later_stops_nothing_and_is_removed(emptied, before):
    assert emptied.zoo("install", emptied.add_wheel("breaks"), "--yes", *_offline(emptied)).returncode == 0
    (emptied.library / "zoo_breaks.py").write_text("import nothing_of_the_kind\n")
    assert emptied.zoo("list").returncode == 1  # there is no other backbone in this environment
    assert "nothing_of_the_kind" in emptied.zoo("plugins").stdout
    doctor = emptied.zoo("doctor")
    assert doctor.returncode == 1
    assert "zoo uninstall zoo-breaks" in doctor.stdout
    (emptied.library / "zoo_breaks.py").write_text("import os\nos._exit(7)\n")
    assert emptied.zoo("list").returncode == 1
    assert "it ends the process that loads it (exit status 7)" in emptied.zoo("plugins").stdout
    removed = emptied.zoo("uninstall", "breaks", "--yes")
    assert removed.returncode == 0, removed.stderr
    _assert_as_before(emptied, before)


def _kill_when(emptied, seen, *arguments):
    """Start a command with its children, kill all of them with SIGKILL at the moment when `seen()` is true."""
    command = [emptied.env / "bin" / "zoo", *map(str, arguments)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(
        command, env=os.environ | emptied.own, cwd=emptied.folder, start_new_session=True, **quiet
    )
    deadline = time.monotonic() + 120
    while not seen():
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def _many_files(emptied):
    """A plugin with so many files that moving them takes a while."""
    project = emptied.folder / "projects" / "many"
    if not project.exists():
        module = emptied.module("many", "many_net")
        emptied.add_wheel("many", module)
        (made,) = (emptied.folder / "projects").glob("many-*")
        made.rename(project)
        for number in range(4000):
            (project / f"zoo_many_{number}.py").write_text(f"NUMBER = {number}\n")
        emptied.rebuild(project)
    return emptied.wheels / "zoo_many-1.0-py3-none-any.whl"


def test_killed_while_files_are_laid_out(emptied, before):
    wheel = _many_files(emptied)
    staging = emptied.library / ".zoo-install" / "stage"
    _kill_when(emptied, lambda: list(staging.rglob("zoo_many_1*.py")), "install", wheel, "--yes", *_offline(emptied))
    doctor = emptied.zoo("doctor")
    assert "interrupted; the environment was put back" in doctor.stdout
    _assert_as_before(emptied, before)


def test_killed_while_files_are_moved_in(emptied, before):
    wheel = _many_files(emptied)
    _kill_when(
        emptied, lambda: list(emptied.library.glob("zoo_many_*.py")), "install", wheel, "--yes", *_offline(emptied)
    )
    assert len(list(emptied.library.glob("zoo_many_*.py"))) < 4000
    again = emptied.zoo("install", emptied.add_wheel("tiny"), "--yes", *_offline(emptied))
    assert again.returncode == 0, again.stderr
    assert "was interrupted" in again.stderr
    assert not list(emptied.library.glob("zoo_many*"))
    assert emptied.zoo("uninstall", "tiny", "--yes").returncode == 0
    _assert_as_before(emptied, before)


def test_killed_while_the_plugin_is_tried(emptied, before, tmp_path):
    marker = tmp_path / "imported"
    module = f"import time\nopen({str(marker)!r}, 'w').close()\ntime.sleep(60)\n"
    wheel = emptied.add_wheel("sleeps", module)
    _kill_when(emptied, marker.exists, "install", wheel, "--yes", *_offline(emptied))
    assert (emptied.library / "zoo_sleeps.py").exists()
    doctor = emptied.zoo("doctor")
    assert "zoo-sleeps was interrupted" in doctor.stdout
    _assert_as_before(emptied, before)


def test_killed_while_a_plugin_is_removed(emptied, before):
    assert emptied.zoo("install", _many_files(emptied), "--yes", *_offline(emptied)).returncode == 0
    whole = emptied.state()
    backup = emptied.library / ".zoo-install" / "backup"
    _kill_when(emptied, lambda: list(backup.rglob("zoo_many_1*.py")), "uninstall", "many", "--yes")
    assert "many" in emptied.zoo("doctor").stdout
    assert emptied.state() == whole
    assert "many_net" in emptied.zoo("list").stdout
    assert emptied.zoo("uninstall", "many", "--yes").returncode == 0
    _assert_as_before(emptied, before)


def test_what_a_killed_install_of_version_0_1_0_left_is_put_right(emptied, before):
    """Of three files one was moved away, one moved in, and one not yet; folders and journal are that version's."""
    left, site = emptied.library / ".zoo-install", emptied.library.relative_to(emptied.env)
    for folder in ("stage", "backup"):
        (left / folder / site).mkdir(parents=True)
    (emptied.library / "six.py").rename(left / "backup" / site / "six.py")
    (emptied.library / "zoo_old.py").write_text("OLD = True\n")
    (left / "stage" / site / "zoo_old_more.py").write_text("MORE = True\n")
    moves = {"add": [f"{site}/zoo_old.py", f"{site}/zoo_old_more.py"], "remove": [f"{site}/six.py"]}
    journal = {"what": "The installation of zoo-old", "state": "moving", **moves}
    (left / "journal.json").write_text(json.dumps(journal))
    doctor = emptied.zoo("doctor")
    assert "The installation of zoo-old was interrupted; the environment was put back as it was" in doctor.stdout
    _assert_as_before(emptied, before)


def test_a_person_at_a_terminal_is_shown_the_plan_and_asked(emptied, before):
    ours, theirs = pty.openpty()
    streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    process = subprocess.Popen(
        [emptied.env / "bin" / "zoo", "uninstall", "heads"], env=os.environ | emptied.own, **streams
    )
    os.close(theirs)
    os.write(ours, b"n\n")
    said = b""
    with contextlib.suppress(OSError):  # the process has ended
        while chunk := os.read(ours, 1 << 16):
            said += chunk
    os.close(ours)
    assert process.wait() == 1
    assert b"tfzoo-heads" in said
    assert b"Remove? [y/N]" in said
    assert b"zoo: Nothing was changed." in said
    _assert_as_before(emptied, before)


def test_python_plans_asks_installs_and_removes(emptied, before):
    emptied.add_wheel("helper", "VALUE = 1\n", plugin=False)
    wheel = emptied.add_wheel("user", needs='"zoo-helper"')
    program = f"""
import zoo

options = dict(find_links=[{str(emptied.wheels)!r}], no_index=True)
planned = zoo.install({str(wheel)!r}, dry_run=True, **options)
assert not planned.done and not planned.plugins
changes = {{change["distribution"]: change for change in planned.plan.changes}}
assert {{name: change["asked"] for name, change in changes.items()}} == {{"zoo-user": True, "zoo-helper": False}}
assert changes["zoo-user"]["replaces"] is None and changes["zoo-user"]["bytes"] > 0

asked = []
declined = zoo.install([{str(wheel)!r}], confirm=lambda plan: bool(asked.append(plan)), **options)
assert declined == planned == zoo.api.Installation(asked[0], [], False)
assert not zoo.api.plugin_names().count("user")

installed = zoo.install([{str(wheel)!r}], confirm=lambda plan: True, **options)
assert installed.done and [plugin.name for plugin in installed.plugins] == ["user"]
assert zoo.list_backbones()[0]["name"] == "user_net"
again = zoo.upgrade("user", **options)
assert not again.done and not again.plan.changes

removed = zoo.uninstall("user")
assert removed == zoo.api.Removal({{"zoo-user": "1.0", "zoo-helper": "1.0"}}, True)
"""
    done = subprocess.run(
        [emptied.python, "-c", program],
        env=os.environ | emptied.own,
        capture_output=True,
        text=True,
        cwd=emptied.folder,
    )
    assert done.returncode == 0, done.stderr
    _assert_as_before(emptied, before)


def test_a_plugin_that_does_not_fit_on_the_disk(emptied, before):
    # Digits that hardly compress: what unpacks to more than 100 times its size is refused before the disk is full.
    data = f"DATA = {random.Random(0).randbytes(1_500_000).hex()!r}"
    wheel = emptied.add_wheel("large", f"{emptied.module('large', 'large_net')}\n{data}\n")
    command = [emptied.env / "bin" / "zoo", "install", "--yes", *map(str, _offline(emptied)), wheel]

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    full = subprocess.run(command, env=os.environ | emptied.own, capture_output=True, text=True, preexec_fn=limit)
    assert full.returncode == 1
    assert "failed, and nothing was changed" in full.stderr
    assert "File too large" in full.stderr
    assert "Traceback" not in full.stderr
    _assert_as_before(emptied, before)
    done = subprocess.run(command, env=os.environ | emptied.own, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert emptied.zoo("uninstall", "large", "--yes").returncode == 0
    _assert_as_before(emptied, before)


def test_two_at_once_wait_for_each_other(emptied, before):
    wheels = [emptied.add_wheel(name) for name in ("left", "right")]
    command = [emptied.env / "bin" / "zoo", "install", "--yes", *map(str, _offline(emptied))]
    both = [subprocess.Popen([*command, wheel], env=os.environ | emptied.own) for wheel in wheels]
    assert [process.wait(300) for process in both] == [0, 0]
    listed = emptied.zoo("list").stdout
    assert "left_net" in listed
    assert "right_net" in listed
    assert emptied.zoo("uninstall", "left", "right", "--yes").returncode == 0
    _assert_as_before(emptied, before)


def test_uv_does_it_where_there_is_no_pip(emptied, before):
    emptied.add_wheel("helper", "VALUE = 1\n", plugin=False)
    wheel = emptied.add_wheel("by_uv", needs='"zoo-helper"')
    with emptied.without_pip() as path:
        installed = emptied.zoo("install", wheel, "--yes", *_offline(emptied), **path)
        assert installed.returncode == 0, installed.stderr
        assert "by_uv_net" in emptied.zoo("list").stdout
        conflict = emptied.zoo(
            "install", emptied.add_wheel("old_keras", needs='"keras<3"'), "--yes", *_offline(emptied), **path
        )
        assert conflict.returncode == 1
        assert "keras" in conflict.stderr
        removed = emptied.zoo("uninstall", "by_uv", "--yes", "--json", **path)
        assert set(json.loads(removed.stdout)["removed"]) == {"zoo-by-uv", "zoo-helper"}
        none = emptied.zoo("install", wheel, "--yes", *_offline(emptied), PATH="/usr/bin:/bin")
        assert none.returncode == 1
        assert "neither pip nor uv" in none.stderr
    _assert_as_before(emptied, before)


def test_the_newcomers_way_in_the_guide_works_as_it_stands(emptied, few_pictures, tmp_path):
    (script,) = re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)
    assert script.startswith("zoo new my-nets\n")
    shutil.copytree(few_pictures, tmp_path / "photos")
    path = {"PATH": f"{emptied.env / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-e", "-c", script], cwd=tmp_path, env=os.environ | emptied.own | path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^[= ]*[1-9]\d+ passed(, \d+ warnings?)? in ", done.stdout, re.MULTILINE), done.stdout
    assert "my_nets_small" in done.stdout
    runs = sorted(run.name for run in (tmp_path / "runs").iterdir())
    assert runs == ["photos", "photos-2"]
    assert "accuracy" in (tmp_path / "runs" / "photos-2" / "metrics.json").read_text()
