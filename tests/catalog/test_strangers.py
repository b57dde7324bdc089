"""Plugins of strangers, brought by plain pip: whatever they do when they are loaded, they stop and change nothing."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from zoo.catalog.host import examined
from zoo.catalog.inspected import Limits
from zoo.catalog.points import Point
from zoo.testing.commands import CommandLine

OFFER = """
import zoo
ZOO_API = ">=1.0,<2"
@zoo.hookimpl
def zoo_backbones():
    facts = dict(modality="image", family="f", params=1, input=8, dim=1, features=("pooled",), licence="MIT")
    return [zoo.Backbone(name="{name}_net", paper="https://example.org", build="zoo_{name}:build", **facts)]
"""
FAILING = {
    "a_exit_0": ("import os; os._exit(0)", r"ends the process that loads it (exit status 0)"),
    "a_exit_3": ("import os; os._exit(3)", r"ends the process that loads it (exit status 3)"),
    "a_loop": ("while True: pass", "takes more than 10 s to load"),
    "a_ctrl_c": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "a_base": ("class Odd(BaseException): pass\nraise Odd('an odd one')", "Odd: an odd one"),
    "a_large": ("hoard = bytearray(1 << 30)", "needs more memory than it may"),
}
NOTED = {
    "b_prints": ("print('buy this')", "it prints when it is loaded: 'buy this'"),
    "b_threads": (
        "import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()",
        "it starts threads when it is loaded",
    ),
    "b_changes": (
        "import builtins, keras\nfrom zoo.catalog.host import Host\nbuiltins.print = lambda *_: None\n"
        "Host.find = lambda *_, **__: None\nkeras.layers.Dense.call = lambda self, x: x",
        "loading it changes builtins.print, keras",
    ),
}
PATIENCE = "import zoo.catalog.inspector as i; i.LIMITS = i.Limits(seconds=10)\n"


@pytest.fixture
def crowded(environment):
    """An environment with plugins of all nine kinds, and with a third party's that is well-behaved."""
    kinds = {name: source for name, (source, _) in (FAILING | NOTED).items()} | {"a_good": ""}
    modules = {name: f"{source}\n{OFFER.format(name=name)}" for name, source in kinds.items()}
    environment.install(*[environment.write_plugin(name, module) for name, module in modules.items()])
    environment.library.joinpath("patience.pth").write_text(PATIENCE.replace("\n", ""))
    return environment


def test_nine_kinds_of_hostile_plugins_leave_everything_working(crowded, few_pictures):
    listed = crowded.zoo("list", "--json")
    assert listed.returncode == 0, listed.stderr
    names = {row["name"] for row in json.loads(listed.stdout)}
    assert {"efficientnet_lite0", "resnet50", "a_good_net", "b_prints_net", "b_threads_net", "b_changes_net"} <= names
    assert not names & {f"{name}_net" for name in FAILING}

    plugins = {plugin["name"]: plugin for plugin in json.loads(crowded.zoo("plugins", "--json").stdout)}
    for name, (_, reason) in FAILING.items():
        assert plugins[name]["status"] == "failed"
        assert reason in plugins[name]["reason"]
    for name, (_, note) in NOTED.items():
        assert plugins[name]["status"] == "loaded", plugins[name]["reason"]
        assert any(note in said for said in plugins[name]["notes"]), plugins[name]["notes"]
    assert plugins["a_good"] == plugins["a_good"] | {"status": "loaded", "reason": "", "notes": []}
    assert plugins["heads"]["status"] == "loaded"
    doctor = crowded.zoo("doctor", "--json")
    assert doctor.returncode == 1
    report = json.loads(doctor.stdout)
    assert all(f"zoo uninstall zoo-{name}" in " ".join(report["problems"]) for name in FAILING)
    assert all(f"The plugin {name}: it" in " ".join(report["notes"]).replace("loading", "it") for name in NOTED)

    shell = CommandLine(crowded.python)
    assert shell.run("info", "a_good_net")[0] == 0
    out = few_pictures.parent / "run"
    status, printed, errors = shell.run(
        "train", "efficientnet_lite0", few_pictures, "--out", out, "--epochs", 1, "--json"
    )
    assert status == 0, errors
    assert json.loads(printed)["backbone"] == "efficientnet_lite0"
    assert len(json.loads(shell.run("predict", out, few_pictures / "birds", "--json")[1])) == 6

    everything = [*FAILING, *NOTED]
    for name in everything:
        assert crowded.zoo("plugins", "--disable", name, ZOO_DISABLE=",".join(everything)).returncode == 0
    plugins = {plugin["name"]: plugin for plugin in json.loads(crowded.zoo("plugins", "--json").stdout)}
    assert {plugins[name]["status"] for name in everything} == {"disabled"}
    for name in everything:
        gone = crowded.zoo("uninstall", name, "--yes")
        assert gone.returncode == 0, gone.stderr
    assert {p["name"] for p in json.loads(crowded.zoo("plugins", "--json").stdout)} & set(everything) == set()


@pytest.mark.parametrize("switch", ["command", "variable"])
def test_a_plugin_is_switched_off_before_it_is_loaded(environment, tmp_path, switch):
    mark = tmp_path / "loaded"
    environment.install(environment.write_plugin("marks", f"open({str(mark)!r}, 'w')\n{OFFER.format(name='marks')}"))
    own = {"ZOO_CONFIG": str(tmp_path / "config")}
    if switch == "command":
        assert environment.zoo("plugins", "--disable", "marks", **own).returncode == 0
    else:
        own["ZOO_DISABLE"] = "zoo-marks"
    for command in (["list"], ["plugins"], ["doctor"], ["--help"], ["search", "marks"]):
        environment.zoo(*command, **own)
    assert not mark.exists()


def _point(tmp_path, source, name="odd"):
    (tmp_path / f"zoo_{name}.py").write_text(source)
    return Point(name, f"zoo_{name}", f"zoo-{name}", "1.0", (f"zoo_{name}",))


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import os, signal; os.kill(os.getppid(), signal.SIGKILL)", "ends the process that looks at it"),
        ("import os, signal; os.killpg(0, signal.SIGKILL)", "ends the process that looks at it"),
        ("import os, signal; os.kill(os.getppid(), signal.SIGSTOP)", "takes more than 1 s"),
        (
            "import os\nfor n in range(3, 100):\n  try: os.write(n, b'[]')\n  except OSError: pass\nos._exit(0)",
            "exit sta",
        ),
        (
            "import os\nfor n in range(100):\n  try: os.close(n)\n  except OSError: pass\nwhile True: pass",
            "more than 1",
        ),
        ("import os\nwhile True: os.write(1, b'x' * 10_000)", "takes more than 1 s"),
        ("import ctypes; ctypes.string_at(0)", "ends the process that loads it (signal 11"),
        ("raise Exception('\\x1b]0;owned\\x07' + 'x' * 10**6)", "Exception: "),
        ("import zoo\nZOO_API = '>=1.0,<2'\n@zoo.hookimpl\ndef zoo_heads(): return iter(int, 1)", "it offers 0 where"),
        (
            "import zoo\nZOO_API = '>=1.0,<2'\n@zoo.hookimpl\ndef zoo_heads():\n  while True: yield zoo",
            "it offers <mod",
        ),
    ],
)
def test_what_a_plugin_does_to_the_process_that_looks_at_it_is_its_reason(tmp_path, monkeypatch, source, reason):
    monkeypatch.setattr("zoo.catalog.inspector.LIMITS", Limits(seconds=1))
    monkeypatch.setattr("zoo.catalog.inspector._GRACE_SECONDS", 1)
    good = _point(tmp_path, OFFER.format(name="good"), "good")
    points = [_point(tmp_path, source), good]
    first, second = examined(points, {}, path=[str(tmp_path)])
    assert first.status == "failed"
    assert reason in first.reason
    assert second.status == "loaded", second.reason
    assert second.backbones.names == ("good_net",)


def test_a_plugin_cannot_change_what_is_seen_of_another(tmp_path):
    forging = (
        "import zoo.catalog.loading as l, zoo.catalog.inspected as i, builtins\n"
        "l.Loader.offers = lambda *_: {}\ni.load = None\nbuiltins.isinstance = lambda *_: False\n"
    )
    points = [_point(tmp_path, forging + OFFER.format(name="odd")), _point(tmp_path, OFFER.format(name="good"), "good")]
    _, good = examined(points, {}, path=[str(tmp_path)])
    assert good.backbones.names == ("good_net",)


def test_a_plugin_cannot_name_functions_of_others(tmp_path):
    source = OFFER.format(name="odd").replace("zoo_odd:build", "code:interact")
    (plugin,) = examined([_point(tmp_path, source)], {}, path=[str(tmp_path)])
    assert plugin.reason == "its backbone 'odd_net' names code:interact, which is not in zoo_odd"


def test_what_a_plugin_has_started_ends_with_the_look(tmp_path):
    mark = "the-mark-of-this-test"
    source = (
        f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)', '{mark}'])"
    )
    examined([_point(tmp_path, f"{source}\n{OFFER.format(name='odd')}")], {}, path=[str(tmp_path)])
    assert not [p for p in psutil.process_iter(["cmdline"]) if mark in (p.info["cmdline"] or ())]


def test_ctrl_c_while_plugins_are_looked_at_leaves_no_process(environment):
    environment.install(environment.write_plugin("slow", "import time\ntime.sleep(60)"))
    command = [environment.python, "-m", "zoo", "plugins"]
    heard = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.default_int_handler)}  # also in the background
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **heard)
    for _ in range(300):
        if children := psutil.Process(process.pid).children(recursive=True):
            break
        time.sleep(0.02)
    time.sleep(1)
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 2
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(10) == 130
    assert psutil.wait_procs(children, 5)[1] == []


def test_killing_zoo_while_plugins_are_looked_at_leaves_no_process(environment):
    environment.install(environment.write_plugin("slow", "import time\ntime.sleep(60)"))
    process = subprocess.Popen([environment.python, "-m", "zoo", "plugins"], stdout=subprocess.DEVNULL)
    for _ in range(300):
        children = psutil.Process(process.pid).children(recursive=True)
        if len(children) >= 2:
            break
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert psutil.wait_procs(children, 5)[1] == []


def test_without_fork_a_process_looks_at_each(tmp_path, monkeypatch):
    monkeypatch.setattr("zoo.catalog.inspector.FORKS", False)
    monkeypatch.setattr("zoo.catalog.inspector.LIMITS", Limits(seconds=1))
    monkeypatch.setattr("zoo.catalog.inspector._GRACE_SECONDS", 1)
    sources = {
        "first": "import os; os._exit(0)",
        "loop": "while True: pass",
        "good": f"print('hello')\n{OFFER.format(name='good')}",
    }
    points = [_point(tmp_path, source, name) for name, source in sources.items()]
    first, loop, good = examined(points, {}, path=[str(tmp_path)])
    assert "ends the process that looks at it" in first.reason
    assert "takes more than 1 s" in loop.reason
    assert good.backbones.names == ("good_net",)
    assert good.notes == ("it prints when it is loaded: 'hello'",)


def test_an_answer_is_limited(tmp_path, monkeypatch):
    monkeypatch.setattr("zoo.catalog.inspector.LIMITS", Limits(facts=100_000))
    source = (
        OFFER.format(name="odd")
        .replace("[zoo.Back", "[zoo.Back")
        .replace('name="odd_net"', 'name=f"odd_net_{n}"')
        .replace("**facts)]", "**facts) for n in range(10_000)]")
    )
    (plugin,) = examined([_point(tmp_path, source)], {}, path=[str(tmp_path)])
    assert plugin.reason == "it offers too much to be listed"


def test_a_hundred_thousand_backbones_of_one_plugin(environment):
    module = OFFER.format(name="big").replace('name="big_net"', 'name=f"big_{n}"')
    module = module.replace("**facts)]", "**facts) for n in range(100_000)]")
    environment.install(environment.write_plugin("big", module))
    environment.library.joinpath("patience.pth").write_text(PATIENCE.replace("=10", "=200").replace("\n", ""))
    listed = environment.zoo("list", "--json")
    assert listed.returncode == 0, listed.stderr
    names = {row["name"] for row in json.loads(listed.stdout)}
    assert {"efficientnet_lite0", "big_0", "big_99999"} <= names
    assert environment.zoo("info", "big_77777").returncode == 0
    unknown = environment.zoo("info", "big_x")
    assert unknown.returncode == 1
    assert len(unknown.stderr) < 300
    assert "big_net" not in environment.zoo("plugins").stdout


PROGRAM = """
import sys
from zoo.catalog.host import examined
from zoo.catalog.points import Point
{before}
for plugin in examined([Point("good", "zoo_good", "zoo-good", "1.0", ("zoo_good",))], {{}}, path=[{path!r}]):
    print(plugin.status, plugin.reason, plugin.backbones.names)
"""
AROUND = {
    "no executable": ("sys.executable = ''", {}),
    "an executable that is none": ("sys.executable = '/etc/passwd'", {}),
    "another program as the executable": ("sys.executable = '/bin/true'", {}),
    "places that are no text": ("import pathlib; sys.path += [pathlib.Path('x'), b'y', 7, chr(0xdc80)]", {}),
    "children that nobody waits for": ("import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)", {}),
    "something that prints when Python starts": ("", {"PYTHONPATH": "SITE"}),
    "another encoding": ("sys.path.append('/é')", {"PYTHONIOENCODING": "latin-1"}),
    "an address that is no text": ("", {"PYTHONPATH": os.fsdecode(b"/tmp/\xff")}),
}


@pytest.mark.parametrize("kind", AROUND)
def test_what_is_odd_about_the_machine_is_blamed_on_no_plugin(tmp_path, kind):
    before, variables = AROUND[kind]
    _point(tmp_path, OFFER.format(name="good"), "good")
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text("print('hello')\nprint('zoo')\n")
    own = {name: str(site) if value == "SITE" else value for name, value in variables.items()}
    command = [sys.executable, "-c", PROGRAM.format(before=before, path=str(tmp_path))]
    done = subprocess.run(command, env=os.environ | own, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "loaded  ('good_net',)", done.stdout + done.stderr


def test_an_isolated_python_looks_isolated(tmp_path):
    (tmp_path / "json.py").write_text(f"open({str(tmp_path / 'mark')!r}, 'w')\nraise ImportError\n")
    command = [sys.executable, "-I", "-c", "import zoo; print(len(zoo.list_plugins()))"]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "mark").exists()


def test_hooks_are_called_by_many_threads(environment):
    module = OFFER.format(name="many") + (
        "import time\n@zoo.hookimpl\ndef zoo_callbacks(run):\n    time.sleep(0.01)\n    return [run]\n"
    )
    environment.install(environment.write_plugin("many", module))
    program = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from zoo.catalog import catalog\n"
        "host = catalog().host\n"
        "with ThreadPoolExecutor(8) as pool:\n"
        "    found = list(pool.map(lambda number: host.call('zoo_callbacks', run=number), range(64)))\n"
        "assert found == [[[number]] for number in range(64)], found\n"
        "assert {p.status for p in host.plugins} == {'loaded'}, host.plugins\n"
    )
    done = subprocess.run([environment.python, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
