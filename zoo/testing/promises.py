"""The promises that a distribution makes, and whether it keeps each of them."""

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
from zoo.weights import check_choice

Verdict = Literal["kept", "broken", "not checked"]


class BrokenPromise(AssertionError):
    """What a plugin offers is not what it says; the message says in which respect."""


class NotChecked(Exception):
    """A promise cannot be checked here, for example because weights are not available."""


@dataclass(frozen=True)
class Promise:
    """One promise about one thing.

    subject  "plugin NAME", "backbone NAME" or "head NAME"
    name     what is promised, in a few words
    test     returns a few words on what it saw; raises `BrokenPromise`, or `NotChecked` if it cannot be tested here
    """

    subject: str
    name: str
    test: Callable[[], str]

    def __str__(self) -> str:
        return f"{self.subject}: {self.name}"

    def check(self) -> str:
        """Test the promise; returns a few words on what was seen.

        Raises `BrokenPromise`. In pytest, a promise that cannot be tested here is skipped; elsewhere it raises
        `NotChecked`.
        """
        try:
            return self.test()
        except NotChecked as reason:
            if "pytest" in sys.modules:
                import pytest

                pytest.skip(str(reason))
            raise


@dataclass(frozen=True)
class Outcome:
    """Whether a promise is kept; `detail` says what was seen, or what is wrong."""

    promise: Promise
    verdict: Verdict
    detail: str


def promises(
    distribution: str, backbones: Sequence[str] = (), *, every: bool = False, weights: str = ""
) -> list[Promise]:
    """The promises of an installed distribution, or of the plugin of that name.

    backbones  patterns of names; without any, the smallest backbone of each family stands for it
    every      all backbones instead
    weights    a file or folder to build them with; without it, those on this machine, else random ones

    Raises `zoo.UnknownName` if it is not installed, if a pattern matches no backbone, or if there are no such weights.
    """
    found = distribution_of(distribution)
    if found is None:
        known = sorted({plugin.distribution for plugin in catalog().plugins})
        raise UnknownName(
            f"No plugin called {distribution!r} is installed. Installed distributions: {', '.join(known)}."
        )
    name = canonicalize_name(found.metadata["Name"])
    plugins = [plugin for plugin in catalog().plugins if canonicalize_name(plugin.distribution) == name]
    names = {plugin.name for plugin in plugins}
    offers = [offer for offer in catalog().backbones if offer.plugin in names]
    chosen = [o for o in offers if any(fnmatch.fnmatchcase(o.own_name, p) for p in backbones)]
    if unmatched := [p for p in backbones if not any(fnmatch.fnmatchcase(offer.own_name, p) for offer in offers)]:
        raise UnknownName(
            f"No backbone of {distribution} matches {' or '.join(unmatched)}. `zoo list --plugin PLUGIN` lists them."
        )
    if not backbones:
        chosen = offers if every else _smallest(offers)
    if weights:
        for offer in chosen:
            check_choice(offer, weights)
    heads = [offer for offer in catalog().heads if offer.plugin in names]
    modalities = [name for plugin in plugins for name in plugin.modalities.names]
    return [
        *_of_plugin(name, len(offers)),
        *(promise for modality in modalities for promise in _of_modality(modality)),
        *(promise for offer in chosen for promise in _of_backbone(offer, weights)),
        *(promise for offer in heads for promise in _of_head(offer)),
    ]


def outcomes(chosen: Sequence[Promise]) -> Iterator[Outcome]:
    """Test promise after promise."""
    for promise in chosen:
        try:
            yield Outcome(promise, "kept", promise.test())
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

    tests = [
        ("it loads", plugin.loads),
        ("importing it is light", plugin.is_light),
        ("licences and checksums are stated", plugin.states_weights),
    ]
    return [Promise(f"plugin {distribution}", name, partial(test, distribution)) for name, test in tests]


def _of_backbone(offer: Offer[Backbone], weights: str) -> list[Promise]:
    from zoo.testing import backbone

    tests = [
        ("facts match what is built", backbone.facts_match),
        ("features have the promised shapes", backbone.features_have_shapes),
        ("it reads what it says", backbone.reads_what_it_says),
        ("every way to ask gives the same", backbone.answers_agree),
        ("neighbours in a batch do not matter", backbone.neighbours_do_not_matter),
        ("preprocessing travels in the model", backbone.preprocessing_travels),
        ("frozen means frozen", backbone.frozen_means_frozen),
        ("every stage unfreezes", backbone.every_stage_unfreezes),
        ("gradients are finite", backbone.gradients_are_finite),
    ]
    about = backbone.About(offer.name, weights)
    return [Promise(f"backbone {offer.name}", name, partial(test, about)) for name, test in tests]


def _of_head(offer: Offer[Head]) -> list[Promise]:
    from zoo.testing import head

    tests = [
        ("it combines with a kind of backbone", head.combines),
        ("it decodes what it encodes", head.decodes_what_it_encodes),
        ("its state brings it back", head.state_brings_it_back),
        ("it shows its answers", head.shows_its_answers),
        ("it scores in pieces as at once", head.scores_in_pieces),
        ("every command takes it", head.every_command_takes_it),
    ]
    return [Promise(f"head {offer.name}", name, partial(test, offer)) for name, test in tests]


def _of_modality(name: str) -> list[Promise]:
    from zoo.testing import modality

    tests = [
        ("its values are as it says", modality.values_are_as_it_says),
        ("what is not one is refused", modality.others_are_refused),
        ("fingerprints tell values apart", modality.fingerprints_tell_apart),
        ("it shows its values", modality.shows_values),
    ]
    return [Promise(f"modality {name}", promise, partial(test, name)) for promise, test in tests]
