"""Carries out the phases of a job on one model, from the beginning or from a checkpoint."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from zoo.compose.model import Composed
from zoo.compose.partition import Partition, partition
from zoo.data.batches import Preprocessing
from zoo.data.examples import Example
from zoo.errors import BadRun
from zoo.features.extractor import VIEWS, Extractor
from zoo.features.store import Store
from zoo.plan import Phase
from zoo.progress import say
from zoo.runs.folder import RunFolder
from zoo.runs.summary import Rival
from zoo.training.adapt import adaptation
from zoo.training.baseline import Baseline, Baselines
from zoo.training.cache_policy import is_cached
from zoo.training.checkpoint import Checkpoint, Position
from zoo.training.encoded import EncodedSplit
from zoo.training.job import Job
from zoo.training.snapshot import Snapshot

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


@dataclass(frozen=True)
class Trained:
    """The result of a session: the model, its position, and how the last phase divided the model."""

    composed: Composed
    position: Position
    trainee: Trainee | None

    @property
    def baseline(self) -> Rival | None:
        """The baseline, and whether it was kept because no epoch was better."""
        if self.position.baseline is None:
            return None
        name, metrics = self.position.baseline
        return Rival(name=name, metrics=metrics, kept=self.position.better_than_all_epochs)


@dataclass(frozen=True)
class Trainee:
    """What one phase trains: the model, its batches, and the cached features of the frozen part."""

    model: keras.Model
    batches: Callable[[EncodedSplit], tf.data.Dataset]
    partition: Partition | None = None
    extractor: Extractor | None = None
    store: Store | None = None


class Session:
    """Trains one phase after the other; the model ends with the weights of the epoch with the lowest validation loss.

    The frozen part runs once for each example, for all trainings, and the rest is trained on its cached features (if
    they can be cached). A head on a frozen backbone is compared with the baseline, and replaced if that is better. If
    the backbone is trained from the start, the baseline comes first, and its loss is the one to beat.

    start  where an earlier process stopped; the result is the same as if one process had done everything
    """

    def __init__(self, job: Job, folder: RunFolder, start: Checkpoint | None = None) -> None:
        self.job, self.folder = job, folder
        plan, task, reader = job.plan, job.named.task, job.dataset.layout.reader
        self.composed = job.compose()
        self.snapshot = Snapshot(self.composed.model)
        self.preprocessing = Preprocessing(self.composed.preprocess, reader)
        self.learn = EncodedSplit(job.dataset.of("train"), task, reader, plan.batch_size, plan.seed, plan.augment)
        self.learn.order = job.backend.share(self.learn.order)
        self.learn.weights = task.example_weights(self.learn.encoded)
        self.judge = EncodedSplit(job.dataset.of("validation"), task, reader, plan.batch_size)
        self.baselines = Baselines(self.composed, task, self.learn, self.judge, job.seconds)
        self._start = start or Checkpoint(Position(built=self.snapshot.built))
        if self._start.position.built != self.snapshot.built:
            raise BadRun(
                f"{folder.path} cannot be resumed: the backbone's weights, or the code that builds it, have changed "
                f"since it was started. To start again: {folder.command('train --plan', 'plan.toml')}"
            )
        self.snapshot.restore(self._start.of("model"))

    def run(self, finish: bool = False) -> Trained:
        """Carry out the remaining phases; with `finish`, train no more and use the best weights so far.

        Raises `BadRun` if `finish` is given and no epoch is finished yet.
        """
        from zoo.training.fit import PhaseFit

        at, phases = self._start, self.job.plan.phases
        if finish and at.position.best is None:
            raise BadRun(f"{self.folder.path} has no finished epoch yet. To continue: {self.folder.command('resume')}")
        last = min(at.position.phase, len(phases) - 1) if finish else len(phases) - 1
        trainee = None
        for number, phase in enumerate(phases[: last + 1]):
            if number < min(at.position.phase, last):
                continue
            at, to_beat = self._baseline_before(phase, at)
            adaptation(phase).apply(self.composed.encoder, phase)
            at, trainee = self._trainee(phase, at)
            if number >= at.position.phase:
                at = PhaseFit(self, trainee, phase, at).run(finish, to_beat)
        return Trained(self.composed, at.position, trainee)

    def _trainee(self, phase: Phase, at: Checkpoint) -> tuple[Checkpoint, Trainee]:
        """What the phase trains, and the checkpoint with the decision about the cache."""
        plan = self.job.plan
        divided = partition(self.composed)
        examples = self.learn.examples + self.judge.examples
        views = 1 if plan.augment == "none" else 1 + VIEWS
        cached = at.position.kept
        if divided is not None and cached is None:
            complete = functools.partial(self._complete, divided, examples)
            cached = is_cached(divided, plan, phase, examples, self.preprocessing.reader, views, complete)
        at = Checkpoint(replace(at.position, kept=bool(cached)), at.arrays)
        if divided is None or not cached:
            return at, Trainee(self.composed.from_prepared, lambda split: split.raw_batches(self.preprocessing))
        extractor, store = self._extracted(divided, examples)
        spec = divided.tail.input
        return at, Trainee(divided.tail, lambda split: split.feature_batches(spec, store), divided, extractor, store)

    def _extracted(self, divided: Partition, examples: list[Example]) -> tuple[Extractor, Store]:
        """The features of the frozen part, for all training and validation examples."""
        augment = self.job.plan.augment
        with self.job.seconds.of("features"):
            extractor = self._extractor(divided)
            store = extractor.features(examples)
            if augment != "none":
                extractor.add_views(self.learn.examples, augment)
        return extractor, store

    def _complete(self, divided: Partition, examples: list[Example]) -> bool:
        return self._extractor(divided).has(examples, self.learn.examples, self.job.plan.augment)

    def _extractor(self, divided: Partition) -> Extractor:
        named, job = self.job.named, self.job
        return Extractor(
            named.backbone, named.weights_file, self.preprocessing, divided.front, job.options, told=job.fed
        )

    def _baseline_before(self, phase: Phase, at: Checkpoint) -> tuple[Checkpoint, tuple[Baseline, float] | None]:
        """The baseline on the untrained backbone, and its loss, if the training starts with the backbone."""
        wanted = at.position.at_start and phase.unfreeze and self.baselines.possible and self.job.plan.cache != "off"
        if not wanted:
            return at, None
        frozen = replace(phase, unfreeze=0)
        adaptation(frozen).apply(self.composed.encoder, frozen)
        _, trainee = self._trainee(frozen, Checkpoint(replace(at.position, kept=None)))
        baseline = self.baselines.find(trainee.store) if trainee.store is not None else None
        if baseline is None:
            return at, None
        say(f"The baseline to beat is {baseline}")
        at = Checkpoint(replace(at.position, baseline=(baseline.name, baseline.metrics)), at.arrays)
        return at, (baseline, self.baselines.loss(baseline, trainee.batches(self.judge)))
