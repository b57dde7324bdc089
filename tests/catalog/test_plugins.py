"""Plugins that cannot be used are reported, and nothing else stops working: real ones, installed by real pip."""

import json
import os
import signal
import subprocess

from zoo.testing.commands import CommandLine

BACKBONE = """
    zoo.Backbone(name="{name}", modality="image", family="f", params=1, input=8, dim=1, features=("pooled",),
                 licence="MIT", paper="https://example.org", build="zoo_{plugin}:build")
"""
OFFER = """
    import zoo
    ZOO_API = "{api}"
    @zoo.hookimpl
    def zoo_backbones():
        return [{backbones}]
"""


def _offering(plugin: str, *names: str, api: str = ">=1.0,<2") -> str:
    return OFFER.format(api=api, backbones=", ".join(BACKBONE.format(name=n, plugin=plugin).strip() for n in names))


def test_broken_plugins_of_every_kind_leave_all_commands_working_and_are_reported(environment, few_pictures):
    modules = {
        "raises": "raise RuntimeError('no luck today')",
        "exits": "raise SystemExit(3)",
        "lacks": "import a_package_that_nobody_has",
        "future": _offering("future", "from_the_future", api=">=2,<3"),
        "stateless": "import zoo",
        "twin_a": _offering("twin_a", "twin", "only_a"),
        "twin_b": _offering("twin_b", "twin"),
        "wrong_spec": OFFER.format(api=">=1.0,<2", backbones="'resnet50'"),
        "half_way": _offering("half_way", "half")
        + "\n    @zoo.hookimpl\n    def zoo_heads():\n        raise OSError('gone')\n",
        "wrong_hook": "import zoo\nZOO_API = '>=1.0,<2'\n@zoo.hookimpl\ndef zoo_heads(surprise):\n    return []\n",
    }
    environment.install(*[environment.write_plugin(name, module) for name, module in modules.items()])

    result = environment.zoo("plugins", "--json")
    assert result.returncode == 0, result.stderr
    plugins = {plugin["name"]: plugin for plugin in json.loads(result.stdout)}
    reasons = {name: p["reason"] for name, p in plugins.items() if p["status"] == "failed"}
    assert set(reasons) == {"raises", "exits", "lacks", "future", "stateless", "wrong_spec", "half_way", "wrong_hook"}
    assert "no luck today" in reasons["raises"]
    assert "a_package_that_nobody_has" in reasons["lacks"]
    assert "plugin API >=2,<3" in reasons["future"]
    assert "does not state the plugin API" in reasons["stateless"]
    assert "resnet50" in reasons["wrong_spec"]
    assert "gone" in reasons["half_way"]
    assert "surprise" in reasons["wrong_hook"]

    shell = CommandLine(environment.python)
    names = {b["name"] for b in json.loads(shell.run("list", "--json")[1])}
    assert {"twin_a/twin", "twin_b/twin", "only_a", "efficientnet_lite0", "resnet50"} <= names
    assert not names & {"twin", "half", "from_the_future"}

    status, _, shared = shell.run("info", "twin")
    assert status == 1
    assert "twin_a/twin or twin_b/twin" in shared
    assert shell.run("info", "twin_b/twin")[0] == 0
    assert "classification" in shell.run("heads")[1]
    assert "zoo " in shell.run("--version")[1]

    doctor = environment.zoo("doctor")
    assert doctor.returncode == 1
    assert all(name in doctor.stdout for name in reasons)
    assert "twin_a/twin" in doctor.stdout

    out = few_pictures.parent / "run"
    status, _, errors = shell.run("train", "efficientnet_lite0", few_pictures, "--out", out, "--epochs", 1)
    assert status == 0, errors
    assert len(json.loads(shell.run("predict", out, few_pictures / "birds", "--json")[1])) == 6


def test_a_plugin_is_switched_off_for_one_command_or_for_good(zoo_command, tmp_path):
    off = zoo_command("list", "--json", ZOO_DISABLE="keras_applications,kerashub,tfhub_bert,use_multilingual")
    assert {b["plugin"] for b in json.loads(off.stdout)} == {"efficientnet_lite"}

    own = {"ZOO_CONFIG": str(tmp_path)}
    assert zoo_command("plugins", "--disable", "efficientnet_lite", **own).returncode == 0
    listed = json.loads(zoo_command("list", "--json", **own).stdout)
    assert "efficientnet_lite0" not in {b["name"] for b in listed}
    unknown = zoo_command("info", "efficientnet_lite0", **own)
    assert unknown.returncode == 1
    assert "Not loaded: efficientnet_lite" in unknown.stderr
    assert zoo_command("plugins", "--enable", "efficientnet_lite", **own).returncode == 0
    assert "efficientnet_lite0" in zoo_command("list", **own).stdout

    wrong = zoo_command("plugins", "--disable", "efficient", **own)
    assert wrong.returncode == 1
    assert "efficientnet_lite" in wrong.stderr


def test_a_plugin_adds_a_command_and_callbacks(environment, few_pictures):
    environment.install(
        environment.write_plugin(
            "tracker",
            """
            import zoo
            ZOO_API = ">=1.0,<2"

            @zoo.hookimpl
            def zoo_commands(app):
                @app.command()
                def hello():
                    "Say hello."
                    print("hello from a plugin")

            @zoo.hookimpl
            def zoo_callbacks(run):
                import keras
                path = run.path / "tracked.txt"
                return [keras.callbacks.LambdaCallback(on_epoch_end=lambda e, logs: path.write_text(str(sorted(logs))))]
            """,
        )
    )
    assert environment.zoo("hello").stdout == "hello from a plugin\n"
    out = few_pictures.parent / "run"
    assert environment.zoo("train", "efficientnet_lite0", few_pictures, "--out", out, "--epochs", 1).returncode == 0
    assert "val_loss" in (out / "tracked.txt").read_text()


FOLLOWS = """
    import json, os, signal, sys
    import zoo
    ZOO_API = ">=1.2,<2"

    @zoo.hookimpl
    def zoo_callbacks(run):
        import keras

        def stop(batch, logs):
            if os.environ.get("STOP") == "1":
                os.kill(os.getpid(), signal.SIGTERM)

        return [keras.callbacks.LambdaCallback(on_train_batch_end=stop)]

    @zoo.hookimpl
    def zoo_run_finished(run):
        print("told of", run.path.name)
        told = {"name": run.path.name, "files": sorted(os.listdir(run.path)), "metrics": run.metrics}
        with (run.path.parent / "told.jsonl").open("a") as file:
            file.write(json.dumps(told) + "\\n")

    @zoo.hookimpl
    def zoo_report_sections(run):
        bars = {"kind": "bars", "title": "<i>", "labels": ["<u>"], "values": {"x": [len(run.metrics)]}}
        return [zoo.Section("Seen by follows <script>", [{"kind": "text", "text": "a & b"}, bars])]
"""
FAILS = (
    OFFER
    + """
    @zoo.hookimpl
    def zoo_callbacks(run):
        raise OSError("no callbacks today")

    @zoo.hookimpl
    def zoo_run_finished(run):
        raise {error}

    @zoo.hookimpl
    def zoo_report_sections(run):
        return [zoo.Section("Half", [{{"kind": "bars"}}])] + [1 / 0]
"""
)
HERE = """
import sys, zoo
from pathlib import Path
data, out = sys.argv[1:]
run = zoo.train("efficientnet_lite0", data, epochs=1, out=out)
again = zoo.train_plan(run.path / "plan.toml", out=f"{out}-again")
assert {"a_net", "b_net"} <= {one["name"] for one in zoo.list_backbones()}
assert again.predict(Path(data))[0]["label"] in ("birds", "music")
"""


def test_every_plugin_is_told_once_of_a_finished_run_and_one_that_fails_harms_nothing(environment, few_pictures):
    for name, error in (("a", "OSError('the tracker is away')"), ("b", "SystemExit(7)")):
        spec = BACKBONE.format(name=f"{name}_net", plugin=name).strip()
        module = FAILS.format(api=">=1.2,<2", backbones=spec, error=error)
        environment.install(environment.write_plugin(name, module))
    environment.install(environment.write_plugin("follows", FOLLOWS))
    told, out = few_pictures.parent / "told.jsonl", few_pictures.parent / "run"
    command = [environment.python, "-c", HERE, few_pictures, out]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    said = [line for line in done.stderr.splitlines() if "is passed over" in line or line.startswith("told of")]
    of_each = [
        "The plugin a is passed over, because zoo_callbacks failed: OSError: no callbacks today",
        "The plugin b is passed over, because zoo_callbacks failed: OSError: no callbacks today",
        "The plugin a is passed over, because zoo_run_finished failed: OSError: the tracker is away",
        "The plugin b is passed over, because zoo_run_finished failed: SystemExit: 7",
    ]
    assert said == [*of_each, "told of run", *of_each, "told of run-again"]

    reported = environment.zoo("report", out)
    assert reported.returncode == 0, reported.stderr
    assert "The plugin a is passed over, because zoo_report_sections failed: ZeroDivisionError" in reported.stderr
    page = (out / "report.html").read_text()
    assert "Seen by follows &lt;script&gt;" in page
    assert "a &amp; b" in page
    assert "&lt;u&gt;" in page
    assert "<script>" not in page
    (out / "report.html").unlink()

    stopped = environment.zoo("train", "--plan", out / "plan.toml", "--out", f"{out}-broken", STOP="1")
    assert stopped.returncode == 128 + signal.SIGTERM, stopped.stderr
    assert "zoo_run_finished" not in stopped.stderr
    resumed = environment.zoo("resume", f"{out}-broken", "--json")
    assert resumed.returncode == 0, resumed.stderr
    assert "The plugin b is passed over, because zoo_run_finished failed: SystemExit: 7" in resumed.stderr

    rows = [json.loads(line) for line in told.read_text().splitlines()]
    assert [row["name"] for row in rows] == ["run", "run-again", "run-broken"]
    for row in rows:
        run = out.parent / row["name"]
        assert row["files"] == sorted(os.listdir(run))
        assert row["metrics"] == json.loads((run / "metrics.json").read_text())["metrics"]


def test_ctrl_c_while_a_plugin_is_told_of_a_run_ends_the_command_and_keeps_the_run(environment, few_pictures):
    module = """
        import os, signal, time, zoo
        ZOO_API = ">=1.2,<2"
        @zoo.hookimpl
        def zoo_run_finished(run):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(60)
    """
    environment.install(environment.write_plugin("uploads", module))
    out = few_pictures.parent / "run"
    stopped = environment.zoo("train", "efficientnet_lite0", few_pictures, "--out", out, "--epochs", 1)
    assert stopped.returncode == 130
    assert stopped.stderr.splitlines()[-2:] == [
        "The plugin uploads is passed over, because zoo_run_finished failed: KeyboardInterrupt",
        "zoo: stopped by Ctrl-C.",
    ]
    assert (out / "metrics.json").exists()
    assert environment.zoo("resume", out).stderr.startswith(f"zoo: {out} is already finished.")
