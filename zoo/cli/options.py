"""Makes command-line options from the fields of settings, so that each is written only once, in its struct."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
import typer

from zoo.cli.complete import words
from zoo.structs import flag, metadata, plain_type

_COLUMNS = str | tuple[str, ...]
Complete = Mapping[str, Callable[..., list[str]]]  # the completion of a field's value, by the field's name


def takes(
    *kinds: type[msgspec.Struct], only: Collection[str] = (), complete: Complete | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Replace a command's `**settings` by an option for each field of some structs; None if it is not given.

    only  the names of the fields to use; empty: all
    """

    def give(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def call(**values: Any) -> Any:
            return command(**{name: _one_or_several(v) if name in columns else v for name, v in values.items()})

        columns = {f.name for kind in kinds for f in msgspec.structs.fields(kind) if plain_type(f.type) == _COLUMNS}

        signature = inspect.signature(command, eval_str=True)
        own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        arguments = [p for p in own if isinstance(get_args(p.annotation)[1], type(typer.Argument()))]
        made = [
            _option(kind, field, (complete or {}).get(field.name))
            for kind in kinds
            for field in msgspec.structs.fields(kind)
            if not only or field.name in only
        ]
        parameters = [*arguments, *made, *(p for p in own if p not in arguments)]
        named = [p.replace(kind=p.KEYWORD_ONLY) for p in parameters]
        call.__signature__ = signature.replace(parameters=named)  # type: ignore[attr-defined]
        call.__annotations__ = {p.name: p.annotation for p in named}
        return call

    return give


def assignments(settings: Sequence[str] | None) -> dict[str, str] | None:
    """The values of `--set NAME=VALUE`, or None if there are none."""
    for setting in settings or ():
        if "=" not in setting:
            raise typer.BadParameter(f"{setting!r} does not have the form NAME=VALUE.", param_hint="--set")
    return dict(setting.split("=", 1) for setting in settings) if settings else None


def _one_or_several(given: list[str] | None) -> str | tuple[str, ...] | None:
    return tuple(given) if given and len(given) > 1 else given[0] if given else None


def _option(kind: type[msgspec.Struct], field: Any, complete: Callable[..., list[str]] | None) -> inspect.Parameter:
    about, plain = metadata(kind, field.name), plain_type(field.type)
    default = "" if field.default in (None, msgspec.NODEFAULT, "") else f" Default: {field.default}."
    more: dict[str, Any] = {"metavar": about.get("metavar"), "autocompletion": complete or words(about.get("metavar"))}
    if get_origin(plain) is dict or plain == _COLUMNS:
        plain = list[str]
    elif get_origin(plain) is not Literal and plain not in (int, float, str):
        known = [word for part in get_args(plain) if get_origin(part) is Literal for word in get_args(part)]
        plain, more["parser"] = str, _number_or_word(known)
    option = typer.Option(flag(kind, field.name), help=about["description"] + default, **more)
    annotation = Annotated[plain | None, option]  # type: ignore[valid-type]
    return inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _number_or_word(words: Sequence[str]) -> Callable[[str], int | str]:
    def number_or_word(text: str) -> int | str:
        if text in words:
            return text
        try:
            return int(text)
        except ValueError:
            raise typer.BadParameter(f"{text!r} is neither a number nor {' or '.join(words)}.") from None

    return number_or_word
