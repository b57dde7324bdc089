"""What strangers wrote is shown on a terminal, and not obeyed: names of classes, files, runs and plugins, and texts."""

import ast
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import zoo
from zoo.harmless import harmless, harmless_json

CLI = Path(zoo.__file__).parent / "cli"
TITLE = "\x1b]0;owned\x07"
CLEAR = "\x1b[2J\x1b[H"
TURNED = "gpj.\u202egnp"
OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_nothing_that_a_terminal_obeys_is_left_and_all_else_is(text):
    shown = harmless(text)
    assert not OBEYED.search(shown)
    assert "\n" not in shown
    assert harmless(shown) == shown
    plain = "".join(sign for sign in text if unicodedata.category(sign) != "Cc" and not OBEYED.match(sign))
    assert harmless(plain) == plain
    assert "".join(sign for sign in harmless(text, lines=True) if sign in "\n\t") == re.sub(r"[^\n\t]", "", text)
    assert json.loads(harmless_json(json.dumps({"a": text}, ensure_ascii=False))) == {"a": text}


@pytest.mark.parametrize("text", ["👩‍👩‍👧", "می‌خواهم", "naïve ζῷον 北京", "a\xa0b", "C:\\photos\\new"])
def test_what_people_write_stays_as_it_is(text):
    assert harmless(text) == text


@pytest.mark.parametrize("path", sorted(CLI.glob("*.py")), ids=lambda path: path.name)
def test_the_command_line_prints_in_one_place(path):
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    printing = [node.lineno for node in calls if ast.unparse(node.func) in ("print", "typer.echo", "sys.stdout.write")]
    allowed = {"output.py": 5, "complete.py": 1}
    assert len(printing) <= allowed.get(path.name, 0)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Pictures in classes, and under names, with escape codes."""
    folder = tmp_path_factory.mktemp("hostile")
    clipart = Path(__file__).parent.parent.parent / "examples" / "data" / "clipart"
    for label, name in (("birds", f"birds{TITLE}"), ("music", f"music{CLEAR}{TURNED}")):
        target = folder / "data" / name
        target.mkdir(parents=True)
        for number, picture in enumerate(sorted((clipart / label).iterdir())[:6]):
            shutil.copy(picture, target / f"{number}{TITLE}.png")
    (folder / "data" / f"birds{TITLE}" / f"broken{CLEAR}.png").write_bytes(b"not a picture")
    return folder


def test_hostile_names_are_shown_and_not_obeyed(hostile, zoo_here):
    data, run = hostile / "data", hostile / f"run{TITLE}"
    table = hostile / f"table{CLEAR}.csv"
    picture = next((data / f"birds{TITLE}").glob("0*"))
    table.write_text(f'image,label\n"{picture}",{CLEAR}a\nnowhere{TITLE}.png,b{TURNED}\n')
    commands = [
        (0, ["train", "efficientnet_lite0", data, "--out", run, "--epochs", 1]),
        (0, ["runs", hostile]),
        (0, ["predict", run, data]),
        (0, ["predict", run, data, "--json"]),
        (0, ["evaluate", run, data, "--split", "all"]),
        (0, ["embed", "efficientnet_lite0", data, "--out", hostile / f"v{TITLE}.parquet"]),
        (1, ["train", "efficientnet_lite0", table]),
        (1, ["train", "efficientnet_lite0", f"nowhere{TITLE}"]),
        (1, ["train", f"efficientnet{CLEAR}", data]),
        (1, ["resume", run]),
        (1, ["info", f"{TITLE}x"]),
        (1, ["install", f"{TITLE}x"]),
        (1, ["predict", run, f"nowhere{CLEAR}.png"]),
        (1, ["list", "--where", f"licence={CLEAR}"]),
        (1, ["registry", "use", f"https://example.org/{TURNED}"]),
    ]
    for wanted, command in commands:
        status, out, err = zoo_here(*command)
        assert status == wanted, (command, out, err)
        assert not OBEYED.search(out + err), command
        assert "ZOO_DEBUG" not in err
    _, out, err = zoo_here("predict", run, data)
    assert r"birds\x1b]0;owned\x07" in out
    assert len(out.splitlines()) == 12 + 1
    answers = json.loads(zoo_here("predict", run, data, "--json")[1])
    assert answers[0]["label"] in (f"birds{TITLE}", f"music{CLEAR}{TURNED}")


@pytest.mark.parametrize("on_terminal", [True, False])
def test_a_csv_is_escaped_only_on_a_terminal(on_terminal):
    program = f"from zoo.cli.output import print_csv; print_csv(['a', 'n'], [[{CLEAR!r}, 1]])"
    ours, theirs = pty.openpty()
    out = theirs if on_terminal else subprocess.PIPE
    done = subprocess.run([sys.executable, "-c", program], stdout=out, check=True)
    os.close(theirs)
    printed = os.read(ours, 1000) if on_terminal else done.stdout
    os.close(ours)
    assert (b"\x1b" in printed) != on_terminal
    assert (rb"\x1b[2J\x1b[H,1" in printed) == on_terminal


def test_facts_of_a_plugin_are_shown_and_not_obeyed(environment):
    environment.install(
        environment.write_plugin(
            "odd",
            f"""
            import zoo
            ZOO_API = ">=1.0,<2"
            @zoo.hookimpl
            def zoo_backbones():
                facts = dict(modality="image", family={TITLE!r}, params=1, input=8, dim=1, features=("pooled",))
                weights = zoo.Weights(
                    name="w", source="https://example.org/a{CLEAR.replace(chr(27), "%1b")}", bytes=1,
                    licence={CLEAR!r}, trained_on={TURNED!r},
                )
                return [zoo.Backbone(name="odd_net", licence={TITLE!r}, paper={CLEAR!r}, build="zoo_odd:build",
                                     weights=(weights,), **facts)]

            @zoo.hookimpl
            def zoo_heads():
                option = zoo.Option(name={TITLE!r}, default={CLEAR!r}, summary={TURNED!r})
                return [zoo.Head(name="odd_head", summary={TITLE!r}, modalities=("image",), feature="pooled",
                                 licence="MIT", build="zoo_odd:Task", options=(option,))]
            """,
        ),
        environment.write_plugin("worse", f"raise RuntimeError({CLEAR + TITLE!r})"),
    )
    for command in (["list"], ["info", "odd_net"], ["heads"], ["plugins"], ["doctor"], ["search", "odd"]):
        done = environment.zoo(*command)
        assert not OBEYED.search(done.stdout + done.stderr), command
    assert r"\x1b]0;owned\x07" in environment.zoo("info", "odd_net").stdout
    assert json.loads(environment.zoo("info", "odd_net", "--json").stdout)["family"] == TITLE
