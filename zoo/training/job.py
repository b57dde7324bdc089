"""From a plan to everything that a training needs: names resolved, weights and data at hand, the model built."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from unicodedata import normalize

from zoo import engine
from zoo.catalog import Backbone, Head, Offer, Weights, catalog
from zoo.compose.encoder import build_encoder
from zoo.compose.model import Composed, compose
from zoo.compose.task import Task, fitting_head, make_task
from zoo.data.check import check
from zoo.data.examples import Example, Examples, Target
from zoo.data.sources import Reading, read_source
from zoo.data.split import assign
from zoo.errors import BadData, BadPlan
from zoo.inference.how import Inference
from zoo.progress import say
from zoo.training.checkpoint import seconds_between
from zoo.training.plan import Plan
from zoo.training.provenance import Seconds
from zoo.weights import choose


@dataclass(frozen=True)
class Job:
    """What a plan means here and now. `how` is the inference of what is frozen, with nothing left to "auto"."""

    plan: Plan
    backbone: Offer[Backbone]
    head: Offer[Head]
    task: Task
    weights: Weights | None
    weights_file: Path | None
    examples: Examples
    composed: Composed
    how: Inference
    seconds: Seconds


def prepare(plan: Plan) -> Job:
    """Find all that can be wrong with names, weights and data. Raises `ZooError`s."""
    seconds = Seconds()
    seconds_between()
    backbone = catalog().backbone(plan.backbone)
    head = fitting_head(plan.head, backbone)
    reading = Reading(backbone.spec.modality, head.spec.reads, plan.input_column, plan.target_column)
    _refuse_wrong_use(plan, head, reading)
    task = make_task(head, plan.options)
    with seconds.of("weights"):
        weights, weights_file = choose(backbone, plan.weights)
    with seconds.of("data"):
        examples = _examples(plan, task, reading)
    with seconds.of("start"):
        engine.start()
        import keras

        keras.utils.set_random_seed(plan.seed)
        encoder = build_encoder(backbone, plan.weights)
        keras.utils.set_random_seed(plan.seed)  # whatever building the encoder drew, the head starts the same
        composed = compose(encoder, task, head.spec)
        how = Inference(plan.precision, plan.engine).resolved()
        for phase in plan.phases:
            composed.encoder.unfreeze(phase.unfreeze)
            plan.training_precision(phase)
    if weights_file is None and not any(phase.unfreeze for phase in plan.phases):
        say("The backbone has random weights and stays as it is; --unfreeze all would train it too.")
    return Job(plan, backbone, head, task, weights, weights_file, examples, composed, how, seconds)


def _refuse_wrong_use(plan: Plan, head: Offer[Head], reading: Reading) -> None:
    if plan.augment != "none" and reading.modality != "image":
        raise BadPlan(f"--augment {plan.augment}: it is for pictures, and {plan.backbone} reads texts.")
    if not head.spec.trained:
        raise BadPlan(
            f"The head {head.name} is not trained; for vectors: "
            f"zoo embed {plan.backbone} {plan.data} --out vectors.parquet"
        )
    if len(reading.targets) > 1 and head.spec.targets == "one":
        several = ", ".join(offer.name for offer in catalog().heads if offer.spec.targets == "many")
        raise BadPlan(f"--target {plan.target_column}: {head.name} learns one column; these learn several: {several}.")


def _examples(plan: Plan, task: Task, reading: Reading) -> Examples:
    """Read the data and the validation data, split them, and let the task see the targets."""
    validation = check(read_source(Path(plan.val), reading), reading.modality) if plan.val else None
    examples = check(read_source(Path(plan.data), reading), reading.modality)
    skipped = examples.skipped + (validation.skipped if validation else [])
    if skipped:
        say(f"Left out {len(skipped)} inputs, listed in skipped.csv ({skipped[0].input}: {skipped[0].reason}, ...).")
    task.learn([e.target for e in examples.items], reading.targets)
    assign(examples, validation, plan.seed, task.strata)
    _warn_of_targets(examples.items, task)
    for split in ("train", "validation"):
        if not examples.of(split):
            raise BadData(f"{plan.data} has no readable example for {split}.")
    task.learn([e.target for e in examples.of("train")], reading.targets)
    task.encode([e.target for e in examples.items])
    return examples


def _warn_of_targets(examples: list[Example], task: Task) -> None:
    """Say which targets may be meant to be one, and which examples are of several strata (not of several numbers)."""
    alike: dict[str, set[str]] = defaultdict(set)
    by_content: dict[str, set[Target]] = defaultdict(set)
    for example, stratum in zip(examples, task.strata([example.target for example in examples]), strict=True):
        if stratum is not None:
            by_content[example.content].add(stratum)
        for target in (example.target,) if isinstance(example.target, str) else example.target:
            alike[" ".join(normalize("NFKC", target).casefold().split())].add(target)
    for targets in (sorted(some) for some in alike.values() if len(some) > 1):
        names = ", ".join(map(repr, targets))
        say(f"Warning: {names} differ in upper case or blanks alone, and are taken for different targets.")
    if torn := [sorted(map(_shown, targets)) for targets in by_content.values() if len(targets) > 1]:
        say(f"Warning: {len(torn)} examples occur with several targets ({' and '.join(torn[0][:2])}, ...).")


def _shown(target: Target) -> str:
    return target if isinstance(target, str) else " ".join(target)
