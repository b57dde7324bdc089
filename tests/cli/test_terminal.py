"""What a person sees on a terminal, a narrow one too: nothing is cut off, and nothing is broken twice."""

import fcntl
import inspect
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections import Counter

import pytest

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
OWN = [
    "list",
    "info",
    "heads",
    "plugins",
    "doctor",
    "search",
    "install",
    "uninstall",
    "upgrade",
    "cache",
    "new",
    "check",
]
OWN += [f"registry {command}" for command in ("list", "use", "forget", "check", "schema", "add")]
HEADER = ["name", "params", "licence of weights", "whole"]


def row(number: int) -> list[str]:
    return [f"efficientnet_v2_imagenet_{number}", f"{number}.0 M", "Apache-2.0 and others", "x" * 30]


TABLE = f"""
from zoo.cli.output import print_table
{inspect.getsource(row)}
print_table({HEADER}, [row(number) for number in range(COUNT)], right=["params"])
"""
BAR = """
import time
from zoo.progress import progress
with progress("Downloading [some]_long_name_of_a_file_of_weights.h5", 100, "bytes") as advance:
    for _ in range(4):
        time.sleep(0.12)
        advance(10, note="validation loss 0.5231, accuracy 0.8125, the best so far")
"""


def on_terminal(columns: int, *command: str) -> list[str]:
    """The lines that a command writes to a pseudo-terminal of so many columns, without colours."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    process = subprocess.Popen(
        [sys.executable, *command], stdin=theirs, stdout=theirs, stderr=theirs, env=environment | {"TERM": "xterm"}
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            written += os.read(ours, 1 << 16)
        except OSError:  # the process has ended
            break
    os.close(ours)
    assert process.wait() == 0, written.decode()
    return ESCAPES.sub("", written.decode()).replace("\r\n", "\n").splitlines()


@pytest.mark.parametrize("columns", [120, 80, 60, 44])
def test_a_table_is_folded_and_nothing_of_it_is_lost(columns):
    lines = on_terminal(columns, "-c", TABLE.replace("COUNT", "12"))
    assert all(len(line) <= columns for line in lines)
    wanted = "".join([*HEADER, *(cell for number in range(12) for cell in row(number))])
    assert Counter("".join(lines).replace(" ", "").replace("─", "")) == Counter(wanted.replace(" ", ""))
    numbers = [f"{number}.0 M" for number in range(12)]
    assert re.findall(r"\d+\.0 M", "\n".join(lines)) == numbers, "a number is never folded"


def test_of_thousands_of_rows_each_has_one_line_where_it_fits():
    for columns, lines_a_row in ((120, 1), (60, 2)):
        lines = on_terminal(columns, "-c", TABLE.replace("COUNT", "5000"))
        assert 5000 * lines_a_row <= len(lines) <= 5000 * lines_a_row + 4


def test_no_table_is_folded_where_there_is_no_terminal():
    program = TABLE.replace("COUNT", "2")
    environment = {**os.environ, "COLUMNS": "40"}
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment).stdout
    assert len(shown.splitlines()) == 4
    assert "efficientnet_v2_imagenet_1   1.0 M  Apache-2.0 and others  " + "x" * 30 in shown


def test_the_list_of_backbones_fits_into_80_columns():
    lines = on_terminal(80, "-m", "zoo", "list")
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("efficientnet") for line in lines)


@pytest.mark.parametrize("columns", [80, 60, 44])
@pytest.mark.parametrize("command", ["heads", "info efficientnet_lite0", "doctor", "search electra"])
def test_facts_and_texts_are_folded_and_nothing_of_them_is_lost(command, columns, monkeypatch):
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    words = ["-m", "zoo", *command.split()]
    lines = on_terminal(columns, *words)
    assert all(len(line) <= columns for line in lines)
    whole = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=True).stdout
    assert max(map(len, whole.splitlines())) > columns
    shown, wanted = (re.sub(r"[\s─]|free disk +[\d.]+", "", text) for text in ("\n".join(lines), whole))
    if command == "search electra":  # a table's cells are beside one another
        shown, wanted = sorted(shown), sorted(wanted)
    assert shown == wanted


def test_a_checksum_stays_whole_if_it_fits_on_a_line_of_its_own():
    checksum = next(line for line in on_terminal(80, "-m", "zoo", "info", "efficientnet_lite0") if "sha256:" in line)
    assert re.fullmatch(r" +sha256:[0-9a-f]{64}", checksum)


@pytest.mark.parametrize("columns", [80, 40])
def test_a_bar_stays_on_one_line(columns):
    written = on_terminal(columns, "-c", BAR)
    assert len(written) > 2, "nothing was shown"
    assert all(len(line) <= columns for line in written)
    shown = written[-2]
    assert shown.startswith("Downloading [some]_"[: columns // 4])
    assert re.search(r"MB/s \d:\d\d:\d\d valid", shown)


def test_help_is_made_for_80_columns():
    overview = on_terminal(80, "-m", "zoo", "--help")
    assert max(map(len, overview)) <= 80
    for command in OWN:
        summary = next((line for line in overview if line.startswith(f"  {command} ")), "")
        assert not summary.endswith("..."), summary


@pytest.mark.parametrize("command", OWN)
def test_no_example_is_broken_in_two_at_80_columns(command):
    from zoo.cli import main

    lines = on_terminal(80, "-m", "zoo", *command.split(), "--help")
    assert max(map(len, lines)) <= 80
    group, _, name = command.rpartition(" ")
    registered = main.registry.group.registered_commands if group else main.app.registered_commands
    (found,) = [one for one in registered if (one.name or one.callback.__name__) == name]
    examples = re.findall(r"^ {8}(\S.*)$", found.callback.__doc__, re.MULTILINE)
    assert examples
    for example in examples:
        assert example in [line.strip() for line in lines]
