"""What a shell offers for a half-typed name. Nothing here imports TensorFlow, asks the network, or raises."""

from __future__ import annotations

import functools
import io
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

import typer

from zoo import api
from zoo.harmless import harmless

Completion = Callable[..., list[str]]


def _without_errors(complete: Completion) -> Completion:
    """Offer nothing if something is wrong: a shell would print the error into the line that is being typed."""

    @functools.wraps(complete)
    def quiet(*typed: Any, **named: Any) -> list[str]:
        try:
            return complete(*typed, **named)
        except Exception:
            return []

    return quiet


@contextmanager
def as_bash_cuts_words() -> Iterator[None]:
    """Complete `--set class_weight=` for bash, too, which cuts words at "=" and replaces only what comes after it."""
    words, at = os.environ.get("COMP_WORDS", "").split("\n"), int(os.environ.get("COMP_CWORD") or 0)
    if os.environ.get("_ZOO_COMPLETE") != "complete_bash" or "=" not in words[1 : at + 1]:
        yield
        return
    joined: list[str] = []
    for place, word in enumerate(words[: at + 1]):
        if place > 1 and "=" in (word, words[place - 1]):
            joined[-1] += word
        else:
            joined.append(word)
    os.environ["COMP_WORDS"], os.environ["COMP_CWORD"] = "\n".join(joined), str(len(joined) - 1)
    there = joined[-1].removesuffix("" if words[at] == "=" else words[at])
    offered = io.StringIO()
    try:
        with redirect_stdout(offered):
            yield
    finally:
        print("\n".join(name.removeprefix(there) for name in offered.getvalue().splitlines()))


def _starting(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete) and name == harmless(name)]


@_without_errors
def backbones(incomplete: str) -> list[str]:
    """Backbones."""
    return _starting(api.backbone_names(), incomplete)


@_without_errors
def heads(incomplete: str) -> list[str]:
    """Task heads."""
    return _starting(api.head_names(), incomplete)


@_without_errors
def weights(ctx: typer.Context, incomplete: str) -> list[str]:
    """Weights of the backbone that is typed already."""
    backbone = ctx.params["backbone"] or ctx.args[0]  # there, while the option still lacks its value
    return _starting(api.weights_names(backbone), incomplete)


@_without_errors
def head_options(ctx: typer.Context, incomplete: str) -> list[str]:
    """Options of the head that is typed already, as `--set` takes them; after NAME=, the choices of that option."""
    return _options(ctx.params.get("head") or api.Settings().head, incomplete)


@_without_errors
def embedding_options(incomplete: str) -> list[str]:
    """Options of the head that makes vectors, as `zoo embed --set` takes them."""
    return _options("embedding", incomplete)


def _options(head: str, incomplete: str) -> list[str]:
    known = api.option_choices(head)
    name, is_set, _ = incomplete.partition("=")
    offered = [f"{name}={choice}" for choice in known.get(name, ())] if is_set else [f"{name}=" for name in known]
    return _starting(offered, incomplete)


def words(metavar: str | None) -> Callable[[str], list[str]] | None:
    """Completes the words in a metavar such as "auto|cpu|gpu|gpu:N"; None if it has none."""
    offered = [word for word in (metavar or "").split("|") if word.islower()]
    return (lambda incomplete: _starting(offered, incomplete)) if offered else None


@_without_errors
def modalities(incomplete: str) -> list[str]:
    """Modalities of backbones."""
    return _starting(api.modality_names(), incomplete)


@_without_errors
def facts(incomplete: str) -> list[str]:
    """Facts about backbones, as `--sort` takes them."""
    return _starting(api.fact_comparisons(), incomplete)


@_without_errors
def conditions(incomplete: str) -> list[str]:
    """Conditions, as `--where` takes them: first the facts; once it is clear which one, its comparisons."""
    known = api.fact_comparisons()
    typed = incomplete.rstrip("<>=!")
    names = [typed] if typed in known else _starting(known, typed)
    if len(names) != 1:
        return names
    return _starting((names[0] + comparison for comparison in known[names[0]]), incomplete)


@_without_errors
def plugins(incomplete: str) -> list[str]:
    """Installed plugins."""
    return _starting(api.plugin_names(), incomplete)


@_without_errors
def distributions(incomplete: str) -> list[str]:
    """Distributions of installed plugins, and the plugins themselves."""
    return _starting([*api.distribution_names(), *api.plugin_names()], incomplete)


@_without_errors
def listed_plugins(incomplete: str) -> list[str]:
    """Plugins that a registry lists, installed or not."""
    return _starting(api.listed_plugin_names(), incomplete)


@_without_errors
def registries(incomplete: str) -> list[str]:
    """Registries in use besides the built-in one."""
    return _starting(api.registry_names(), incomplete)


@_without_errors
def runs(incomplete: str) -> list[str]:
    """Run folders, which contain a `plan.toml`: below the typed path, or in `runs/` by their own name."""
    folder, slash, start = incomplete.rpartition("/")
    places = _folders(folder + slash, start)
    places += [inner for place in places for inner in _folders(f"{place}/", "")]
    if not slash:
        places += _folders("runs/", start)
    return _starting(sorted({place for place in places if os.path.isfile(f"{place}/plan.toml")}), "")


@_without_errors
def targets(ctx: typer.Context, incomplete: str) -> list[str]:
    """Labels of the run that is typed already."""
    return _starting(api.target_names(ctx.params["run"] or ctx.args[0]), incomplete)


def _folders(parent: str, start: str) -> list[str]:
    """The folders in `parent`, which ends with a slash or is blank, whose names start like this."""
    if not os.path.isdir(parent or "."):
        return []
    names = [entry.name for entry in os.scandir(parent or ".") if entry.is_dir()]
    return [parent + name for name in names if name.startswith(start) and (start or not name.startswith("."))]
