"""Looking after an installation: the cache of features, what is wrong, and whether a plugin keeps its promises."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from zoo.progress import progress

if TYPE_CHECKING:
    from zoo.testing.promises import Outcome


def cache(*, prune_to: int | str | None = None) -> dict[str, Any]:
    """The features of frozen backbones that are cached on disk.

    prune_to  delete the least recently used ones until at most this much is left: bytes, or a size such as "2GB"

    Returns a dict: folder; limit, bytes, and deleted, in bytes; and features, the least recently used first, each with
    backbone, features, precision, weights, bytes, and used, when it was last used (ISO 8601, UTC). Raises
    `zoo.ZooError` when `prune_to` or ZOO_CACHE_SIZE is not a size.

    >>> import zoo
    >>> zoo.cache(prune_to="1GB")["bytes"] <= 1_000_000_000
    True
    """
    from zoo.features.disk import cached_features, features_folder, limit, parse_size, prune

    deleted = 0 if prune_to is None else prune(parse_size(str(prune_to)))
    cached = cached_features()
    return {
        "folder": str(features_folder()),
        "limit": limit(),
        "bytes": sum(one.bytes for one in cached),
        "deleted": deleted,
        "features": [
            {
                **{fact: one.about.get(fact) for fact in ("backbone", "features", "precision", "weights")},
                "bytes": one.bytes,
                "used": datetime.fromtimestamp(one.used, UTC).isoformat(timespec="seconds"),
            }
            for one in cached
        ],
    }


def doctor() -> dict[str, Any]:
    """What keeps zoo from working well on this machine, and how to fix it.

    Returns a dict: facts, a dict of versions, accelerators, caches, plugins and sources of weights; problems, sentences
    on what does not work; and notes, sentences on what only some people need. What a killed installation left is put
    right first.

    >>> import zoo
    >>> sorted(zoo.doctor())
    ['facts', 'notes', 'problems']
    """
    from zoo.diagnosis import diagnose

    return diagnose()


def check(
    distribution: str, backbones: str | Sequence[str] = (), *, every: bool = False, weights: str = ""
) -> list[Outcome]:
    """Check whether an installed plugin keeps its promises. TensorFlow builds its backbones and heads.

    distribution  the distribution's name, or a plugin's
    backbones     patterns of names; without any, the smallest backbone of each family stands for it
    every         check all backbones instead
    weights       a file or folder to build the backbones with; without it, those on this machine, else random ones

    Each outcome has `promise.subject` ("backbone tiny_net"), `promise.name`, `verdict` ("kept", "broken" or "not
    checked") and `detail`. Raises `zoo.UnknownName` when nothing like it is installed.

    >>> import zoo
    >>> {outcome.verdict for outcome in zoo.check("heads")}
    {'kept'}
    """
    from zoo.testing.promises import outcomes, promises

    patterns = [backbones] if isinstance(backbones, str) else backbones
    promised = promises(distribution, patterns, every=every, weights=weights)
    found = []
    with progress(f"Checking {distribution}", len(promised), "promises") as advance:
        for outcome in outcomes(promised):
            found.append(outcome)
            advance(note=str(outcome.promise))
    return found
