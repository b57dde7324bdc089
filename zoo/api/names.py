"""Names of everything that has one, quickly and without a network: for completion in a shell or a notebook."""

from __future__ import annotations

from pathlib import Path

from zoo.api.catalog import flat_facts
from zoo.catalog import catalog
from zoo.catalog.points import installed_points

_EQUALITY = ("=", "!=")
_ORDER = ("<", "<=", ">", ">=")


def backbone_names() -> list[str]:
    """All backbones."""
    return [offer.name for offer in catalog().backbones]


def head_names() -> list[str]:
    """All task heads."""
    return [offer.name for offer in catalog().heads]


def weights_names(backbone: str) -> list[str]:
    """What `weights` may be for a backbone, besides a file."""
    return ["default", "none", *(weights["name"] for weights in catalog().backbone(backbone).facts["weights"])]


def option_choices(head: str) -> dict[str, list[str]]:
    """The options of a head, as `options` takes them, each with its choices (none: any value of its type)."""
    options = catalog().head(head).facts["options"]
    return {option["name"]: [*map(str, option["choices"] or _values(option["default"]))] for option in options}


def modality_names() -> list[str]:
    """The modalities that some backbone has."""
    return sorted({offer.facts["modality"] for offer in catalog().backbones})


def fact_comparisons() -> dict[str, tuple[str, ...]]:
    """The facts that `where` and `sort` of `list_backbones` know, each with the comparisons that `where` allows."""
    known: dict[str, tuple[str, ...]] = {}
    for offer in catalog().backbones:
        for fact, value in flat_facts(offer).items():
            if isinstance(value, bool):
                known[fact] = ("", "=no")
            elif fact not in known and value is not None:
                known[fact] = _EQUALITY + (_ORDER if isinstance(value, (int, float)) else ())
    return known


def _values(default: object) -> tuple[str, ...]:
    return ("true", "false") if isinstance(default, bool) else ()


def target_names(run: str | Path) -> list[str]:
    """What `zoo explain --target` can name of a run: its labels, or the columns of its numbers."""
    from zoo.runs.run import Run

    state = Run(run).card.task
    return [str(name) for name in state.get("labels") or state.get("columns") or ()]


def plugin_names() -> list[str]:
    """All installed plugins, whether they load or not."""
    return sorted({point.name for point in installed_points()})


def distribution_names() -> list[str]:
    """The distributions of all installed plugins."""
    return sorted({point.distribution for point in installed_points()})


def listed_plugin_names() -> list[str]:
    """All plugins that a registry lists, installed or not; registries at an address as they were the last time."""
    from zoo.registry.sources import load

    return sorted(load(network=False).listings)
