"""A clock that jumps by a year, either way, changes nothing but dates: real processes whose clock is set otherwise."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile

import pytest

YEAR = 365 * 86_400
CLOCK = """
import os, time
_shift = float(os.environ.get("SHIFT", "0"))
_seconds, _nanoseconds = time.time, time.time_ns
time.time = lambda: _seconds() + _shift
time.time_ns = lambda: _nanoseconds() + int(_shift * 1e9)
"""


@pytest.fixture
def shifted(tmp_path):
    """The environment of a process with another clock."""
    (tmp_path / "clock").mkdir()
    (tmp_path / "clock" / "sitecustomize.py").write_text(CLOCK)
    own = {"PYTHONPATH": str(tmp_path / "clock"), "ZOO_CACHE": str(tmp_path / "cache")}
    return lambda seconds: own | {"SHIFT": str(seconds)}


def _weights(run):
    with zipfile.ZipFile(run / "model.keras") as archive:
        return archive.read("model.weights.h5")


@pytest.mark.parametrize("jump", [YEAR, -YEAR])
def test_a_training_goes_on_a_year_later_or_earlier(zoo_command, few_pictures, tmp_path, shifted, jump):
    settings = ["efficientnet_lite0", few_pictures, "--epochs", 30, "--batch-size", 4, "--seed", 5]
    through, killed = tmp_path / "through", tmp_path / "killed"
    done = zoo_command("train", *settings, "--out", through, **shifted(0))
    assert done.returncode == 0, done.stderr
    command = [sys.executable, "-m", "zoo", "train", *map(str, settings), "--out", str(killed)]
    process = subprocess.Popen(command, env=os.environ | shifted(0) | {"ZOO_CHECKPOINT_SECONDS": "0"})
    while not list(killed.glob("checkpoints/*.npz")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    resumed = zoo_command("resume", killed, "--json", **shifted(jump))
    assert resumed.returncode == 0, resumed.stderr
    assert _weights(killed) == _weights(through)
    assert 0 < json.loads(resumed.stdout)["seconds"] < YEAR / 2  # the jump is not taken for work
    assert "Computing" not in resumed.stderr  # the features of a year ago are taken
    listed = json.loads(zoo_command("runs", tmp_path, "--json", **shifted(jump)).stdout)
    assert {run["state"] for run in listed} == {"finished"}
    pruned = zoo_command("cache", "--prune", **shifted(jump))
    assert pruned.returncode == 0, pruned.stderr
    assert not list((tmp_path / "cache" / "features").rglob("*.arrow"))


@pytest.mark.parametrize("jump", [YEAR, -YEAR])
def test_what_plugins_offer_is_not_stale_after_a_jump(environment, tmp_path, shifted, jump):
    source = 'import zoo\nZOO_API = ">=1.0,<2"\nNAME = "{}"\n@zoo.hookimpl\ndef zoo_backbones():\n'
    source += "    facts = dict(modality='image', family='f', params=1, input=8, dim=1, features=('pooled',))\n"
    source += "    facts |= dict(licence='MIT', paper='https://example.org', build='zoo_clock:build')\n"
    source += "    return [zoo.Backbone(name=NAME, **facts)]\n"
    project = environment.write_plugin("clock", source.format("first"))
    environment.install("-e", project)
    for seconds in (0, jump, 0):
        assert "first " in environment.zoo("list", **shifted(seconds)).stdout
    time.sleep(2.1)
    for seconds in (0, jump):
        assert "first " in environment.zoo("list", **shifted(seconds)).stdout
    (project / "zoo_clock" / "__init__.py").write_text(source.format("other"))
    for seconds in (jump, 0):
        assert "other " in environment.zoo("list", **shifted(seconds)).stdout
