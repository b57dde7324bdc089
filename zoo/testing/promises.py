"""Which promises a distribution makes, and what came of each."""

from __future__ import annotations

import fnmatch
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from packaging.utils import canonicalize_name

from zoo.catalog import Backbone, Head, Offer, catalog
from zoo.errors import UnknownName
from zoo.registry.environment import distribution_of

State = Literal["kept", "broken", "not checked"]


class BrokenPromise(AssertionError):
    """What a plugin offers is not what it says; the message says in what."""


class NotChecked(Exception):
    """A promise cannot be checked here, for a reason such as weights that cannot be had."""


@dataclass(frozen=True)
class Promise:
    """One promise about one thing.

    subject  "plugin NAME", "backbone NAME" or "head NAME"
    name     what is promised, in a few words
    """

    subject: str
    name: str
    hold: Callable[[], str]

    def __str__(self) -> str:
        return f"{self.subject}: {self.name}"

    def check(self) -> str:
        """Hold the promise against the thing; gives a few words on what was seen.

        Raises `BrokenPromise`. One that cannot be checked here is skipped in pytest, and raises `NotChecked` elsewhere.
        """
        try:
            return self.hold()
        except NotChecked as reason:
            if "pytest" in sys.modules:
                import pytest

                pytest.skip(str(reason))
            raise


@dataclass(frozen=True)
class Outcome:
    """What came of a promise; `detail` says what was seen, or what is wrong."""

    promise: Promise
    state: State
    detail: str


def promises(
    distribution: str, backbones: Sequence[str] = (), *, every: bool = False, weights: str = ""
) -> list[Promise]:
    """The promises of an installed distribution, or of the plugin of that name.

    backbones  patterns of names; without, the smallest backbone of each family stands for it
    every      all backbones instead
    weights    a file or folder to build them with; without, those that are here, else random ones

    What is light is checked of all of them in any case. Raises `zoo.UnknownName` where it is not installed.
    """
    found = distribution_of(distribution)
    if found is None:
        known = sorted({plugin.distribution for plugin in catalog().plugins})
        raise UnknownName(f"No plugin {distribution!r} is installed; there are {', '.join(known)}.")
    name = canonicalize_name(found.metadata["Name"])
    plugins = [plugin for plugin in catalog().plugins if canonicalize_name(plugin.distribution) == name]
    names = {plugin.name for plugin in plugins}
    offers = [offer for offer in catalog().backbones if offer.plugin in names]
    chosen = [o for o in offers if any(fnmatch.fnmatchcase(o.own_name, p) for p in backbones)]
    if backbones and not chosen:
        raise UnknownName(f"{distribution} has no backbone {' or '.join(backbones)}; `zoo list --plugin` shows all.")
    if not backbones:
        chosen = offers if every else _smallest(offers)
    heads = [offer for offer in catalog().heads if offer.plugin in names]
    return [
        *_of_plugin(name, len(offers)),
        *(promise for offer in chosen for promise in _of_backbone(offer, weights)),
        *(promise for offer in heads for promise in _of_head(offer)),
    ]


def outcomes(chosen: Sequence[Promise]) -> Iterator[Outcome]:
    """Check promise after promise."""
    for promise in chosen:
        try:
            yield Outcome(promise, "kept", promise.hold())
        except NotChecked as reason:
            yield Outcome(promise, "not checked", str(reason))
        except BrokenPromise as error:
            yield Outcome(promise, "broken", str(error))
        except Exception as error:
            yield Outcome(promise, "broken", f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}")


def _smallest(offers: Sequence[Offer[Backbone]]) -> list[Offer[Backbone]]:
    by_family: dict[str, Offer[Backbone]] = {}
    for offer in sorted(offers, key=lambda offer: offer.spec.params):
        by_family.setdefault(offer.spec.family, offer)
    return sorted(by_family.values(), key=lambda offer: offer.name)


def _of_plugin(distribution: str, count: int) -> list[Promise]:
    from zoo.testing import plugin

    held = [
        ("it loads", plugin.loads),
        ("importing it is light", plugin.is_light),
        ("licences and checksums are stated", plugin.states_weights),
    ]
    return [Promise(f"plugin {distribution}", name, partial(hold, distribution)) for name, hold in held]


def _of_backbone(offer: Offer[Backbone], weights: str) -> list[Promise]:
    from zoo.testing import backbone

    held = [
        ("facts match what is built", backbone.facts_match),
        ("features have the promised shapes", backbone.features_have_shapes),
        ("it reads what it says", backbone.reads_what_it_says),
        ("every way to ask gives the same", backbone.answers_agree),
        ("preprocessing travels in the model", backbone.preprocessing_travels),
        ("frozen means frozen", backbone.frozen_means_frozen),
        ("every stage unfreezes", backbone.every_stage_unfreezes),
        ("gradients are finite", backbone.gradients_are_finite),
    ]
    about = backbone.About(offer.name, weights)
    return [Promise(f"backbone {offer.name}", name, partial(hold, about)) for name, hold in held]


def _of_head(offer: Offer[Head]) -> list[Promise]:
    from zoo.testing import head

    held = [
        ("it combines with a kind of backbone", head.combines),
        ("it decodes what it encodes", head.decodes_what_it_encodes),
        ("its state brings it back", head.state_brings_it_back),
    ]
    return [Promise(f"head {offer.name}", name, partial(hold, offer)) for name, hold in held]
