"""Makes the task of a head, from its options or from the state in a saved model."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any

from zoo import engine
from zoo.catalog import Backbone, Head, Offer, catalog
from zoo.catalog.imports import resolve_import
from zoo.catalog.specs import combine
from zoo.compose.task import Task, TaskState, own
from zoo.data.texts import tags_of_words
from zoo.errors import BadPlan


def make_task(offer: Offer[Head], options: Mapping[str, Any]) -> Task:
    """A head's task with its options set; raises `BadPlan` for an unknown option or a wrong value."""
    return completed(_task_class(offer)(**options_of(offer, options)), offer.spec.reads)


def options_of(offer: Offer[Head], options: Mapping[str, Any]) -> dict[str, Any]:
    """A head's options, those that are given and the defaults of the others; raises `BadPlan` as `make_task` does."""
    known = {option.name: option for option in offer.spec.options}
    values = {name: option.default for name, option in known.items()}
    for name, text in options.items():
        if name not in known:
            raise BadPlan(f"--set {name}={text}: no such option. {offer.name} has: {', '.join(known) or 'none'}.")
        try:
            values[name] = known[name].parse(text)
        except ValueError as error:
            raise BadPlan(f"--set {name}={text}: {error}.") from None
    return values


def restore_task(name: str, state: TaskState) -> Task:
    """The task that a saved model was trained for."""
    offer = catalog().head(name)
    task = completed(_task_class(offer).restore(state), offer.spec.reads)
    known = {option.name for option in offer.spec.options}  # of an older version, a head may have had others
    options_of(offer, {option: value for option, value in state.get("options", {}).items() if option in known})
    return task


def completed(task: Any, reads: str = "single") -> Task:
    """A task of any class, with the methods of `Task` that its class lacks; `reads` is that of its spec."""
    for name, method in vars(Task).items():
        if not name.startswith("_") and not hasattr(task, name):
            bound = method.__get__(task, type(task)) if isinstance(method, classmethod) else None
            setattr(task, name, bound or types.MethodType(method, task))
    if reads == "words" and not own(task, "read_target"):
        task.read_target = tags_of_words
    made: Task = task
    return made


def fitting_head(name: str, backbone: Offer[Backbone]) -> Offer[Head]:
    """The head called `name`; raises `BadPlan`, with the heads that fit, if it does not combine with the backbone."""
    offer = catalog().head(name)
    if not combine(backbone.spec, offer.spec):
        right = ", ".join(o.name for o in catalog().heads if combine(backbone.spec, o.spec)) or "none"
        raise BadPlan(
            f"The head {name} does not combine with {backbone.name} ({backbone.spec.modality}). These do: {right}."
        )
    return offer


def _task_class(offer: Offer[Head]) -> Any:
    engine.start()
    return resolve_import(offer.spec.build, offer.plugin, f"head {offer.name}")
