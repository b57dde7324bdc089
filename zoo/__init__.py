"""Fine-tune pretrained backbones by name. `zoo.train("efficientnet_lite0", "photos/")` is the whole of it.

For users: `list_backbones`, `list_heads`, `build`, `train`, `resume`, `load_run`, `diff`, `embed`. For plugins:
`Backbone`, `Weights`, `Pixels`, `Head`, `Option`, `Encoder`, `hookimpl`, `image_preprocess`, `words_of`, `converted`,
`hub_folder`.
Importing `zoo` imports none of its stages.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from zoo.errors import BadData, BadPlan, BadRun, BadWeights, UnknownName, WeightsUnavailable, ZooError

if TYPE_CHECKING:
    from zoo.api import build, diff, embed, list_backbones, list_heads, load_run, resume, train
    from zoo.catalog import API_VERSION, Backbone, Head, Option, Pixels, Weights, hookimpl
    from zoo.compose.encoder import Encoder, image_preprocess
    from zoo.data.texts import words_of
    from zoo.weights import converted, hub_folder

_HOME = {
    "zoo.api": ("build", "diff", "embed", "list_backbones", "list_heads", "load_run", "resume", "train"),
    "zoo.catalog": ("API_VERSION", "Backbone", "Head", "Option", "Pixels", "Weights", "hookimpl"),
    "zoo.compose.encoder": ("Encoder", "image_preprocess"),
    "zoo.data.texts": ("words_of",),
    "zoo.weights": ("converted", "hub_folder"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "API_VERSION",
    "Backbone",
    "BadData",
    "BadPlan",
    "BadRun",
    "BadWeights",
    "Encoder",
    "Head",
    "Option",
    "Pixels",
    "UnknownName",
    "Weights",
    "WeightsUnavailable",
    "ZooError",
    "build",
    "converted",
    "diff",
    "embed",
    "hookimpl",
    "hub_folder",
    "image_preprocess",
    "list_backbones",
    "list_heads",
    "load_run",
    "resume",
    "train",
    "words_of",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'zoo' has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULE_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
