"""Carries out a plan, or continues an interrupted run, and writes a finished run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from zoo.data.examples import Split
from zoo.errors import BadPlan, BadRun
from zoo.features.batches import head_outputs
from zoo.inference.arrays import Arrays, gathered
from zoo.inference.memory import with_fewer_where_needed
from zoo.places import is_address, utf8
from zoo.plan import Plan
from zoo.prediction.predictor import Predictor
from zoo.progress import say
from zoo.runs.compare import changes_since, read_split
from zoo.runs.folder import RunFolder
from zoo.runs.mistakes import FILE as MISTAKES
from zoo.runs.model_file import Card, save_model
from zoo.runs.predictions import FILE as PREDICTIONS
from zoo.runs.predictions import Judged, as_floats, write_predictions
from zoo.runs.provenance import read_provenance
from zoo.runs.run import Run
from zoo.runs.summary import Rival, Summary, write_summary
from zoo.training.board import write_board
from zoo.training.checkpoint import Checkpoint, Checkpoints
from zoo.training.job import Job, prepare
from zoo.training.provenance import ended, provenance
from zoo.training.session import Session, Trained

_JUDGED: tuple[Split, ...] = ("validation", "test")


def train(plan: Plan, out: Path | None, of: Path | None = None) -> Run:
    """Carry out a plan and write the run folder `out`, which must be empty or new; None: `runs/NAME-OF-THE-DATA`.

    Names, weights and data are checked before the folder is created.

    of  the folder of the run whose plan this is; messages say first what has changed since then
    """
    _refuse_unwritable(plan, out)
    if out is not None:
        RunFolder.refuse_occupied(out)
    job = prepare(plan)
    about = provenance(job)
    if of is not None:
        for change in _changes_since(RunFolder(of), about, job):
            say(f"Compared with {of}: {change}.")
    out = out if out is not None else RunFolder.free_name(Path("runs"), _name(plan.data))
    with RunFolder.created(out) as folder:
        with folder.all_or_nothing():
            rows = ((e.input, e.written, e.split, e.content) for e in job.dataset.examples)
            folder.write_csv("split.csv", ["input", "target", "split", "content"], rows)
            folder.write_csv("skipped.csv", ["input", "reason"], ((s.input, s.reason) for s in job.dataset.skipped))
            folder.write_json("provenance.json", about)
            folder.write_text("plan.toml", job.plan.to_toml())  # last, because a run that has it can be resumed
        return _carry_out(job, folder, about)


def resume(path: Path, finish: bool = False) -> Run:
    """Continue an interrupted run from its last checkpoint; it ends as it would have without the interruption.

    finish  train no more: finish the run with the best weights so far

    Raises `BadRun` if the run is finished, another process is training it, or the data has changed.
    """
    with RunFolder.reopened(path) as folder:
        start = Checkpoints(folder).load(finish)
        then = read_provenance(folder)
        job = prepare(Plan.from_toml(path / "plan.toml").seen_from(Path(then["folder"])))
        if start is not None and start.position.phase > len(job.plan.phases):
            raise BadRun(f"{path} cannot be resumed: its checkpoint is of another plan, with more phases.")
        about = provenance(job)
        changes = _changes_since(folder, about, job)
        if then["data"] != about["data"]:
            raise BadRun(
                f"{path} cannot be resumed: {changes[0]}. Restore the data, or start again: "
                f"{folder.command('train --plan', 'plan.toml')}"
            )
        for change in changes:
            say(f"Since {path} was started: {change}.")
        say("There is no checkpoint yet, so the training starts over." if start is None else _where(start, job.plan))
        if start is not None:
            job.seconds.add(start.position.seconds)
        then |= {"resumed": then["resumed"] + 1}
        folder.write_json("provenance.json", then)
        return _carry_out(job, folder, then, start, finish)


def _refuse_unwritable(plan: Plan, out: Path | None) -> None:
    """Raise `BadPlan` for a path that plan.toml, which is UTF-8, could not name."""
    try:
        folder = os.getcwd()
    except FileNotFoundError:
        raise BadPlan("The working folder no longer exists. Change to another one.") from None
    for given in (plan.data, plan.val, plan.weights, str(out or ""), folder):
        if given and utf8(given) != given:
            raise BadPlan(f"The path {utf8(given)} is not valid UTF-8, so a run cannot keep it. Rename it.")


def _carry_out(
    job: Job, folder: RunFolder, about: dict[str, Any], start: Checkpoint | None = None, finish: bool = False
) -> Run:
    """Train, and write the files of a finished run; `metrics.json` comes last."""

    def fit(batch_size: int) -> Trained:
        at = start
        if batch_size != job.plan.batch_size:  # out of memory: try again, from the epoch of the last checkpoint
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
        mistakes = {split: msgspec.to_builtins(one.mistakes) for split, one in judged.items() if one.mistakes}
        folder.write_json(MISTAKES, mistakes)
        try:
            constant = _constant(job, judged["validation"])
        except Exception as error:  # of a plugin's head; it is a comparison, and the training is done
            say(f"What a constant answer would get is not known: {type(error).__name__}: {error}")
            constant = None
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
            reading=dict(dataset.layout.reading or {}),
        )
        folder.write("model.keras", lambda path: save_model(trained.composed.model, card, path))
    extractor = trained.trainee.extractor if trained.trainee is not None else None
    precision = extractor.precision if extractor is not None else job.options.precision
    early = {"finished_early": True} if finish else {}
    folder.write_json("provenance.json", about | early | ended(seconds, precision, job.options.engine))
    write_board(folder, job.plan, about["started"], judged)
    summary = Summary(
        run=str(folder.path),
        backbone=named.backbone.name,
        head=named.head.name,
        metrics=judged["validation"].metrics,
        intervals=judged["validation"].intervals,
        test_metrics=judged["test"].metrics if "test" in judged else None,
        test_intervals=judged["test"].intervals if "test" in judged else {},
        baseline=trained.baseline,
        constant=constant,
        examples=dataset.counts(),
        seconds=round(sum(seconds.spent.values()), 3),
    )
    write_summary(folder, summary)
    Checkpoints(folder).clear()
    return Run(folder.path)


def _judge(job: Job, trained: Trained, split: Split) -> Judged:
    """Evaluate the trained model on a split, from cached features if there are any."""
    examples, task, trainee = job.dataset.of(split), job.named.task, trained.trainee
    if trainee is not None and trainee.partition is not None and trainee.extractor is not None:
        pieces = list(head_outputs(trainee.partition.tail, trainee.extractor.features(examples), examples))
    else:
        predictor = Predictor(trained.composed, job.dataset.layout.reader, task)
        pieces = predictor.pieces([example.kept for example in examples], "Evaluating", job.options)
    return Judged.of(task, examples, pieces)


def _constant(job: Job, judged: Judged) -> Rival | None:
    """What always giving the same answer would get on the validation set."""
    import numpy as np

    task, train = job.named.task, job.dataset.of("train")
    found = task.constant(task.encode([example.target for example in train]))
    if found is None:
        return None
    (answer, name), outputs = found, gathered(judged.pieces, len(judged.examples))
    always: Arrays = (
        {part: np.broadcast_to(answer[part], array.shape) for part, array in outputs.items()}
        if isinstance(outputs, dict)
        else np.broadcast_to(answer, outputs.shape)
    )
    encoded = task.encode([example.target for example in judged.examples])
    return Rival(name=name, metrics=as_floats(task.score(encoded, always)))


def _changes_since(folder: RunFolder, about: dict[str, Any], job: Job) -> list[str]:
    inputs = {example.input for example in job.dataset.examples}
    then = {(row.get("content"), row.get("target")) for row in folder.read_csv("split.csv")}
    same = then == {(example.content, utf8(example.written)) for example in job.dataset.examples}
    return changes_since(read_provenance(folder), about, read_split(folder), inputs, only_split=same)


def _name(data: str) -> str:
    """The default name of a run on this data."""
    return (Path(data) if is_address(data) else Path(data).resolve()).stem or "run"


def _where(at: Checkpoint, plan: Plan) -> str:
    """Where the training continues, in words."""
    position = at.position
    if position.phase == len(plan.phases):
        return "All phases are finished; only the evaluation is left."
    phase = plan.phases[position.phase]
    step = f", step {position.batch + 1}" if position.batch else ""
    return f"Continuing in {phase.name}, epoch {position.epoch + 1} of {phase.epochs}{step}."
