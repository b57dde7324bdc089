"""Makes the phases of a training from a recipe. The defaults were chosen by measurement (docs/findings.md)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from msgspec.structs import asdict, replace

from zoo.catalog import Backbone
from zoo.data.reader import reader
from zoo.errors import BadPlan
from zoo.plan import Phase, Plan, Recipe, Settings
from zoo.structs import checked, flag

HEAD_EPOCHS = 50
HEAD_LEARNING_RATE = 1e-3
HEAD_PATIENCE = 5
FINE_TUNING_EPOCHS = 10
FINE_TUNING_SLOWER = 10
FINE_TUNING_PATIENCE = 3
TOGETHER_EPOCHS = 6
TOGETHER_LEARNING_RATE = 2e-4
TOGETHER_LEARNING_RATE_LARGE = 5e-5  # BERT's authors choose from 2e-5 to 5e-5 (Devlin et al. 2019, A.3)
TOGETHER_SMALL = 50_000_000  # parameters


def phases(backbone: Backbone, recipe: Recipe) -> tuple[Phase, ...]:
    """First the head is trained on the frozen backbone; then a second phase also trains unfrozen stages, at a tenth of
    the rate. Language models train both together from the start, with AdamW, linear warm-up and decay.

    `recipe.epochs` applies to each phase; `recipe.lr` is the learning rate of the first.
    """
    together = reader(backbone.modality).together and bool(recipe.unfreeze)
    if recipe.layer_decay is not None and not together:
        raise BadPlan(f"--layer-decay {recipe.layer_decay}: it is only for texts with --unfreeze.")
    if together:
        return (_together(backbone, recipe),)
    rate = HEAD_LEARNING_RATE if recipe.lr is None else recipe.lr
    head = Phase(unfreeze=0, epochs=recipe.epochs or HEAD_EPOCHS, learning_rate=rate, patience=HEAD_PATIENCE)
    if not recipe.unfreeze:
        return (head,)
    return head, Phase(
        unfreeze=recipe.unfreeze,
        epochs=recipe.epochs or FINE_TUNING_EPOCHS,
        learning_rate=rate / FINE_TUNING_SLOWER,
        patience=FINE_TUNING_PATIENCE,
    )


def changed(plan: Plan, recipe: Recipe, settings: dict[str, Any], given: Collection[str]) -> Plan:
    """A plan with other settings. Raises `BadPlan` for those that decide its phases.

    given  the names of the settings that were given; others in `recipe` are defaults
    """
    for name in ("unfreeze", "layer_decay"):
        if name in given:
            raise BadPlan(
                f"{flag(Recipe, name)} {getattr(recipe, name)}: it decides the phases of a plan, so it does not go "
                "with --plan. Change the [[phases]] in the file, or train without --plan."
            )
    share = 1.0 if recipe.lr is None else recipe.lr / plan.phases[0].learning_rate
    phases = tuple(
        replace(
            phase,
            epochs=(epochs := recipe.epochs or phase.epochs),
            learning_rate=phase.learning_rate * share,
            patience=epochs if phase.patience == phase.epochs else phase.patience,  # it was all of them: still so
        )
        for phase in plan.phases
    )
    known = checked({name: getattr(plan, name) for name in Settings.__struct_fields__} | settings, Settings)
    return replace(plan, **asdict(known), phases=phases)


def _together(backbone: Backbone, recipe: Recipe) -> Phase:
    small = backbone.params <= TOGETHER_SMALL
    rate = TOGETHER_LEARNING_RATE if small else TOGETHER_LEARNING_RATE_LARGE
    epochs = recipe.epochs or TOGETHER_EPOCHS
    return Phase(
        unfreeze=recipe.unfreeze,
        epochs=epochs,
        learning_rate=rate if recipe.lr is None else recipe.lr,
        patience=epochs,  # the learning rate falls over all epochs
        optimizer="adamw",
        weight_decay=0.01,
        schedule="linear",
        warm_up=0.1,
        clip_norm=1.0,
        layer_decay=1.0 if recipe.layer_decay is None else recipe.layer_decay,
    )
