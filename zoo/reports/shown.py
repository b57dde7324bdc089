"""Finds examples of a run in its data again, and shows them on a page."""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from zoo.data.reader import Raw, Reader, digest
from zoo.data.sources import read_source
from zoo.data.spool import Spool, held
from zoo.errors import BadData, ZooError
from zoo.places import place, utf8
from zoo.reports.blocks import text
from zoo.runs.provenance import read_provenance

if TYPE_CHECKING:
    from zoo.data.layout import Layout
    from zoo.runs.run import Run

Key = tuple[str, str]  # the name of an input, and the fingerprint of its content

_LETTERS = 700


class AnyTargets:
    """Reads a data set for its inputs alone, whatever its targets are."""

    def read_target(self, cells: Sequence[Any], raw: Raw) -> str:
        return ""

    def write_target(self, target: str) -> str:
        return target


class Shelf:
    """Some examples of a run's data, or of other data, by name and content.

    wanted  the names of those that may be asked for; None: all
    data    the data, unless it is the run's own

    problem  why they cannot be read any more; "" if they can
    """

    def __init__(self, run: Run, wanted: Collection[str] | None = None, data: str = "") -> None:
        self._layout: Layout = run.other_layout if data else run.layout
        self.reader: Reader = self._layout.reader
        self._spools: list[Spool] = []
        self._raws: dict[str, list[Raw]] = {}
        self.problem = ""
        before = Path(read_provenance(run.folder)["folder"]) if run.folder.exists("provenance.json") else Path()
        plan = run.plan.seen_from(before)
        try:
            for one in filter(None, [data] if data else [plan.data, plan.val]):
                self._read(one, wanted)
        except ZooError as error:
            self.problem = str(error)

    def _read(self, data: str, wanted: Collection[str] | None) -> None:
        examples = read_source(place(data), self._layout, AnyTargets())
        self._spools.append(examples.spool)  # or what it keeps would be deleted
        for example in examples.items:
            if wanted is None or utf8(example.input) in wanted:
                self._raws.setdefault(utf8(example.input), []).append(example.kept)

    def close(self) -> None:
        for spool in self._spools:
            spool.close()

    def raw(self, key: Key) -> Raw:
        """The example with this name and content. Raises `BadData` if it is not there, or is another one now."""
        name, content = key
        found = self._raws.get(name, [])
        if not found:
            raise BadData("no longer in the data")
        for raw in found:
            if not content or self._content(raw) == content:
                return held(raw)
        raise BadData("changed since the training")

    def named(self, name: str) -> list[Raw]:
        """All examples of this name, unread."""
        return self._raws.get(name, [])

    def _content(self, raw: Raw) -> str:
        seen = self.reader.survey(raw)
        scaled = "" if seen.facts is None else self.reader.scaled(seen.facts)
        return digest(f"{seen.content} {scaled}".encode()) if scaled else seen.content

    def show(self, key: Key) -> Markup:
        """The example as a page shows it, or why it cannot be shown."""
        if self.problem:
            return Markup("<p class=note>{}</p>").format(text(key[0]))
        try:
            return element(self.reader, self.reader.read(self.raw(key)))
        except (ZooError, NotImplementedError) as error:
            return Markup("<p class=note>{}: {}</p>").format(text(key[0]), text(error))


def element(reader: Reader, value: Any) -> Markup:
    """A value as the reader shows it, as an HTML element."""
    shown = reader.show(value)
    kind = shown.mime.partition("/")[0]
    if kind == "text":
        said = shown.content.decode("utf-8", "replace")
        cut = said if len(said) <= _LETTERS else f"{said[: _LETTERS - 1]}…"
        return Markup("<blockquote dir=auto>{}</blockquote>").format(text(cut))
    address = f"data:{shown.mime};base64,{base64.b64encode(shown.content).decode()}"
    if kind == "image":
        return Markup('<img alt="" src="{}">').format(address)
    if kind in ("audio", "video"):
        return Markup('<{0} controls src="{1}"></{0}>').format(Markup(kind), address)
    return Markup("<p class=note>{} ({} bytes)</p>").format(text(shown.mime), len(shown.content))


def marked(words: Sequence[str], true: Sequence[str], given: Sequence[str]) -> Markup:
    """A text of words with their tags other than O; of a wrong tag the true one, and the given one struck out."""
    if not len(words) == len(true) == len(given):
        return Markup("<blockquote dir=auto>{}</blockquote>").format(text(" ".join(words)))
    parts: list[Markup] = []
    for word, right, said in zip(words, true, given, strict=True):
        if right == said:
            tag = Markup("<small>{}</small>").format(text(said)) if said != "O" else Markup("")
            parts.append(
                Markup("<span class={}>{}{}</span>").format("tagged" if said != "O" else "plain", text(word), tag)
            )
        else:
            title = Markup("<small>{} <s>{}</s></small>").format(text(right), text(said))
            parts.append(Markup("<mark>{}{}</mark>").format(text(word), title))
    return Markup("<blockquote dir=auto class=words>{}</blockquote>").format(Markup(" ").join(parts))


def card(shown: Markup, facts: Mapping[str, Any], name: str, more: Markup | None = None) -> Markup:
    """An example with what is known about it, its name below."""
    rows = Markup("").join(
        Markup("<div><dt>{}</dt><dd><bdi>{}</bdi></dd></div>").format(text(name), text(value))
        for name, value in facts.items()
    )
    listed = Markup("<dl>{}</dl>").format(rows) if facts else Markup("")
    named = Markup("<p class=note>{}</p>").format(text(name))
    return Markup("<li class=card>{}{}{}{}</li>").format(shown, more or Markup(""), listed, named)


def cards(title: str, made: Iterable[Markup], note: str = "", wide: bool = False) -> Markup:
    """Examples beside and below each other."""
    said = Markup("<p class=note>{}</p>").format(text(note)) if note else Markup("")
    return Markup("<h3>{}</h3>{}<ul class='cards{}'>{}</ul>").format(
        text(title), said, " wide" if wide else "", Markup("").join(made)
    )
