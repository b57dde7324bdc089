"""Puts sections into one HTML page that needs nothing from elsewhere."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from zoo.atomic import atomic_path
from zoo.errors import BadRun
from zoo.harmless import harmless
from zoo.reports.blocks import rendered
from zoo.reports.section import Section

MARK = b'<meta name="generator" content="zoo">'


@dataclass(frozen=True)
class Part:
    """A section whose content is HTML that was escaped where it was made."""

    title: str
    content: Markup

    @property
    def anchor(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-") or "part"

    @classmethod
    def of(cls, section: Section) -> Part:
        return cls(section.title, Markup("").join(map(rendered, section.figures)))


def page(title: str, lead: Markup, parts: Sequence[Part]) -> str:
    """The whole page: a title, what comes first, and the parts that have content, with a list of them."""
    style = resources.files(__package__).joinpath("templates/style.css").read_text(encoding="utf-8")
    shown = [part for part in parts if part.content]
    return _environment().get_template("page.html").render(title=title, lead=lead, parts=shown, style=Markup(style))


@functools.cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("zoo.reports"), autoescape=True, trim_blocks=True, lstrip_blocks=True, finalize=_shown
    )


def _shown(value: Any) -> Any:
    """Text without characters that turn the direction of writing; what is HTML already stays."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else harmless(value, lines=True)


def write_page(path: Path, content: str) -> None:
    """Write a page; only another page of ours is replaced. Raises `BadRun`."""
    try:
        if path.exists() and MARK not in path.read_bytes()[:2_000]:
            raise BadRun(f"{path} exists, and is no page that zoo wrote. Name another file with --out.")
        with atomic_path(path) as beside:
            beside.write_text(content, encoding="utf-8", errors="xmlcharrefreplace")
    except OSError as error:
        raise BadRun(f"Cannot write {path}: {error.strerror or error}. Name another file with --out.") from None
