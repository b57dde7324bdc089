"""Commands killed with SIGKILL at random moments: is anything lost, or half done? Prints counts and seconds.

train and resume   a training, killed and resumed until it is finished: its weights are those of one that ran through
pull               the file is whole or not there, and the next pull brings it
install, uninstall the environment is as before or as after, once the next command has put it right
prune              every file of features that is left is whole, and the next prune goes on

Each moment is drawn uniformly from the time that the command takes when nothing stops it, itself and its children.
"""

import argparse
import hashlib
import http.server
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from common import CLIPART, build_wheel, environment, project_file, record

PIECE = 1 << 16
PLUGIN = """
import zoo

ZOO_API = ">=1.0,<2"


@zoo.hookimpl
def zoo_backbones():
    facts = dict(modality="image", family="kill", params=1, input=8, dim=1, features=("pooled",), licence="MIT")
    weights = zoo.Weights(
        name="some", source="{address}/weights.bin", bytes={bytes}, licence="MIT", trained_on="-", checksum="{checksum}"
    )
    facts |= dict(paper="https://example.org", build="zoo_kill:build")
    return [zoo.Backbone(name="kill_net", weights=(weights,), **facts)]
"""


class Killed:
    """Runs commands, and kills them at random moments."""

    def __init__(self, seed: int, **variables: str) -> None:
        self.chance = random.Random(seed)
        self.environment = os.environ | {"ZOO_QUIET": "1", "ZOO_OFFLINE": "0"} | variables

    def whole(self, *command: object) -> float:
        """Run a command to its end; returns the seconds."""
        start = time.monotonic()
        done = subprocess.run(list(map(str, command)), env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{command}: {done.stdout}{done.stderr}")
        return time.monotonic() - start

    def kill(self, seconds: float, *command: object) -> bool:
        """Start a command and kill it, with its children, within so many seconds; False if it has ended before."""
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(list(map(str, command)), env=self.environment, start_new_session=True, **quiet)
        try:
            process.wait(self.chance.uniform(0, seconds))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return True
        if process.returncode:
            raise SystemExit(f"{command} failed without being killed")
        return False


def train(count: int, folder: Path) -> dict[str, int]:
    """Kill and resume one training after the other, until there were so many kills."""
    killed = Killed(1, ZOO_CACHE=str(folder / "cache"), ZOO_CHECKPOINT_SECONDS="0.2")
    data = folder / "data"
    for label in ("birds", "music"):
        shutil.copytree(CLIPART / label, data / label)
    settings = ["--unfreeze", 1, "--epochs", 4, "--batch-size", 8, "--seed", 3, "--precision", "float32"]
    command = [sys.executable, "-P", "-m", "zoo", "train", "efficientnet_lite0", data, *settings, "--out"]
    killed.whole(*command, folder / "through")
    length = killed.whole(*command, folder / "again")  # with the features of the first
    wanted = _weights(folder / "through")
    assert _weights(folder / "again") == wanted
    outcomes: Counter[str] = Counter()
    number = 0
    while outcomes["kills"] < count:
        number += 1
        run = folder / f"run-{number}"
        while not (run / "metrics.json").exists():
            resumed = (run / "plan.toml").exists()
            verb = [*command[:4], "resume", run] if resumed else [*command, run]
            outcomes["kills"] += killed.kill(length, *verb)
            outcomes["resumed"] += resumed
        assert _weights(run) == wanted, f"{run} has other weights"
        outcomes["trainings, all with the same weights"] += 1
    return outcomes


def _weights(run: Path) -> str:
    import zipfile

    with zipfile.ZipFile(run / "model.keras") as archive:
        return hashlib.sha256(archive.read("model.weights.h5")).hexdigest()


def pull(count: int, folder: Path, python: Path, content: bytes) -> dict[str, int]:
    cache = folder / "cache"
    killed = Killed(2, ZOO_CACHE=str(cache), ZOO_CONFIG=str(folder / "config"))
    command = [python, "-P", "-m", "zoo", "pull", "kill_net"]
    killed.whole(*command)
    shutil.rmtree(cache / "weights")
    length = killed.whole(*command)
    outcomes: Counter[str] = Counter()
    while outcomes["kills"] < count:
        shutil.rmtree(cache / "weights", ignore_errors=True)
        was = killed.kill(length, *command)
        outcomes["kills"] += was
        files = [path for path in (cache / "weights").rglob("weights.bin") if ".part" not in str(path)]
        assert all(path.read_bytes() == content for path in files), "a file is not whole"
        outcomes["whole" if files else "not there"] += was
        killed.whole(*command)
        (file,) = [path for path in (cache / "weights").rglob("*") if path.is_file() and path.suffix != ".lock"]
        assert file.read_bytes() == content
    return outcomes


def change(verb: str, count: int, folder: Path, python: Path, wheel: Path) -> dict[str, int]:
    """Kill installations, or removals."""
    killed = Killed(3, ZOO_CACHE=str(folder / "cache"), ZOO_CONFIG=str(folder / "config"), ZOO_OFFLINE="1")
    zoo = [python, "-P", "-m", "zoo"]
    install = [*zoo, "install", wheel, "--yes", "--no-index"]
    uninstall = [*zoo, "uninstall", "many", "--yes"]
    there, gone = (install, uninstall) if verb == "install" else (uninstall, install)
    repair = [python, "-P", "-c", "from zoo.registry.transaction import repair; repair()"]
    if verb == "uninstall":
        killed.whole(*install)
    before = _files(python)
    length = killed.whole(*there)
    after = _files(python)
    killed.whole(*gone)
    assert _files(python) == before
    outcomes: Counter[str] = Counter()
    while outcomes["kills"] < count:
        was = killed.kill(length, *there)
        outcomes["kills"] += was
        killed.whole(*repair)
        state = _files(python)
        assert state in (before, after), f"half done: {set(state.items()) ^ set(before.items())}"
        outcomes["done" if state == after else "undone"] += was
        if state == after:
            killed.whole(*gone)
    if verb == "uninstall":
        killed.whole(*uninstall)
    return outcomes


def _files(python: Path) -> dict[str, str]:
    """Every file of the environment with its content, but for compiled code and the lock."""
    top = python.parent.parent
    files = [path for path in top.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {
        str(path.relative_to(top)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.name != ".zoo-install.lock" and not path.is_symlink()
    }


def prune(count: int, folder: Path, python: Path) -> dict[str, int]:
    cache = folder / "cache"
    killed = Killed(4, ZOO_CACHE=str(cache), ZOO_CONFIG=str(folder / "config"))
    zoo = [python, "-P", "-m", "zoo"]
    outcomes: Counter[str] = Counter()
    length = 0.0
    while outcomes["kills"] < count:
        left = list((cache / "features").rglob("*.arrow"))
        if len(left) < 500:
            _write_features(cache / "features", 3_000)
            length = length or killed.whole(*zoo, "cache", "--prune", "--to", "200kB")
            _write_features(cache / "features", 3_000)
        size = sum(path.stat().st_size for path in (cache / "features").rglob("*.arrow"))
        outcomes["kills"] += killed.kill(length, *zoo, "cache", "--prune", "--to", f"{size // 2000}kB")
        for path in (cache / "features").rglob("*.arrow"):
            assert hashlib.sha256(path.read_bytes()).hexdigest() == path.stem, f"{path} is not whole"
            outcomes["files looked at"] += 1
    killed.whole(*zoo, "cache", "--prune")
    assert not list((cache / "features").rglob("*.arrow"))
    return outcomes


def _write_features(folder: Path, count: int) -> None:
    for number in range(count):
        content = os.urandom(400)
        path = folder / f"{number % 20:032x}" / f"{hashlib.sha256(content).hexdigest()}.arrow"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@contextmanager
def served(content: bytes) -> Iterator[str]:
    """The address of a server that takes half a second for this content."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            pieces = range(0, len(content), PIECE)
            for start in pieces:
                self.wfile.write(content[start : start + PIECE])
                time.sleep(0.5 / len(pieces))

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except OSError:  # whoever asked was killed
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def build(name: str, module: str, folder: Path, more: int = 0) -> Path:
    """The wheel of a plugin, with so many more files."""
    project = folder / f"project-{name}"
    (project / f"zoo_{name}").mkdir(parents=True)
    (project / f"zoo_{name}" / "__init__.py").write_text(module)
    for number in range(more):
        (project / f"zoo_{name}" / f"part_{number}.py").write_text(f"NUMBER = {number}\n")
    (project / "pyproject.toml").write_text(project_file(name))
    return build_wheel(project, folder)


@contextmanager
def jobs(folder: Path, trainings: int, others: int) -> Iterator[dict[str, Callable[[], dict[str, int]]]]:
    """What is killed, by name, and so often; each gives its counts, and raises if something is lost or half done."""
    content = os.urandom(8_000_000)
    checksum = f"sha256:{hashlib.sha256(content).hexdigest()}"
    with served(content) as address:
        module = PLUGIN.format(address=address, bytes=len(content), checksum=checksum)
        puller = build("kill", module, folder)
        many = build("many", module.replace("kill", "many").replace("weights=(weights,), ", ""), folder, 1_000)
        python = environment(folder / "env", [puller])
        for name in ("train", "pull", "change", "prune"):
            (folder / name).mkdir()
        yield {
            "train": lambda: train(trainings, folder / "train"),
            "pull": lambda: pull(others, folder / "pull", python, content),
            "install": lambda: change("install", others, folder / "change", python, many),
            "uninstall": lambda: change("uninstall", others, folder / "change", python, many),
            "prune": lambda: prune(others, folder / "prune", python),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trainings", type=int, default=100, help="kills of train and resume")
    parser.add_argument("--others", type=int, default=150, help="kills of each of pull, install, uninstall and prune")
    parser.add_argument("--only", help="one of train, pull, install, uninstall, prune")
    given = parser.parse_args()
    results = {}
    with tempfile.TemporaryDirectory() as temporary, jobs(Path(temporary), given.trainings, given.others) as known:
        for name, job in known.items():
            if given.only in (None, name):
                start = time.monotonic()
                outcomes = dict(job()) | {"seconds": round(time.monotonic() - start)}
                results[name] = outcomes
                print(f"{name:<10} " + ", ".join(f"{what}: {number}" for what, number in outcomes.items()), flush=True)
    record("kills", results)


if __name__ == "__main__":
    main()
