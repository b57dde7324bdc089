"""Fine-tune pretrained backbones by name. `zoo.train("efficientnet_lite0", "photos/")` is all it takes.

For training: `list_backbones`, `backbone_info`, `list_heads`, `build`, `train`, `train_plan`, `resume`, `load_run`,
`diff`, `embed`, `pull`. For the installation: `list_plugins`, `switch_plugin`, `search`, `install`, `upgrade`,
`uninstall`, `cache`, `doctor`. For plugins: `new_plugin`, `check`, `Backbone`, `Weights`, `Pixels`, `Head`, `Option`,
`Encoder`, `hookimpl`, `image_preprocess`, `words_of`, `converted`, `hub_folder`. For registries: `list_registries`,
`use_registry`, `forget_registry`, `check_registry`, `add_to_registry`, `registry_schema`.
Importing `zoo` imports none of its stages.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from zoo.errors import (
    AmbiguousName,
    BadData,
    BadPlan,
    BadRegistry,
    BadRun,
    BadWeights,
    CannotInstall,
    UnknownName,
    WeightsUnavailable,
    ZooError,
)

if TYPE_CHECKING:
    from zoo.api import (
        add_to_registry,
        backbone_info,
        build,
        cache,
        check,
        check_registry,
        diff,
        doctor,
        embed,
        forget_registry,
        install,
        list_backbones,
        list_heads,
        list_plugins,
        list_registries,
        load_run,
        new_plugin,
        pull,
        registry_schema,
        resume,
        search,
        switch_plugin,
        train,
        train_plan,
        uninstall,
        upgrade,
        use_registry,
    )
    from zoo.catalog import API_VERSION, Backbone, Head, Option, Pixels, Weights, hookimpl
    from zoo.compose.encoder import Encoder, image_preprocess
    from zoo.data.texts import words_of
    from zoo.weights import converted, hub_folder

_ELSEWHERE = {
    "zoo.catalog": ("API_VERSION", "Backbone", "Head", "Option", "Pixels", "Weights", "hookimpl"),
    "zoo.compose.encoder": ("Encoder", "image_preprocess"),
    "zoo.data.texts": ("words_of",),
    "zoo.weights": ("converted", "hub_folder"),
}
_MODULE_OF = {name: module for module, names in _ELSEWHERE.items() for name in names}

__all__ = [
    "API_VERSION",
    "AmbiguousName",
    "Backbone",
    "BadData",
    "BadPlan",
    "BadRegistry",
    "BadRun",
    "BadWeights",
    "CannotInstall",
    "Encoder",
    "Head",
    "Option",
    "Pixels",
    "UnknownName",
    "Weights",
    "WeightsUnavailable",
    "ZooError",
    "add_to_registry",
    "backbone_info",
    "build",
    "cache",
    "check",
    "check_registry",
    "converted",
    "diff",
    "doctor",
    "embed",
    "forget_registry",
    "hookimpl",
    "hub_folder",
    "image_preprocess",
    "install",
    "list_backbones",
    "list_heads",
    "list_plugins",
    "list_registries",
    "load_run",
    "new_plugin",
    "pull",
    "registry_schema",
    "resume",
    "search",
    "switch_plugin",
    "train",
    "train_plan",
    "uninstall",
    "upgrade",
    "use_registry",
    "words_of",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'zoo' has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULE_OF.get(name, "zoo.api")), name)


def __dir__() -> list[str]:
    return sorted(__all__)
