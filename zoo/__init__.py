"""Fine-tune pretrained backbones by name. `zoo.train("efficientnet_lite0", "photos/")` is all it takes.

For training: `list_backbones`, `backbone_info`, `list_heads`, `build`, `train`, `train_plan`, `resume`, `list_runs`,
`load_run`, `report`, `compare`, `find_errors`, `train_corrected`, `diff`, `embed`, `pull`, `pull_offline_set`. For the
installation: `list_plugins`, `switch_plugin`, `search`, `install`, `upgrade`, `uninstall`, `cache`, `doctor`. For
plugins: `new_plugin`, `check`, `hookimpl`; of reports `Section`; of backbones `Backbone`, `Weights`, `Pixels`,
`Encoder`, `image_preprocess`, `converted`, `hub_folder`; of heads `Head`, `Option`, `Task`, `Scorer`, `as_words`,
`list_of`, `words_of`; of modalities `Modality`, `Reader`, `Form`, `Shown`, `Augmentation`, `digest`, `one_file`. For
registries: `list_registries`, `use_registry`, `forget_registry`, `check_registry`, `add_to_registry`,
`registry_schema`.

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
        compare,
        diff,
        doctor,
        embed,
        find_errors,
        forget_registry,
        install,
        list_backbones,
        list_heads,
        list_plugins,
        list_registries,
        list_runs,
        load_run,
        new_plugin,
        pull,
        pull_offline_set,
        registry_schema,
        report,
        resume,
        search,
        switch_plugin,
        train,
        train_corrected,
        train_plan,
        uninstall,
        upgrade,
        use_registry,
    )
    from zoo.catalog import API_VERSION, Backbone, Head, Modality, Option, Pixels, Weights, hookimpl
    from zoo.compose.encoder import Encoder, image_preprocess
    from zoo.compose.task import Scorer, Task
    from zoo.data.cells import list_of
    from zoo.data.reader import Augmentation, Form, Reader, Seen, Shown, digest, one_file
    from zoo.data.texts import as_words, words_of
    from zoo.reports.section import Section
    from zoo.weights import converted, hub_folder

_ELSEWHERE = {
    "zoo.catalog": ("API_VERSION", "Backbone", "Head", "Modality", "Option", "Pixels", "Weights", "hookimpl"),
    "zoo.compose.encoder": ("Encoder", "image_preprocess"),
    "zoo.compose.task": ("Scorer", "Task"),
    "zoo.data.cells": ("list_of",),
    "zoo.reports.section": ("Section",),
    "zoo.data.reader": ("Augmentation", "Form", "Reader", "Seen", "Shown", "digest", "one_file"),
    "zoo.data.texts": ("as_words", "words_of"),
    "zoo.weights": ("converted", "hub_folder"),
}
_MODULE_OF = {name: module for module, names in _ELSEWHERE.items() for name in names}

__all__ = [
    "API_VERSION",
    "AmbiguousName",
    "Augmentation",
    "Backbone",
    "BadData",
    "BadPlan",
    "BadRegistry",
    "BadRun",
    "BadWeights",
    "CannotInstall",
    "Encoder",
    "Form",
    "Head",
    "Modality",
    "Option",
    "Pixels",
    "Reader",
    "Scorer",
    "Section",
    "Seen",
    "Shown",
    "Task",
    "UnknownName",
    "Weights",
    "WeightsUnavailable",
    "ZooError",
    "add_to_registry",
    "as_words",
    "backbone_info",
    "build",
    "cache",
    "check",
    "check_registry",
    "compare",
    "converted",
    "diff",
    "digest",
    "doctor",
    "embed",
    "find_errors",
    "forget_registry",
    "hookimpl",
    "hub_folder",
    "image_preprocess",
    "install",
    "list_backbones",
    "list_heads",
    "list_of",
    "list_plugins",
    "list_registries",
    "list_runs",
    "load_run",
    "new_plugin",
    "one_file",
    "pull",
    "pull_offline_set",
    "registry_schema",
    "report",
    "resume",
    "search",
    "switch_plugin",
    "train",
    "train_corrected",
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
