"""Finding plugins by name and by what they offer, installed or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from email.message import Message
from importlib import metadata
from typing import Any, cast

from packaging.utils import canonicalize_name

from zoo.catalog import catalog
from zoo.catalog.catalog import nearest
from zoo.registry.sources import Listing, Registries


def search(query: str, registries: Registries) -> list[dict[str, Any]]:
    """The facts of the plugins in which every word of the query occurs: in name, summary, or something they offer.

    Their `matches` are the backbones, heads and modalities in which a word occurs. Plugins whose own name matches come
    first. Without a query, all are found.
    """
    words = [_key(word) for word in query.split()]
    found = []
    for facts in _everything(registries):
        own = _key(f"{facts['name']} {facts['distribution']} {facts['summary']}")
        offers = {kind: {_key(name): name for name in facts[kind]} for kind in ("backbones", "heads", "modalities")}
        names = [name for kind in offers.values() for name in kind]
        if all(word in own or any(word in name for name in names) for word in words):
            matches = {
                kind: [name for key, name in offers[kind].items() if any(word in key for word in words)]
                for kind in offers
            }
            found.append(facts | {"matches": matches})
    return sorted(found, key=lambda facts: (not all(w in _key(facts["name"]) for w in words), facts["name"]))


def offering(kind: str, name: str, registries: Registries) -> str:
    """A sentence on the plugins, not installed, that offer a backbone or head of this name or a similar one."""
    present = {_identity(plugin.name, plugin.distribution) for plugin in catalog().plugins}
    offers: dict[str, list[str]] = {}
    for listing in registries.listings.values():
        if _identity(listing.entry.name, listing.entry.distribution) not in present:
            for one in listing.entry.backbones if kind == "backbone" else listing.entry.heads:
                offers.setdefault(one.name, []).append(listing.entry.name)
    if name in offers:
        plugins = offers[name]
        ways = " or ".join(_way(registries.listings[plugin]) for plugin in plugins)
        return f"The plugin {' or '.join(plugins)} offers {name}: {ways}"
    similar = nearest(name, offers, count=1)
    if similar:
        plugin = offers[similar[0]][0]
        return f"The plugin {plugin} offers {similar[0]}: {_way(registries.listings[plugin])}"
    return ""


def _about(distribution: str) -> Message:
    """What a distribution says about itself; nothing if that cannot be read."""
    try:
        return cast(Message, metadata.metadata(distribution))
    except Exception:  # whatever is wrong with the files of a stranger's distribution
        return Message()


def _way(listing: Listing) -> str:
    """How to install a plugin."""
    return f"{listing.install} (only a checkout of zoo has it)" if listing.needs_checkout else listing.install


def _everything(registries: Registries) -> Iterator[dict[str, Any]]:
    present = {_identity(plugin.name, plugin.distribution): plugin for plugin in catalog().plugins}
    for listing in registries.listings.values():
        entry = listing.entry
        plugin = present.pop(_identity(entry.name, entry.distribution), None)
        yield {
            "name": entry.name,
            "summary": entry.summary,
            "distribution": entry.distribution,
            "requirement": entry.requirement,
            "installed": plugin.version if plugin else None,
            "registry": listing.registry,
            "also_in": list(listing.hides),
            "install": listing.install,
            "verified": entry.verified,
            "bytes": entry.bytes or None,
            "licence": entry.licence,
            "homepage": entry.homepage,
            "api": entry.api,
            "backbones": _names(entry.backbones),
            "heads": _names(entry.heads),
            "modalities": list(entry.modalities),
        }
    for plugin in present.values():
        about = _about(plugin.distribution)
        yield {
            "name": plugin.name,
            "summary": about.get("Summary") or "",
            "distribution": plugin.distribution,
            "requirement": None,
            "installed": plugin.version,
            "registry": None,
            "also_in": [],
            "install": None,
            "verified": False,
            "bytes": None,
            "licence": about.get("License-Expression") or "",
            "homepage": None,
            "api": plugin.api,
            "backbones": list(plugin.backbones.names),
            "heads": list(plugin.heads.names),
            "modalities": list(plugin.modalities.names),
        }


def _identity(plugin: str, distribution: str) -> tuple[str, str]:
    """What makes a plugin the same: another distribution may have one of the same name."""
    return plugin, canonicalize_name(distribution)


def _names(listed: Iterable[Any]) -> list[str]:
    return [one.name for one in listed]


def _key(text: str) -> str:
    return text.lower().replace("-", "_")
