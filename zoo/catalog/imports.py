"""Import strings: what a spec names by text, and is imported only when it is needed."""

from __future__ import annotations

import importlib
from typing import Any

from zoo.catalog.plugin import Refused
from zoo.catalog.points import installed_point
from zoo.errors import ZooError


def resolve_import(text: str, plugin: str, owner: str) -> Any:
    """What an import string "package.module:name" of a plugin stands for; raises `ZooError` naming its owner.

    Only what is in the packages of the installed plugin is imported, whatever is remembered of it.
    """
    module, _, name = text.partition(":")
    try:
        if plugin != "zoo" and module.partition(".")[0] not in installed_point(plugin).packages:
            raise Refused(f"{text} is not in the plugin {plugin}")
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, Refused) as error:
        raise ZooError(f"{owner} cannot be built: {error}. `zoo plugins` shows which plugin offers it.") from error
