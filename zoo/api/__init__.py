"""The public Python API: each command of the command line is a function here. `import zoo` re-exports them.

Importing this package imports nothing that takes long; what a function needs is imported when it is called.
"""

from zoo.api.catalog import backbone_info, list_backbones, list_heads, list_plugins, pull, switch_plugin
from zoo.api.names import (
    backbone_names,
    distribution_names,
    fact_comparisons,
    head_names,
    listed_plugin_names,
    modality_names,
    plugin_names,
)
from zoo.api.plugins import Installation, Removal, install, new_plugin, search, uninstall, upgrade
from zoo.api.registries import (
    add_to_registry,
    check_registry,
    forget_registry,
    list_registries,
    registry_schema,
    use_registry,
)
from zoo.api.training import build, diff, embed, load_run, resume, train, train_plan
from zoo.api.upkeep import cache, check, doctor
from zoo.catalog.settings import registries as registry_names

__all__ = [
    "Installation",
    "Removal",
    "add_to_registry",
    "backbone_info",
    "backbone_names",
    "build",
    "cache",
    "check",
    "check_registry",
    "diff",
    "distribution_names",
    "doctor",
    "embed",
    "fact_comparisons",
    "forget_registry",
    "head_names",
    "install",
    "list_backbones",
    "list_heads",
    "list_plugins",
    "list_registries",
    "listed_plugin_names",
    "load_run",
    "modality_names",
    "new_plugin",
    "plugin_names",
    "pull",
    "registry_names",
    "registry_schema",
    "resume",
    "search",
    "switch_plugin",
    "train",
    "train_plan",
    "uninstall",
    "upgrade",
    "use_registry",
]
