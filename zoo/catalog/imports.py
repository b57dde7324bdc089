"""Import strings: what a spec names by text, and is imported only when it is needed."""

from __future__ import annotations

import importlib
from typing import Any

from zoo.errors import ZooError


def resolve_import(text: str, owner: str) -> Any:
    """What an import string "package.module:name" stands for; raises `ZooError` naming its owner."""
    module, _, name = text.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ZooError(f"{owner} cannot be built: {error}. `zoo plugins` shows which plugin offers it.") from error
