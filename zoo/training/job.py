"""Turns a plan into everything that a training needs: names and weights, the encoder, the data, and the head."""

from __future__ import annotations

import gc
import shlex
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from zoo import engine
from zoo.catalog import Backbone, Head, Offer, Weights, catalog
from zoo.compose.encoder import Encoder, encoder_of
from zoo.compose.head import fitting_head, make_task
from zoo.compose.model import Composed, compose, feature_names
from zoo.compose.partition import frozen_front
from zoo.compose.task import Task
from zoo.data.batches import Preprocessing
from zoo.data.layout import Layout
from zoo.data.limit import Limit
from zoo.data.settle import refuse_wrong_depth
from zoo.data.sources import require_source, targets_in
from zoo.data.tables import Dialect
from zoo.errors import BadPlan
from zoo.features.extractor import Extractor
from zoo.features.feed import FeatureFeed
from zoo.inference.options import Inference, Precision
from zoo.places import place
from zoo.plan import Phase, Plan
from zoo.progress import say
from zoo.training.adapt import adaptation
from zoo.training.backend import Backend, Local
from zoo.training.checkpoint import seconds_between
from zoo.training.dataset import Dataset, read_dataset
from zoo.training.provenance import Seconds
from zoo.weights import choose


@dataclass(frozen=True)
class Named:
    """The objects that the names in a plan refer to."""

    backbone: Offer[Backbone]
    head: Offer[Head]
    task: Task
    layout: Layout
    weights: Weights | None
    weights_file: Path | None


@dataclass
class Job:
    """A training that is ready to start: its names, weights and data have been checked.

    options  how the frozen part is run, with nothing left at "auto"
    encoder  the built encoder; None once it has become part of a model
    fed      whether features were computed, and what was cached was said, while the data was read
    """

    plan: Plan
    named: Named
    dataset: Dataset
    options: Inference
    encoder: Encoder | None
    seconds: Seconds
    backend: Backend = field(default_factory=Local)
    fed: bool = False

    def compose(self) -> Composed:
        """A new model, the same each time. Let go of the previous one before you call again, to save memory."""
        import keras

        with self.seconds.of("start"), self.backend.scope():
            if self.encoder is None:
                gc.collect()  # the previous model, which Keras holds in circles
            encoder = self.encoder or _built(self.plan, self.named)
            self.encoder = None
            keras.utils.set_random_seed(self.plan.seed)  # so that the head does not depend on how the encoder was built
            return compose(encoder, self.named.task, self.named.head.spec)

    def with_batch_size(self, batch_size: int) -> None:
        """Use another batch size from now on."""
        self.plan = msgspec.structs.replace(self.plan, batch_size=batch_size)

    def training_precision(self, phase: Phase) -> Precision:
        """The precision of a phase's steps; always float32 if only the head is trained, as less is not faster."""
        return _training_precision(self.plan, phase)


def prepare(plan: Plan) -> Job:
    """Turn a plan into a job, and check everything: names and weights, then the backbone, then the data.

    Raises a `ZooError` for the first problem.
    """
    seconds = Seconds()
    seconds_between()
    with seconds.of("weights"):
        named = _named(plan)
    with seconds.of("start"):
        engine.use(plan.device)
        encoder = _built(plan, named)
        options = Inference(plan.precision, plan.engine).resolved()
        for phase in plan.phases:
            _training_precision(plan, phase)
    with seconds.of("data"):
        feed = _feed(plan, named, encoder, options)
        dataset = read_dataset(plan, named.layout, named.task, feed)
        if plan.depth == "auto":
            plan = msgspec.structs.replace(plan, depth=dataset.layout.reader.depth)
        _say_what_is_cut(dataset, named, encoder)
    if named.weights_file is None and not any(phase.unfreeze for phase in plan.phases):
        say("The backbone has random weights and is not trained. To train it too, use --unfreeze all.")
    return Job(plan, named, dataset, options, encoder, seconds, fed=feed is not None and feed.used)


def _feed(plan: Plan, named: Named, encoder: Encoder, options: Inference) -> FeatureFeed | None:
    """What computes features while the data is checked, if a head is to be trained on the cached ones.

    Only for examples that are not kept in memory: these would have to be read from the disk once more.
    """
    reader = named.layout.reader
    if reader.in_memory or plan.cache == "off" or plan.phases[0].unfreeze:
        return None
    encoder = encoder.reading(named.head.spec.reads)
    front = frozen_front(encoder.network, feature_names(named.head.spec.feature))
    preprocessing = Preprocessing(encoder.preprocess, reader)
    return FeatureFeed(Extractor(named.backbone, named.weights_file, preprocessing, front, options, told=True))


def _say_what_is_cut(dataset: Dataset, named: Named, encoder: Encoder) -> None:
    """Say how many texts are longer than the backbone reads."""
    reader, raws = dataset.layout.reader, [example.kept for example in dataset.examples]
    if reader.dtype == "string" and (preprocess := encoder.forms.get(named.head.spec.reads)) is not None:
        Limit(Preprocessing(preprocess, reader)).say_what_is_cut(raws, named.backbone.name)


def _named(plan: Plan) -> Named:
    backbone = catalog().backbone(plan.backbone)
    head = fitting_head(plan.head, backbone)
    layout = _layout(plan, backbone.spec.modality, head.spec.reads)
    for data in filter(None, (plan.data, plan.val)):
        require_source(place(data), layout)
    _refuse_wrong_use(plan, head, layout)
    task = make_task(head, plan.options)
    return Named(backbone, head, task, layout, *choose(backbone, plan.weights))


def _layout(plan: Plan, modality: str, form: str) -> Layout:
    dialect = Dialect.of(plan.separator, plan.quotes)
    columns = plan.input_column, plan.target_column, plan.split_column, plan.group
    return Layout(modality, form, *columns, plan.folders, dialect)


def _built(plan: Plan, named: Named) -> Encoder:
    """A new encoder, prepared for all phases; raises `BadPlan` if it cannot be adapted as one of them wants."""
    engine.start()
    import keras

    keras.utils.set_random_seed(plan.seed)
    encoder = encoder_of(named.backbone, named.weights, named.weights_file)
    for phase in plan.phases:
        adaptation(phase).prepare(encoder, phase)
    return encoder


def _training_precision(plan: Plan, phase: Phase) -> Precision:
    """Raises `BadPlan` for float16 without a GPU."""
    return Inference(plan.precision, "tensorflow").resolved().precision if phase.unfreeze else "float32"


def _refuse_wrong_use(plan: Plan, head: Offer[Head], layout: Layout) -> None:
    levels = layout.reader.augmentations
    if plan.augment not in ("none", *levels):
        known = f"it must be none, {' or '.join(levels)}" if levels else f"{layout.reader.unit} cannot be augmented"
        raise BadPlan(f"--augment {plan.augment}: {known}.")
    refuse_wrong_depth(layout.reader, plan.depth)
    if not head.spec.trained:
        embed = f"zoo embed {plan.backbone} {shlex.quote(plan.data)} --out vectors.parquet"
        raise BadPlan(f"The head {head.name} is not trained. To get vectors: {embed}")
    if plan.val and plan.val_fraction is not None:
        raise BadPlan(f"--val-fraction {plan.val_fraction:g}: give either this or --val, not both.")
    targets = targets_in(place(plan.data), layout)
    if len(targets) > 1 and head.spec.targets == "one":
        several = ", ".join(offer.name for offer in catalog().heads if offer.spec.targets == "many")
        named = ",".join(targets)
        raise BadPlan(f"--target {named}: {head.name} learns one column. These learn several: {several}.")
