"""Runs the frozen part of a model once for each example, for all trainings together."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from zoo.catalog import Backbone, Offer, catalog
from zoo.data.batches import Preprocessing
from zoo.data.examples import Example, same_content
from zoo.features.store import Store
from zoo.inference.arrays import nested
from zoo.inference.forward import BATCH, View, forward
from zoo.inference.memory import with_fewer_where_needed
from zoo.inference.options import Inference, Precision
from zoo.inference.runner import CHECKED, Runner
from zoo.progress import say
from zoo.weights import content_sha256

if TYPE_CHECKING:
    import keras
    import numpy as np

VIEWS = 4  # changed views of each example that are cached with --augment
_AT_ONCE = 10_000  # examples that are looked for in the store


class Extractor:
    """A frozen model, which turns prepared input into {feature: tensor}, and the cache of its outputs.

    weights  the backbone's file, if it has one
    told     whether it has been said how many features were there already
    """

    def __init__(
        self,
        backbone: Offer[Backbone],
        weights: Path | None,
        preprocessing: Preprocessing,
        front: keras.Model,
        options: Inference,
        told: bool = False,
    ) -> None:
        self.preprocessing, self._front = preprocessing, front
        self.shapes = {name: tensor.shape[1:] for name, tensor in front.output.items()}
        self._options = options.resolved()
        self._about = _about(backbone, weights, preprocessing, front)
        self._store = self._open()
        if self._store.spoilt:
            self._go_over_to_float32()
        self._runner: Runner | None = None
        self._told = told

    @property
    def precision(self) -> Precision:
        """The precision of the features; "float32" if the one that was asked for spoils them."""
        return self._options.precision

    def features(self, examples: Sequence[Example]) -> Store:
        """The store with the features of all these examples; those it lacks are computed first, with progress."""
        examples = _distinct(examples)
        lacking = self.lacking(examples).sum()
        if lacking and self.precision != "float32":
            self._settle(examples)
            lacking = self.lacking(examples).sum()
        known = len(examples) - lacking
        if known and not self._told:
            say(f"Features of {known} of {len(examples)} examples are cached from an earlier run.")
        self._told = True
        if lacking:
            self._compute(examples, self.preprocessing, "Features")
        return self._store

    def has(self, examples: Sequence[Example], viewed: Sequence[Example], level: str) -> bool:
        """Whether the store has the features of all examples, and those of the changed views of some."""
        views = range(1, VIEWS + 1) if level != "none" else ()
        return not self.lacking(examples).any() and not any(
            self.lacking(_view(viewed, level, number)).any() for number in views
        )

    def lacks(self, content: str) -> bool:
        """Whether the store lacks the features of an example with this fingerprint. Thread-safe."""
        return bool(self._store.missing([content]))

    def add(self, contents: Sequence[str], prepared: Any) -> None:
        """Compute the features of examples that have been preprocessed, and put them into the store."""
        infer = self._infer()
        if self.precision != "float32":
            infer.settled(prepared)
            if infer.precision != self.precision:
                self._store.mark_spoilt()
                self._go_over_to_float32()
        halved = self.precision != "float32"

        def run(batch_size: int) -> None:
            for start in range(0, len(contents), batch_size):
                rows = slice(start, start + batch_size)
                self._store.add(contents[rows], infer(nested(prepared, itemgetter(rows))), halved=halved)

        with_fewer_where_needed(len(contents), run)

    def flush(self) -> None:
        """Write what was added."""
        self._store.flush()

    def add_views(self, examples: Sequence[Example], level: str) -> None:
        """Add the features of `VIEWS` changed views of each example to the store, under the names of `view_of`."""
        model, reader = self.preprocessing.model, self.preprocessing.reader
        changing: Preprocessing | None = None
        for number in range(1, VIEWS + 1):
            changed = _distinct(_view(examples, level, number))
            if self.lacking(changed).any():
                changing = changing or Preprocessing(model, reader, reader.augmentation(level, model))
                view = View(view_keys(changed), number)
                self._compute(changed, changing, f"View {number} of {VIEWS}", view)

    def _open(self) -> Store:
        return Store({**self._about, "precision": self.precision}, self.shapes)

    def _go_over_to_float32(self) -> None:
        self._options = Inference("float32", self._options.engine)
        self._store = self._open()

    def lacking(self, examples: Sequence[Example]) -> np.ndarray:
        """Whether the store lacks each of these examples, bool (examples,)."""
        import numpy as np

        lacking = np.zeros(len(examples), bool)
        for start in range(0, len(examples), _AT_ONCE):
            contents = [example.content for example in examples[start : start + _AT_ONCE]]
            lacking[[start + place for place in self._store.missing(contents)]] = True
        return lacking

    def _settle(self, examples: Sequence[Example]) -> None:
        """Switch to float32 if the precision spoils the features of the first examples."""
        some = [example.kept for example in examples[:CHECKED]]
        runner = self._infer()
        for _ in forward(runner.settled, self.preprocessing, some, "", batch_size=CHECKED):
            if runner.precision != self.precision:
                self._store.mark_spoilt()
                self._go_over_to_float32()

    def _infer(self) -> Runner:
        if self._runner is None:
            self._runner = Runner(self._front, self.preprocessing.spec, self._options)
        return self._runner

    def _compute(
        self, examples: Sequence[Example], preprocessing: Preprocessing, title: str, view: View | None = None
    ) -> None:
        """Compute what is missing, in the batches of all examples: after a kill, the same values are computed again."""
        raws = [example.kept for example in examples]
        halved, infer = self.precision != "float32", self._infer()

        def run(batch_size: int) -> None:
            lacking = self.lacking(examples)
            batches = forward(infer, preprocessing, raws, title, view=view, needed=lacking, batch_size=batch_size)
            try:
                for rows, batch in batches:
                    new = lacking[rows]
                    contents = [examples[row].content for row in rows[new]]
                    self._store.add(contents, {name: array[new] for name, array in batch.items()}, halved=halved)
            finally:
                self._store.flush()

        with_fewer_where_needed(BATCH, run)


def _distinct(examples: Sequence[Example]) -> Sequence[Example]:
    """The examples in order, each content only once."""
    if sum(1 for _ in same_content(examples)) == len(examples):
        return examples  # one list, not two
    seen: set[str] = set()
    distinct = []
    for example in examples:
        if example.content not in seen:
            seen.add(example.content)
            distinct.append(example)
    return distinct


def _view(examples: Sequence[Example], level: str, number: int) -> list[Example]:
    """The examples under the names of `view_of`."""
    return [replace(example, content=view_of(example, level, number)) for example in examples]


def view_of(example: Example, level: str, number: int) -> str:
    """The fingerprint of a changed view of an example; number 0 is the example itself."""
    if number == 0:
        return example.content
    return hashlib.blake2b(f"{example.content} {level} {number}".encode(), digest_size=16).hexdigest()


def view_keys(examples: Sequence[Example]) -> np.ndarray:
    """The keys that decide how each example is changed: int32 (examples, 2), derived from its content."""
    import numpy as np

    return np.array([np.frombuffer(bytes.fromhex(example.content)[:8], "int32") for example in examples])


def _about(
    backbone: Offer[Backbone], weights: Path | None, preprocessing: Preprocessing, front: keras.Model
) -> dict[str, Any]:
    """Everything that decides the features, except their precision.

    The weights are identified by their values, the preprocessing by its output for a few inputs.
    """
    import keras

    plugins = {plugin.name: f"{plugin.distribution} {plugin.version}" for plugin in catalog().plugins}
    values = hashlib.sha256()
    for variable in front.weights:
        values.update(keras.ops.convert_to_numpy(variable).tobytes())
    return {
        "backbone": backbone.name,
        "plugin": plugins[backbone.plugin],
        "keras": keras.version(),
        "weights": values.hexdigest(),
        "file": content_sha256(weights) if weights is not None else "none",
        "preprocessing": _behaviour(preprocessing),
        "features": [f"{name} {tensor.dtype}{list(tensor.shape[1:])}" for name, tensor in front.output.items()],
        "network": _structure(front),
    }


def _structure(front: keras.Model) -> str:
    """A checksum of the layers, their settings and how they are connected; "" if a layer cannot tell its settings.

    Keras numbers the names of layers, differently each time that the same model is built: the numbers are left out. So
    is what a later phase may train, which changes nothing in what a frozen layer gives.
    """
    try:
        text = json.dumps(front.get_config(), sort_keys=True, default=str)
    except Exception:  # whatever a plugin's layer raises
        return ""
    return hashlib.sha256(re.sub(r"_\d+\b|0x[0-9a-f]+|\"trainable\": \w+", "", text).encode()).hexdigest()


def _behaviour(preprocessing: Preprocessing) -> str:
    """A checksum of the preprocessing's output for the samples of its modality."""
    import numpy as np
    import tensorflow as tf

    made = hashlib.sha256()
    for sample in preprocessing.reader.samples(2):
        prepared = preprocessing([(sample,) * len(preprocessing.model.inputs)])
        for array in tf.nest.flatten(prepared):
            part = np.asarray(array, "float64").round(3) + 0.0
            made.update(repr(part.shape).encode() + part.tobytes())
    return made.hexdigest()
