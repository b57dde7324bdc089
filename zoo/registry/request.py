"""What a person asks to be installed: a name, a requirement, a wheel, a folder or an address; and what is refused."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from zoo.catalog.catalog import nearest
from zoo.errors import CannotInstall, UnknownName
from zoo.places import possible
from zoo.registry.environment import distribution_of
from zoo.registry.installer import Options
from zoo.registry.sources import Listing, Registries


@dataclass(frozen=True)
class Request:
    """What a person asked for, what pip is asked for, and the registry's entry when it comes from one."""

    asked: str
    source: str
    listing: Listing | None = None

    @property
    def is_folder(self) -> bool:
        return "://" not in self.source and Path(self.source).is_dir()

    @property
    def is_code(self) -> bool:
        """Whether it is source code other than a folder: an archive, a repository, an address of anything but a wheel.

        What is in a folder on this disk can be looked at.
        """
        address = self.source.rpartition(" @ ")[2].partition("#")[0]
        on_disk = os.sep in address and Path(address).is_file()
        return ("://" in address or on_disk) and not address.endswith(".whl")


def request_of(asked: str, registries: Registries) -> Request:
    if listing := registries.listings.get(asked):
        return Request(asked, listing.source, listing)
    path = possible(Path(asked).expanduser(), CannotInstall)
    is_path = asked.endswith(".whl") or any(sign in asked for sign in ("/", os.sep, os.altsep or os.sep))
    if is_path and path.exists():
        return Request(asked, str(path.resolve()))
    try:
        requirement = Requirement(asked)
    except InvalidRequirement:
        requirement = None
    address = requirement.url if requirement else asked if "://" in asked else None
    if address:
        if not address.removeprefix("git+").startswith(("https://", "file://")):
            raise CannotInstall(f"{asked} is not at an https:// address. Give one, or a file on this disk.")
        return Request(asked, asked)
    if is_path:
        raise CannotInstall(f"{asked} does not exist. Give a folder, a wheel, a requirement, or a registry's name.")
    if requirement is None:
        similar = nearest(asked, registries.listings)
        hint = f"Did you mean {' or '.join(similar)}?" if similar else "`zoo search` lists all plugins."
        raise UnknownName(f"{asked!r} is neither a plugin in a registry nor a requirement. {hint}")
    return Request(asked, asked)


def on_no_index(request: Request, registries: Registries) -> Listing | None:
    """The entry for which pip would look on a package index, although only a checkout has its plugin."""
    if (asked := name_in(request.source)) is None:
        return None
    name, listings = canonicalize_name(asked), registries.listings.values()
    same = (one for one in listings if canonicalize_name(one.entry.distribution) == name)
    return next((one for one in same if one.needs_checkout), None)


def refuse_unlisted(request: Request, registries: Registries, options: Options) -> None:
    """Raise `UnknownName` for a name that an index would be asked for, and that may be anything there."""
    name = name_in(request.source)
    if request.listing or name is None or options.unlisted or options.asks_no_index or distribution_of(name):
        return
    listed = {canonicalize_name(one.entry.distribution) for one in registries.listings.values()}
    if canonicalize_name(name) not in listed:
        similar = nearest(request.asked, registries.listings)
        hint = f"Did you mean {' or '.join(similar)}?" if similar else "`zoo search` lists all plugins."
        command = f"zoo install --unlisted {shlex.quote(request.asked)}"
        raise UnknownName(
            f"No registry lists {request.asked!r}. {hint} On the package index, that name may be anything; "
            f"to take it from there all the same: {command}"
        )


def name_in(source: str) -> str | None:
    """The name in a requirement for which an index is asked; None for a path or an address."""
    try:
        requirement = Requirement(source)
    except InvalidRequirement:
        return None
    return None if requirement.url else requirement.name


def called(source: str) -> str:
    """The name of a distribution, from a requirement or from the path or address of a wheel."""
    if name := name_in(source):
        return canonicalize_name(name)
    file = unquote(source.partition("#")[0].rstrip("/").rpartition("/")[2])
    try:
        return parse_wheel_filename(file)[0]
    except InvalidWheelFilename:
        return file
