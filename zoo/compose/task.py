"""What a head's class must be able to do: everything that is special to a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from zoo import engine
from zoo.catalog import Backbone, Head, Offer, catalog
from zoo.catalog.imports import resolve_import
from zoo.catalog.specs import combine
from zoo.data.examples import Raw, Target
from zoo.errors import BadPlan

if TYPE_CHECKING:
    import keras
    import numpy as np

State = dict[str, Any]
Answer = dict[str, Any]


class Task(Protocol):
    """A head's class. It is made with the head's options, learns its targets, then encodes, builds, scores, decodes.

    Of a head that is not trained, only `outputs`, `decode`, `state` and `restore` are called.
    """

    def __init__(self, **options: Any) -> None: ...

    def learn(self, targets: Sequence[Target], columns: Sequence[str]) -> None:
        """See the targets of all examples once; raises `zoo.BadData` where they make no task.

        targets  strings; tuples where the head's spec allows many `columns` and there are many, and of words, one each
        """

    def strata(self, targets: Sequence[Target]) -> Sequence[Target | None]:
        """For each target, what the split into training and validation keeps in proportion: its class, for example.

        None is for a target without which something could not be learnt: it is trained on in any case.
        """

    def encode(self, targets: Sequence[Target]) -> np.ndarray:
        """Targets as numbers (examples, ...); raises `zoo.BadData` for a target that `learn` did not see.

        Those of words are filled up to the longest; a batch of `sequence` may be longer than that, or shorter.
        """

    def outputs(self, features: Mapping[str, keras.KerasTensor]) -> keras.KerasTensor:
        """The layers, on the feature that the head's spec names: from (batch, ...) to the outputs (batch, ...)."""

    # A task may also have `solve(head, features, encoded, weights) -> str | None`: give `head`, a keras.Model of the
    # layers of `outputs`, weights found without training, from the features of training examples ({feature: float32
    # (examples, ...)}); returns what that is called, or None where there is no such thing. What is trained is compared
    # with it.

    def loss(self) -> keras.losses.Loss:
        """The loss between encoded targets and outputs."""

    def metrics(self) -> list[keras.metrics.Metric]:
        """New metrics to show while training."""

    def example_weights(self, encoded: np.ndarray) -> np.ndarray:
        """How much each training example counts, mean 1: float32 (examples,)."""

    def score(self, encoded: np.ndarray, outputs: np.ndarray) -> dict[str, float]:
        """Figures over a whole set, the most telling first."""

    def decode(self, outputs: np.ndarray, raws: Sequence[Raw]) -> list[Answer]:
        """One answer for a person for each example: JSON values, the most telling first."""

    def state(self) -> State:
        """What `restore` needs to make this task again: JSON values."""

    @classmethod
    def restore(cls, state: State) -> Task:
        """The task whose `state` this is."""


def make_task(offer: Offer[Head], options: Mapping[str, Any]) -> Task:
    """The class of a head with its options set; raises `BadPlan` for an unknown option or a wrong value."""
    known = {option.name: option for option in offer.spec.options}
    values = {name: option.default for name, option in known.items()}
    for name, text in options.items():
        if name not in known:
            raise BadPlan(f"--set {name}={text}: the head {offer.name} has the options {', '.join(known) or 'none'}.")
        try:
            values[name] = known[name].parse(text)
        except ValueError as error:
            raise BadPlan(f"--set {name}={text}: {error}.") from None
    task: Task = _task_class(offer)(**values)
    return task


def restore_task(name: str, state: State) -> Task:
    """The task that a saved model was trained for."""
    task: Task = _task_class(catalog().head(name)).restore(state)
    return task


def fitting_head(name: str, backbone: Offer[Backbone]) -> Offer[Head]:
    """The head called `name`; raises `BadPlan` naming the right ones when it does not combine with the backbone."""
    offer = catalog().head(name)
    if not combine(backbone.spec, offer.spec):
        right = ", ".join(o.name for o in catalog().heads if combine(backbone.spec, o.spec)) or "none"
        raise BadPlan(
            f"The head {name} does not combine with {backbone.name} ({backbone.spec.modality}); these do: {right}."
        )
    return offer


def _task_class(offer: Offer[Head]) -> Any:
    engine.start()
    return resolve_import(offer.spec.build, f"head {offer.name}")
