"""What a fresh process sees of some plugins, and of all: `python -m zoo.registry.probe -- DISTRIBUTION...`, as JSON."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import msgspec

from zoo.catalog.host import Host, Plugin
from zoo.catalog.settings import disabled_plugins
from zoo.errors import CannotInstall

HEAVY = ("tensorflow", "keras", "jax", "torch", "numpy", "pandas", "transformers")
_TIMEOUT_SECONDS = 120


class Seen(msgspec.Struct):
    """The plugins of the given distributions, the heavy modules that loading them imports, and all plugins."""

    plugins: list[Plugin]
    heavy: list[str]
    all: list[Plugin]


def look(distributions: Sequence[str], path: Sequence[str] = ()) -> Seen:
    """Load plugins in a fresh process of this Python; `path` has folders to look for distributions in first.

    Raises `CannotInstall` if the process crashes or takes too long.
    """
    command = [sys.executable, "-P", "-m", "zoo.registry.probe", *path, "--", *distributions]
    try:
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        raise CannotInstall(f"Loading it takes more than {_TIMEOUT_SECONDS} s.") from None
    try:
        return msgspec.json.decode(done.stdout.rpartition(b"\n")[2], type=Seen)
    except msgspec.MsgspecError:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise CannotInstall(f"The process that loads it crashes (status {done.returncode}; {last[:300]}).") from None


def main() -> None:
    split = sys.argv.index("--")
    sys.path[:0] = sys.argv[1:split]
    before = set(sys.modules)
    asked, everything = Host(), Host()
    asked.load({}, sys.argv[split + 1 :])
    heavy = sorted({name.partition(".")[0] for name in set(sys.modules) - before} & set(HEAVY))
    everything.load(disabled_plugins())
    sys.stdout.flush()
    sys.stdout.buffer.write(b"\n" + msgspec.json.encode(Seen(asked.plugins, heavy, everything.plugins)))


if __name__ == "__main__":
    main()
