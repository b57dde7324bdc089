"""The public Python API: each command of the command line is a function here. `import zoo` re-exports them.

In: names, paths and settings, as a person writes them. Out: facts, runs, vectors and reports, or a `zoo.ZooError`
with one sentence. Importing this package imports nothing that takes long.
"""

from zoo.api.catalog import (
    backbone_info,
    list_backbones,
    list_heads,
    list_plugins,
    pull,
    pull_offline_set,
    switch_plugin,
)
from zoo.api.names import (
    backbone_names,
    distribution_names,
    fact_comparisons,
    head_names,
    listed_plugin_names,
    modality_names,
    option_choices,
    plugin_names,
    target_names,
    weights_names,
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
from zoo.api.training import (
    build,
    compare,
    diff,
    embed,
    find_errors,
    list_runs,
    load_run,
    report,
    resume,
    train,
    train_corrected,
    train_plan,
)
from zoo.api.upkeep import cache, check, doctor
from zoo.catalog.settings import registries as registry_names
from zoo.plan import Recipe, Settings

__all__ = [
    "Installation",
    "Recipe",
    "Removal",
    "Settings",
    "add_to_registry",
    "backbone_info",
    "backbone_names",
    "build",
    "cache",
    "check",
    "check_registry",
    "compare",
    "diff",
    "distribution_names",
    "doctor",
    "embed",
    "fact_comparisons",
    "find_errors",
    "forget_registry",
    "head_names",
    "install",
    "list_backbones",
    "list_heads",
    "list_plugins",
    "list_registries",
    "list_runs",
    "listed_plugin_names",
    "load_run",
    "modality_names",
    "new_plugin",
    "option_choices",
    "plugin_names",
    "pull",
    "pull_offline_set",
    "registry_names",
    "registry_schema",
    "report",
    "resume",
    "search",
    "switch_plugin",
    "target_names",
    "train",
    "train_corrected",
    "train_plan",
    "uninstall",
    "upgrade",
    "use_registry",
    "weights_names",
]
