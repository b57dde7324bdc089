"""The shared trainer: from a plan to a finished run."""

from __future__ import annotations

import functools
from pathlib import Path

from zoo import engine
from zoo.catalog import Head, Offer, catalog
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
from zoo.runs.folder import RunFolder
from zoo.runs.forward import outputs
from zoo.runs.model_file import Card, save_model
from zoo.runs.run import Run
from zoo.training.features import Frozen, head_outputs
from zoo.training.phases import Fitted, fit
from zoo.training.plan import Plan
from zoo.training.provenance import Seconds, provenance
from zoo.weights import choose


def train(plan: Plan, out: Path) -> Run:
    """Carry out a plan and write the run folder `out`, which must not hold anything yet.

    All that can be wrong with names, weights and data is found before the folder is made.
    """
    seconds = Seconds()
    RunFolder.refuse_occupied(out)
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

    folder = RunFolder.create(out)
    folder.write_text("plan.toml", plan.to_toml())
    rows = [(e.input, _written(e.target), e.split) for e in examples.items]
    folder.write_csv("split.csv", ["input", "target", "split"], rows)
    folder.write_csv("skipped.csv", ["input", "reason"], [(s.input, s.reason) for s in examples.skipped])
    freeze = functools.partial(Frozen, backbone, weights_file, composed.encoder.preprocess, how=how)
    fitted = fit(plan, folder, composed, task, examples, seconds, freeze)
    with seconds.of("evaluate"):
        metrics = {split: _score(composed, task, examples.of(split), fitted, how) for split in ("validation", "test")}
    with seconds.of("save"):
        columns = plan.input_column, plan.target_column
        card = Card(backbone.name, head.name, backbone.spec.modality, task.state(), head.spec.reads, *columns)
        folder.write("model.keras", lambda path: save_model(composed.model, card, path))
    about = provenance(backbone, head, weights, weights_file, examples, seconds)
    folder.write_json("provenance.json", about)
    summary = {
        "run": str(out),
        "backbone": backbone.name,
        "head": head.name,
        "metrics": metrics["validation"],
        "test_metrics": metrics["test"],
        "baseline": fitted.baseline and {"name": fitted.baseline.name, "metrics": fitted.baseline.metrics},
        "examples": _counts(examples),
        "seconds": round(sum(seconds.steps.values()), 3),
    }
    folder.write_json("metrics.json", {name: value for name, value in summary.items() if value is not None})
    return Run(out)


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
    for split in ("train", "validation"):
        if not examples.of(split):
            raise BadData(f"{plan.data} has no readable example for {split}.")
    task.learn([e.target for e in examples.of("train")], reading.targets)
    task.encode([e.target for e in examples.items])
    return examples


def _score(
    composed: Composed, task: Task, examples: list[Example], fitted: Fitted, how: Inference
) -> dict[str, float] | None:
    if not examples:
        return None
    if fitted.parted is not None and fitted.frozen is not None:
        answers = head_outputs(fitted.parted.tail, fitted.frozen.features(examples), examples)
    else:
        raws = [example.raw for example in examples]
        answers = outputs(composed.from_prepared, composed.encoder.preprocess, raws, "Evaluating", how=how)
    return task.score(task.encode([e.target for e in examples]), answers)


def _written(target: Target) -> str:
    return target if isinstance(target, str) else " ".join(target)


def _counts(examples: Examples) -> dict[str, int]:
    counts = {split: len(examples.of(split)) for split in ("train", "validation", "test")}
    return {name: n for name, n in counts.items() if n or name != "test"} | {"skipped": len(examples.skipped)}
