"""Reads every example once: sets aside those that cannot be read, and gives the others a fingerprint."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Protocol

from zoo.data.examples import Example, Examples, Skipped
from zoo.data.known import Known
from zoo.data.reader import Raw, Reader, Seen, Value
from zoo.errors import BadData
from zoo.places import is_place
from zoo.progress import progress, say

BATCH = 32
_AHEAD = 4 * BATCH  # examples that are read before they are used


class Feed(Protocol):
    """Takes what was read, so that it need not be read a second time: the computing of features.

    wanted  output of the preprocessing, as `Reader.read` takes it
    """

    @property
    def wanted(self) -> Any: ...

    def has_room(self, count: int) -> bool:
        """Whether it can keep what comes of this many examples."""

    def claim(self, content: str) -> bool:
        """Whether an example with this fingerprint is lacking; it then counts as given. Thread-safe."""

    def prepare(self, value: Value) -> Any:
        """What `add` wants of a value. Thread-safe."""

    def add(self, contents: Sequence[str], prepared: Sequence[Any]) -> None:
        """Take some examples."""

    def end(self) -> None:
        """All examples have been given."""


@dataclass(frozen=True)
class _Look:
    """What reading an example showed; `reason` says why it cannot be used ("": it can)."""

    seen: Seen | None
    reason: str = ""
    prepared: Any = None


def check(examples: Examples, reader: Reader, feed: Feed | None = None) -> Examples:
    """Keep the examples that can be read, and list the others with the reason.

    A file that was read before and is the same is not opened. `feed` is given each example that it lacks.

    Raises `BadData` if none is left.
    """
    known = Known(reader, [example.kept for example in examples.items])
    if feed is not None and not feed.has_room(len(examples.items)):
        feed = None

    def look(example: Example) -> _Look:
        try:
            seen = _seen(example.kept, reader, known, feed)
            wanted = feed is not None and seen.facts is None and feed.claim(seen.content)
            prepared = _prepared(example.kept, seen, reader, feed) if feed is not None and wanted else None
        except BadData as error:
            return _Look(None, str(error))
        return _Look(seen, "", prepared)

    kept: list[Example] = []
    skipped = list(examples.skipped)
    waiting: list[tuple[str, Any]] = []
    with (
        ThreadPoolExecutor(max_workers=os.cpu_count()) as pool,
        progress(f"Reading the {reader.unit}", len(examples.items), reader.unit) as advance,
    ):
        for example, looked in zip(examples.items, _ahead(pool, look, examples.items), strict=True):
            if looked.seen is None:
                skipped.append(Skipped(example.input, looked.reason))
            else:
                seen = looked.seen
                if reader.in_memory and is_place(example.kept):
                    example.kept = examples.spool.keep(seen.value)
                example.content, example.facts = seen.content, seen.facts
                kept.append(example)
            if looked.seen is not None and looked.prepared is not None:
                waiting.append((looked.seen.content, looked.prepared))
            if feed is not None and (len(waiting) == BATCH or (waiting and example is examples.items[-1])):
                feed.add(*zip(*waiting, strict=True))
                waiting.clear()
            advance()
    if feed is not None:
        feed.end()
    known.save()
    if not kept:
        reasons = Counter(s.reason for s in skipped).most_common(1)[0][0]
        raise BadData(
            f"None of the inputs from {examples.source} can be used ({len(skipped)} in all; {reasons})."
            f"{_hint(examples, skipped)}"
        )
    if len(skipped) > len(kept) and (hint := _hint(examples, skipped)):
        say(f"{skipped[-1].input}: {skipped[-1].reason}.{hint}")
    return replace(examples, items=kept, skipped=skipped)


def _seen(raw: Raw, reader: Reader, known: Known, feed: Feed | None) -> Seen:
    """What is known of an example, or what reading it shows."""
    stamp = known.stamp(raw)
    if content := known.content(raw, stamp):
        return Seen(None, content)
    seen = reader.survey(raw, feed.wanted if feed is not None else None)
    if seen.facts is None:
        known.note(raw, stamp, seen.content)
    return seen


def _prepared(raw: Raw, seen: Seen, reader: Reader, feed: Feed) -> Any:
    return feed.prepare(reader.read(raw, feed.wanted) if seen.value is None else seen.value)


def _ahead(pool: ThreadPoolExecutor, look: Callable[[Example], _Look], items: Sequence[Example]) -> Iterator[_Look]:
    """What `look` returns for each example, in order; few of them are waiting at any time."""
    waiting: deque[Future[_Look]] = deque()
    for example in items:
        waiting.append(pool.submit(look, example))
        if len(waiting) >= _AHEAD:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _hint(examples: Examples, skipped: list[Skipped]) -> str:
    """How a table names files, if most of the files that were left out are not where it says."""
    missing = sum("no file " in one.reason for one in skipped)
    seen = "Paths in a table are seen from its folder, or else from the working folder."
    return f" {seen}" if 2 * missing > len(skipped) and not examples.source.is_dir() else ""
