"""The shared trainer: from a plan, or from a run that was broken off, to a finished run."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from typing import Any

from zoo.compose.model import Composed
from zoo.compose.task import Task
from zoo.data.examples import Example, Examples, Split, Target
from zoo.errors import BadRun
from zoo.inference.how import Inference
from zoo.inference.memory import with_fewer_where_needed
from zoo.progress import say
from zoo.runs.compare import changes_since, read_split
from zoo.runs.folder import RunFolder
from zoo.runs.forward import outputs
from zoo.runs.model_file import Card, save_model
from zoo.runs.run import Run
from zoo.training.checkpoint import Checkpoint, Checkpoints
from zoo.training.features import Frozen, head_outputs
from zoo.training.job import Job, prepare
from zoo.training.phases import Fitted, Fitting
from zoo.training.plan import Plan
from zoo.training.provenance import ended, provenance

_JUDGED: tuple[Split, ...] = ("validation", "test")


def train(plan: Plan, out: Path | None, of: Path | None = None) -> Run:
    """Carry out a plan and write the run folder `out`, which must not hold anything yet; None: `runs/NAME-OF-THE-DATA`.

    All that can be wrong with names, weights and data is found before the folder is made.

    of  the folder of the run whose plan this is: what has changed since then is said first
    """
    if out is not None:
        RunFolder.refuse_occupied(out)
    job = prepare(plan)
    about = provenance(job.backbone, job.head, job.weights, job.weights_file, job.examples)
    if of is not None:
        for change in _changes_since(RunFolder(of), about, job):
            say(f"Other than in {of}: {change}.")
    out = out if out is not None else RunFolder.free_name(Path("runs"), Path(plan.data).resolve().stem)
    with RunFolder.created(out) as folder:
        with folder.all_or_nothing():
            rows = [(e.input, _written(e.target), e.split) for e in job.examples.items]
            folder.write_csv("split.csv", ["input", "target", "split"], rows)
            folder.write_csv("skipped.csv", ["input", "reason"], [(s.input, s.reason) for s in job.examples.skipped])
            folder.write_json("provenance.json", about)
            folder.write_text("plan.toml", plan.to_toml())  # who has it can be resumed
        return _carry_out(job, folder, about)


def resume(path: Path, finish: bool = False) -> Run:
    """Go on with a run that was broken off, from its last checkpoint: it ends as it would have ended then.

    finish  train no more: the best weights so far are those of the run

    Raises `BadRun` where the run is finished or held by another process, or the data has changed since.
    """
    with RunFolder.reopened(path) as folder:
        checkpoint = Checkpoints(folder).load()
        then = folder.read_json("provenance.json")
        job = prepare(Plan.from_toml(path / "plan.toml").seen_from(Path(then.get("folder", "."))))
        about = provenance(job.backbone, job.head, job.weights, job.weights_file, job.examples)
        changes = _changes_since(folder, about, job)
        if then.get("data") != about["data"]:
            raise BadRun(
                f"{path} cannot be resumed: {changes[0]}. Bring the data back as it was, or start anew: "
                f"zoo train --plan {path / 'plan.toml'}"
            )
        for change in changes:
            say(f"Other than when {path} was started: {change}.")
        say("There is no checkpoint yet: from the beginning." if checkpoint is None else _place(checkpoint, job.plan))
        then |= {"resumed": then.get("resumed", 0) + 1}
        folder.write_json("provenance.json", then)
        return _carry_out(job, folder, then, checkpoint, finish)


def _carry_out(
    job: Job, folder: RunFolder, about: dict[str, Any], start: Checkpoint | None = None, finish: bool = False
) -> Run:
    """Train, and write what a finished run has; `metrics.json` comes last."""

    def fit(batch_size: int) -> tuple[Job, Fitted]:
        now, where = job, start
        if batch_size != job.plan.batch_size:  # the memory was not enough: anew, from the epoch of the last checkpoint
            now, where = prepare(replace(job.plan, batch_size=batch_size)), Checkpoints(folder).load()
            where = where and replace(where, batch=0, logs={})
            folder.write_text("plan.toml", now.plan.to_toml())
        return now, _fit(now, folder, where, finish)

    job, fitted = with_fewer_where_needed(job.plan.batch_size, fit)
    plan, task, composed, examples, seconds = job.plan, job.task, job.composed, job.examples, job.seconds
    with seconds.of("evaluate"):
        metrics = {split: _score(composed, task, examples.of(split), fitted, job.how) for split in _JUDGED}
    with seconds.of("save"):
        columns = plan.input_column, plan.target_column
        spec = job.backbone.spec
        card = Card(job.backbone.name, job.head.name, spec.modality, task.state(), job.head.spec.reads, *columns)
        folder.write("model.keras", lambda path: save_model(composed.model, card, path))
    precision = fitted.frozen.precision if fitted.frozen is not None else job.how.precision
    early = {"finished_early": True} if finish else {}
    folder.write_json("provenance.json", about | early | ended(seconds, precision, job.how.engine))
    summary = {
        "run": str(folder.path),
        "backbone": job.backbone.name,
        "head": job.head.name,
        "metrics": metrics["validation"],
        "test_metrics": metrics["test"],
        "baseline": fitted.baseline and {"name": fitted.baseline[0], "metrics": fitted.baseline[1]},
        "examples": _counts(examples),
        "seconds": round(sum(seconds.steps.values()), 3),
    }
    folder.write_json("metrics.json", {name: value for name, value in summary.items() if value is not None})
    Checkpoints(folder).clear()
    return Run(folder.path)


def _fit(job: Job, folder: RunFolder, start: Checkpoint | None, finish: bool) -> Fitted:
    composed = job.composed
    freeze = functools.partial(Frozen, job.backbone, job.weights_file, composed.encoder.preprocess, how=job.how)
    return Fitting(job.plan, folder, composed, job.task, job.examples, job.seconds, freeze, start).fit(finish)


def _changes_since(folder: RunFolder, about: dict[str, Any], job: Job) -> list[str]:
    inputs = {example.input for example in job.examples.items}
    return changes_since(folder.read_json("provenance.json"), about, read_split(folder), inputs)


def _place(checkpoint: Checkpoint, plan: Plan) -> str:
    """Where the training goes on, in words."""
    if checkpoint.phase == len(plan.phases):
        return "All phases are over: what is left is the evaluation."
    phase = plan.phases[checkpoint.phase]
    step = f", step {checkpoint.batch + 1}" if checkpoint.batch else ""
    return f"Going on in {phase.name}, epoch {checkpoint.epoch + 1} of {phase.epochs}{step}."


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
