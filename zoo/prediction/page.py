"""Explanations as one small web page, which needs nothing else."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from zoo.atomic import atomic_path
from zoo.errors import BadData, BadPlan
from zoo.prediction.drawing import escaped, fragment
from zoo.prediction.explanation import Explanation

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.6 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
article {{ border-top: 1px solid #8888; padding: 1rem 0; }}
h1, h2 {{ font-size: 1.3rem; overflow-wrap: anywhere; }}
h2 {{ font-size: 1rem; }}
</style>
<h1>{title}</h1>
{articles}
</html>
"""


def page(explanations: Sequence[Explanation], title: str) -> str:
    """A web page with a fragment for each explanation, readable on a light and on a dark screen."""
    articles = "\n".join(f"<article>{fragment(one)}</article>" for one in explanations)
    return _PAGE.format(title=escaped(title), articles=articles)


def write_page(explanations: Sequence[Explanation], title: str, path: Path) -> None:
    """Write the page, which appears whole or not at all; raises `BadData` if it cannot be written."""
    try:
        with atomic_path(path) as beside:
            beside.write_text(page(explanations, title), encoding="utf-8")
    except OSError as error:
        raise BadData(f"{path} cannot be written: {error.strerror or error}.") from None


def check_page(path: Path) -> None:
    """Raise `BadPlan` if a page cannot be written to this path."""
    if path.suffix.lower() not in (".html", ".htm"):
        right = path.parent / f"{path.stem or 'explained'}.html"
        raise BadPlan(f"--out {path}: explanations are written as a web page. Name the file {right}.")
    if path.exists():
        raise BadPlan(f"--out {path}: the file exists, and it is never overwritten. Name another.")
    if not os.access(path.absolute().parent, os.W_OK):
        raise BadPlan(f"--out {path}: the folder {path.parent} does not exist or is not writable.")
