"""Settings as structs that are checked strictly, with an error message in plain words."""

from __future__ import annotations

import functools
import json
import operator
import re
import sys
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import inspect

from zoo.errors import BadPlan, ZooError
from zoo.places import utf8

Kind = TypeVar("Kind", bound=msgspec.Struct)

FINITE = sys.float_info.max  # an upper bound that refuses infinity

_AT = re.compile(r"(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?")
_FIELD = re.compile(r"Object (?:contains unknown|missing required) field `(.+)`")
_WORDS: dict[type, str] = {
    inspect.StrType: "text",
    inspect.BoolType: "true or false",
    inspect.DictType: "a table",
    inspect.StructType: "a table",
    inspect.VarTupleType: "a list",
    inspect.ListType: "a list",
}


def convert(content: Any, kind: type[Kind], error: type[ZooError], path: object = None) -> Kind:
    """Turn plain data into a struct, each value of its field's type; raises `error` with a sentence.

    path  the file that the data is from, for the sentence; without one, the sentence names command-line options
    """
    try:
        return msgspec.convert(content, kind, strict=True)
    except msgspec.ValidationError as fault:
        raise error(_sentence(str(fault), content, kind, path)) from None
    except UnicodeEncodeError:
        begin = "" if path is None else f"{path}: "
        raise error(f"{begin}it has a text with half of a character, which no file can hold.") from None


def checked(content: dict[str, Any], kind: type[Kind]) -> Kind:
    """Turn settings from the command line or from Python into a struct; raises `BadPlan` with the option's name."""
    return convert(content, kind, BadPlan)


def as_json(value: Any) -> Any:
    """What JSON has no type for: an array or a number of NumPy as plain numbers, anything else as its text."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


def json_text(content: Any) -> str:
    """The content as indented JSON; NaN becomes null, as JSON has no such number."""
    try:
        return msgspec.json.format(msgspec.json.encode(content, enc_hook=as_json), indent=2).decode()
    except (UnicodeEncodeError, OverflowError):  # a file name that is not valid text, a number of more than 64 bits
        plain = json.loads(json.dumps(content, default=as_json), parse_constant=lambda _: None)
        return utf8(json.dumps(plain, indent=2, ensure_ascii=False))


def flag(kind: type[msgspec.Struct], name: str) -> str:
    """The command-line option for a field."""
    return str(metadata(kind, name).get("flag", "--" + name.replace("_", "-")))


def metadata(kind: type[msgspec.Struct], name: str) -> dict[str, Any]:
    """The metadata of a field: `description`, and perhaps `flag`, `metavar`, `must`."""
    known: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        for meta in getattr(field.type, "__metadata__", ()) if field.name == name else ():
            known |= {"description": meta.description} if meta.description else {}
            known |= meta.extra or {}
    return known


def plain_type(annotation: Any) -> Any:
    """A field's type without its metadata and without None."""
    if get_origin(annotation) is Annotated:
        return plain_type(get_args(annotation)[0])
    if get_origin(annotation) not in (Union, UnionType):
        return annotation
    parts = [plain_type(part) for part in get_args(annotation) if part is not type(None)]
    return functools.reduce(operator.or_, parts)


def described(kind: Any) -> str:
    """The values that a field accepts, in words, from `msgspec.inspect.type_info` of its type."""
    if isinstance(kind, inspect.Metadata):
        return described(kind.type)
    if isinstance(kind, inspect.UnionType):
        return " or ".join(described(part) for part in kind.types if not isinstance(part, inspect.NoneType))
    if isinstance(kind, inspect.LiteralType):
        return " or ".join(map(str, kind.values))
    if isinstance(kind, (inspect.IntType, inspect.FloatType)):
        finite = "finite " if kind.le == FINITE else ""
        word = "a whole number" if isinstance(kind, inspect.IntType) else f"a {finite}number"
        bounds = (("of at least", kind.ge), ("above", kind.gt), ("at most", kind.le), ("below", kind.lt))
        known = " and ".join(f"{said} {bound:g}" for said, bound in bounds if bound not in (None, FINITE))
        return f"{word} {known}".strip()
    return _WORDS.get(type(kind), "another value")


def _sentence(fault: str, content: Any, kind: Any, path: object) -> str:
    match = _AT.fullmatch(fault)
    assert match is not None
    known, _, _ = (match["path"] or "").partition("[...]")  # which key of a table it is in is not said
    names = [name or int(index) for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", known)]
    begin = "" if path is None else f"{path}: "
    if field := _FIELD.fullmatch(match["what"]):
        if "missing" in match["what"]:
            return f"{begin}{field[1]} is missing."
        known = ", ".join(f.name for f in msgspec.structs.fields(_struct_at(kind, names)))
        return f"{begin}there is no setting {field[1]!r}. Settings: {known}."
    value = content
    for name in names:
        value = value[name]
    owner = _struct_at(kind, names[:-1])
    last = next((name for name in reversed(names) if isinstance(name, str)), "it")
    wanted = next((field for field in msgspec.structs.fields(owner) if field.name == last), None)
    must = match["what"]
    if wanted is not None:
        info = inspect.type_info(wanted.type)
        of = next((k for k in getattr(info, "types", [info]) if isinstance(k, inspect.DictType)), None)
        if of is not None and isinstance(value, dict):
            must = f"each of its values must be {described(of.value_type)}"
        else:
            must = f"it must be {metadata(owner, last).get('must') or described(info)}"
    if path is not None:
        return f"{begin}{last} is {value!r}: {must}."
    shown = repr(value) if isinstance(value, str) and " number" in must else value
    return f"{flag(owner, last)} {shown}: {must}."


def _struct_at(kind: Any, names: list[Any]) -> Any:
    """The struct at the end of a path of names and indices, through structs and lists of structs."""
    for name in names:
        if isinstance(name, str):
            (field,) = (f for f in msgspec.structs.fields(kind) if f.name == name)
            info = inspect.type_info(field.type)
            info = info.type if isinstance(info, inspect.Metadata) else info
            parts = getattr(info, "types", [info])  # of a struct or nothing
            info = next((part for part in parts if isinstance(part, inspect.StructType)), info)
            item = getattr(info, "item_type", info)
            kind = item.cls if isinstance(item, inspect.StructType) else kind
    return kind
