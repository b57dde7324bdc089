"""The shared trainer: from a plan, or from a run that was interrupted, to a finished run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from zoo.data.examples import Split
from zoo.errors import BadRun
from zoo.features.batches import head_outputs
from zoo.inference.memory import with_fewer_where_needed
from zoo.prediction.predictor import Predictor
from zoo.progress import say
from zoo.runs.compare import changes_since, read_split
from zoo.runs.folder import RunFolder
from zoo.runs.model_file import Card, save_model
from zoo.runs.plan import Plan
from zoo.runs.predictions import FILE as PREDICTIONS
from zoo.runs.predictions import Judged, write_predictions
from zoo.runs.run import Run
from zoo.training.checkpoint import Checkpoint, Checkpoints
from zoo.training.job import Job, prepare
from zoo.training.provenance import ended, provenance
from zoo.training.session import Session, Trained

_JUDGED: tuple[Split, ...] = ("validation", "test")


def train(plan: Plan, out: Path | None, of: Path | None = None) -> Run:
    """Carry out a plan and write the run folder `out`, which must not hold anything yet; None: `runs/NAME-OF-THE-DATA`.

    All that can be wrong with names, weights and data is found before the folder is made.

    of  the folder of the run whose plan this is: what has changed since then is said first
    """
    if out is not None:
        RunFolder.refuse_occupied(out)
    job = prepare(plan)
    about = provenance(job)
    if of is not None:
        for change in _changes_since(RunFolder(of), about, job):
            say(f"Other than in {of}: {change}.")
    out = out if out is not None else RunFolder.free_name(Path("runs"), _name(plan.data))
    with RunFolder.created(out) as folder:
        with folder.all_or_nothing():
            rows = [(e.input, e.written, e.split) for e in job.dataset.examples]
            folder.write_csv("split.csv", ["input", "target", "split"], rows)
            folder.write_csv("skipped.csv", ["input", "reason"], [(s.input, s.reason) for s in job.dataset.skipped])
            folder.write_json("provenance.json", about)
            folder.write_text("plan.toml", plan.to_toml())  # who has it can be resumed
        return _carry_out(job, folder, about)


def resume(path: Path, finish: bool = False) -> Run:
    """Continue a run that was interrupted, from its last checkpoint: it ends as it would have ended then.

    finish  train no more: the best weights so far are those of the run

    Raises `BadRun` where the run is finished or held by another process, or the data has changed since.
    """
    with RunFolder.reopened(path) as folder:
        start = Checkpoints(folder).load()
        then = folder.read_json("provenance.json")
        job = prepare(Plan.from_toml(path / "plan.toml").seen_from(Path(then.get("folder", "."))))
        about = provenance(job)
        changes = _changes_since(folder, about, job)
        if then.get("data") != about["data"]:
            raise BadRun(
                f"{path} cannot be resumed: {changes[0]}. Bring the data back as it was, or start again: "
                f"zoo train --plan {path / 'plan.toml'}"
            )
        for change in changes:
            say(f"Other than when {path} was started: {change}.")
        say("There is no checkpoint yet: from the beginning." if start is None else _where(start, job.plan))
        then |= {"resumed": then.get("resumed", 0) + 1}
        folder.write_json("provenance.json", then)
        return _carry_out(job, folder, then, start, finish)


def _carry_out(
    job: Job, folder: RunFolder, about: dict[str, Any], start: Checkpoint | None = None, finish: bool = False
) -> Run:
    """Train, and write what a finished run has; `metrics.json` comes last."""

    def fit(batch_size: int) -> Trained:
        at = start
        if batch_size != job.plan.batch_size:  # not enough memory: again, from the epoch of the last checkpoint
            job.with_batch_size(batch_size)
            at = Checkpoints(folder).load()
            at = at and Checkpoint(replace(at.position, batch=0, logs={}), at.arrays)
            folder.write_text("plan.toml", job.plan.to_toml())
        return Session(job, folder, at).run(finish)

    trained = with_fewer_where_needed(job.plan.batch_size, fit)
    named, dataset, seconds = job.named, job.dataset, job.seconds
    with seconds.of("evaluate"):
        judged = {split: _judge(job, trained, split) for split in _JUDGED if dataset.of(split)}
        folder.write(PREDICTIONS, lambda path: write_predictions(path, list(judged.values())))
        folder.write_json("figures.json", {split: one.figures for split, one in judged.items()})
    with seconds.of("save"):
        card = Card(
            backbone=named.backbone.name,
            head=named.head.name,
            modality=named.backbone.spec.modality,
            task=named.task.state(),
            reads=named.head.spec.reads,
            input_column=job.plan.input_column,
            target_column=job.plan.target_column,
            parts=trained.composed.signatures(),
        )
        folder.write("model.keras", lambda path: save_model(trained.composed.model, card, path))
    extractor = trained.trainee.extractor if trained.trainee is not None else None
    precision = extractor.precision if extractor is not None else job.options.precision
    early = {"finished_early": True} if finish else {}
    folder.write_json("provenance.json", about | early | ended(seconds, precision, job.options.engine))
    summary = {
        "run": str(folder.path),
        "backbone": named.backbone.name,
        "head": named.head.name,
        "metrics": judged["validation"].metrics,
        "test_metrics": judged["test"].metrics if "test" in judged else None,
        "baseline": trained.baseline,
        "examples": dataset.counts(),
        "seconds": round(sum(seconds.spent.values()), 3),
    }
    folder.write_json("metrics.json", {name: value for name, value in summary.items() if value is not None})
    Checkpoints(folder).clear()
    return Run(folder.path)


def _judge(job: Job, trained: Trained, split: Split) -> Judged:
    """Ask the trained model about the examples of a split: from their cached features, where there are some."""
    examples, task, trainee = job.dataset.of(split), job.named.task, trained.trainee
    if trainee is not None and trainee.partition is not None and trainee.extractor is not None:
        pieces = list(head_outputs(trainee.partition.tail, trainee.extractor.features(examples), examples))
    else:
        predictor = Predictor(trained.composed, job.dataset.layout.reader, task)
        pieces = predictor.pieces([example.raw for example in examples], "Evaluating", job.options)
    return Judged.of(task, examples, pieces)


def _changes_since(folder: RunFolder, about: dict[str, Any], job: Job) -> list[str]:
    inputs = {example.input for example in job.dataset.examples}
    return changes_since(folder.read_json("provenance.json"), about, read_split(folder), inputs)


def _name(data: str) -> str:
    """What a run on this data is called, where nobody names it."""
    path = data if "://" in data else os.path.abspath(data)
    return Path(path).stem or "run"


def _where(at: Checkpoint, plan: Plan) -> str:
    """Where the training continues, in words."""
    position = at.position
    if position.phase == len(plan.phases):
        return "All phases are over: what is left is the evaluation."
    phase = plan.phases[position.phase]
    step = f", step {position.batch + 1}" if position.batch else ""
    return f"Continuing in {phase.name}, epoch {position.epoch + 1} of {phase.epochs}{step}."
