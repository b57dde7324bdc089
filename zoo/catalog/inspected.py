"""The program that looks at plugins, in a process of its own: `main(points)` prints a line of JSON for each of them.

Where the system has `fork`, each plugin is loaded in a fork of this process, which itself loads none: so no plugin can
change what is seen of another, or end this process by ending its own. Elsewhere, it is started for a single plugin.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import sys
import tempfile
import time
import traceback
import types
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, NoReturn

import msgspec

from zoo.catalog import memory
from zoo.catalog.loading import Loader, sentence
from zoo.catalog.plugin import Facts
from zoo.catalog.points import Point
from zoo.places import utf8

READY = b"zoo looks at plugins"
HEAVY = ("tensorflow", "keras", "jax", "torch", "numpy", "pandas", "transformers")
_SHOWN = 2_000  # bytes of what a plugin prints
_MOST_CHANGES = 5
_LEFT_IN_PIPES = 100  # reads


class Answer(msgspec.Struct):
    """What is seen of a plugin.

    reason   why it cannot be used; blank if it can
    heavy    the slow packages that loading it imports
    printed  the beginning of what it prints while it is loaded
    threads  how many threads it has started
    changes  what it has replaced in other packages
    modules  how many modules loading it imports
    seen     every file that was read for it; None if that is not known
    trace    where the error was
    """

    reason: str = ""
    api: str = ""
    hooks: tuple[str, ...] = ()
    offers: dict[str, list[Facts]] = {}
    heavy: tuple[str, ...] = ()
    printed: str = ""
    threads: int = 0
    changes: tuple[str, ...] = ()
    modules: int = 0
    seen: dict[str, memory.Stamp] | None = None
    trace: str = ""


class Limits(NamedTuple):
    """What a plugin may take: seconds, bytes of memory, and bytes of facts."""

    seconds: float = 20
    memory: int = 512_000_000
    facts: int = 200_000_000


def main(points: Sequence[Sequence[Any]], limits: Sequence[Any], fork: bool) -> None:
    """Look at each plugin and print its `Answer`, after a line `READY`.

    Ends with the process that has the other end of standard input.
    """
    import zoo

    if hasattr(signal, "SIGCHLD"):
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # it may be ignored, and then no child can be waited for
    zoo.Backbone, zoo.Head, zoo.hookimpl  # noqa: B018 - what plugins are made of is imported before any of them
    answers = os.dup(1)
    os.dup2(2, 1)
    before = Before()
    _put(answers, READY)
    for given in points:
        point, most = Point(*given), Limits(*limits)
        answer = _in_a_fork(point, before, most, answers) if fork else _in_this_process(point, before)
        _put(answers, encoded(answer))


def _put(answers: int, line: bytes) -> None:
    with os.fdopen(os.dup(answers), "wb") as out:
        out.write(line + b"\n")


def encoded(answer: Answer) -> bytes:
    """The answer as a line of JSON, whatever texts are in it."""
    try:
        return msgspec.json.encode(answer)
    except UnicodeEncodeError:  # half of a character, which JSON cannot hold
        plain = Answer(reason=utf8(answer.reason), printed=utf8(answer.printed), trace=utf8(answer.trace))
        plain.reason = plain.reason or "it offers a text with half of a character"
        return msgspec.json.encode(plain)


class Before:
    """The modules and the functions of this process before a plugin is loaded."""

    def __init__(self) -> None:
        self.modules = set(sys.modules)
        self.functions = dict(_functions(self.modules))

    def replaced(self, packages: Sequence[str]) -> list[str]:
        """What has been replaced since, other than in the plugin's own packages."""
        now = dict(_functions(self.modules))
        found = [place for place, value in self.functions.items() if now.get(place, value) is not value]
        later = {name for name in set(sys.modules) - self.modules if name.partition(".")[0] in (*HEAVY, "zoo")}
        for place, value in _functions(later):
            home = getattr(value, "__globals__", {}).get("__name__") or ""
            if home.partition(".")[0] in packages:
                found.append(place)
        return sorted(found)


def _functions(modules: set[str]) -> Iterator[tuple[str, Any]]:
    """What can be called in these modules and in their classes, each with its name; and the streams in `sys`."""
    for name in sorted(modules):
        for key, value in _members(sys.modules.get(name)):
            if isinstance(value, type):
                for inner, method in _members(value) if value.__module__ == name else ():
                    if isinstance(method, (types.FunctionType, classmethod, staticmethod)):
                        yield f"{name}.{key}.{inner}", method
            if callable(value) or (name == "sys" and key in ("stdout", "stderr")):
                yield f"{name}.{key}", value


def _members(owner: Any) -> list[tuple[str, Any]]:
    return [(key, value) for key, value in list(getattr(owner, "__dict__", {}).items()) if isinstance(key, str)]


def load(point: Point, before: Before) -> Answer:
    """Load the plugin into this process."""
    answer, loader = Answer(), Loader()
    with memory.noting() as seen:
        try:
            answer.api, answer.hooks = loader.load(point)
            answer.offers = loader.offers(point.name)
        except MemoryError:
            answer.reason = "it needs more memory than it may while it is loaded"
        except BaseException as error:
            answer.reason, answer.trace = sentence(error), traceback.format_exc()[-10_000:]
    answer.seen = {path: stamp for path, stamp in seen.items() if utf8(path) == path}
    new = set(sys.modules) - before.modules
    answer.modules = len(new)
    answer.heavy = tuple(sorted({name.partition(".")[0] for name in new} & set(HEAVY)))
    answer.threads = len(sys._current_frames()) - 1
    answer.changes = tuple(before.replaced(point.packages)[:_MOST_CHANGES])
    return answer


def _in_this_process(point: Point, before: Before) -> Answer:
    with tempfile.TemporaryFile() as output:
        os.dup2(output.fileno(), 1)
        answer = load(point, before)
        sys.stdout.flush()
        output.seek(0)
        answer.printed = output.read(_SHOWN).decode(errors="replace")
    return answer


class _Pipe:
    """A pipe, and the beginning of what was read from it."""

    def __init__(self, most: int) -> None:
        self.reads, self.writes = os.pipe()
        self.most, self.content, self.rest = most, bytearray(), 0

    def read(self) -> bool:
        """Read what there is; False at the end."""
        chunk = os.read(self.reads, 1 << 16)
        kept = chunk[: self.most - len(self.content)]
        self.content += kept
        self.rest += len(chunk) - len(kept)
        return bool(chunk)

    def text(self) -> str:
        return self.content.decode(errors="replace").strip()


def _in_a_fork(point: Point, before: Before, limits: Limits, answers: int) -> Answer:
    said, output, errors = pipes = _Pipe(limits.facts), _Pipe(_SHOWN), _Pipe(_SHOWN)
    if (process := os.fork()) == 0:
        os.close(answers)
        _say(point, before, limits, *pipes)
    for pipe in pipes:
        os.close(pipe.writes)
    reason, status = _watch(process, limits, pipes)
    for pipe in pipes:
        os.close(pipe.reads)
    try:
        answer = Answer(reason) if reason else msgspec.json.decode(said.content, type=Answer)
    except msgspec.MsgspecError:
        last = errors.text().rpartition("\n")[2]
        answer = Answer(f"it ends the process that loads it ({_ending(status)}{f'; {last[:200]}' if last else ''})")
    answer.printed = output.text()
    return answer


def _say(point: Point, before: Before, limits: Limits, said: _Pipe, output: _Pipe, errors: _Pipe) -> NoReturn:
    """In the fork: load the plugin, write the answer, and end, whatever it has started."""
    try:
        os.dup2(output.writes, 1)
        os.dup2(errors.writes, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        _limit(limits.memory)
        content = memoryview(encoded(load(point, before)))
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        while content:
            content = content[os.write(said.writes, content) :]
        os._exit(0)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def _limit(memory_bytes: int) -> None:
    import resource

    for kind, most in ((resource.RLIMIT_DATA, memory_bytes), (resource.RLIMIT_CORE, 0)):
        with contextlib.suppress(OSError, ValueError):  # it is lower already, or this system has none
            resource.setrlimit(kind, (most, most))


def _watch(process: int, limits: Limits, pipes: Sequence[_Pipe]) -> tuple[str, int]:
    """Read what a fork says until it ends; returns why it was ended (blank if it ended by itself), and its status."""
    said = pipes[0]
    start, listening = time.monotonic(), True
    with selectors.DefaultSelector() as selector:
        for pipe in pipes:
            selector.register(pipe.reads, selectors.EVENT_READ, pipe)
        selector.register(0, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select(0.2 if listening else 0.002):
                if key.data is None:  # nobody waits for an answer any more
                    os.kill(process, signal.SIGKILL)
                    os._exit(1)
                if not key.data.read():
                    selector.unregister(key.fd)
                    listening = listening and key.data is not said
            ended, status = os.waitpid(process, os.WNOHANG)
            late = time.monotonic() - start > limits.seconds
            if ended or late or said.rest:
                break
        reason = ""
        if not ended:
            reason = f"it takes more than {limits.seconds:g} s to load" if late else "it offers too much to be listed"
            os.kill(process, signal.SIGKILL)
            _, status = os.waitpid(process, 0)
        for _ in range(_LEFT_IN_PIPES):  # and not for ever, since something else may hold them open and write
            if not any(key.data.read() for key, _ in selector.select(0) if key.data is not None):
                break
    return reason, status


def _ending(status: int) -> str:
    """How a process has ended, in words."""
    code = os.waitstatus_to_exitcode(status)
    return f"exit status {code}" if code >= 0 else f"signal {-code}"
