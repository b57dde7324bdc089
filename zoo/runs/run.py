"""A finished run: predict with it, evaluate it."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.compose.model import take_apart
from zoo.compose.task import Answer, Task, restore_task
from zoo.data.check import check
from zoo.data.examples import Examples, Raw, Skipped
from zoo.data.given import Input
from zoo.data.pipeline import Unreadable
from zoo.data.sources import Reading, read_source
from zoo.errors import BadRun
from zoo.inference.how import Engine, Inference, Precision
from zoo.progress import say
from zoo.runs.ask import ask
from zoo.runs.folder import RunFolder
from zoo.runs.forward import outputs
from zoo.runs.model_file import Card, holds_saved_model, load_model, read_card

if TYPE_CHECKING:
    import keras
    import numpy as np


@dataclass(frozen=True)
class Evaluation:
    """Figures of a run on a data set: metric name -> value, examples used and skipped, seconds."""

    metrics: dict[str, float]
    examples: int
    skipped: list[Skipped]
    seconds: float


class Run:
    """A run folder, read. `model` takes raw input and is loaded at its first use.

    metrics  the figures on the validation set, as training ended: {"accuracy": 0.93, ...}
    """

    def __init__(self, path: str | Path) -> None:
        self.folder = RunFolder(Path(path))
        if not self.folder.path.is_dir():
            raise BadRun(f"There is no run {path}; `zoo train` makes one, and says where.")
        self.folder.refuse_unfinished()
        self.card: Card = read_card(self.folder.model)
        self.task: Task = restore_task(self.card.head, self.card.task)

    @property
    def path(self) -> Path:
        return self.folder.path

    @functools.cached_property
    def summary(self) -> dict[str, Any]:
        """What `metrics.json` holds: run, backbone, head, metrics, examples, seconds."""
        return self.folder.read_json("metrics.json")

    @property
    def metrics(self) -> dict[str, float]:
        metrics: dict[str, float] = self.summary["metrics"]
        return metrics

    @functools.cached_property
    def model(self) -> keras.Model:
        """Raw input -> answer, as numbers."""
        if self._holds_foreign_program:
            say(f"Note: {self.path} holds a SavedModel, a program that runs with your rights.")
        return load_model(self.folder.model, self.card)

    @property
    def _holds_foreign_program(self) -> bool:
        """Whether a SavedModel is in the model that is not one of the published weights."""
        about = self.folder.read_json("provenance.json") if self.folder.exists("provenance.json") else {}
        published = about.get("weights", {}).get("licence", "unknown") != "unknown"
        return not published and holds_saved_model(self.folder.model)

    def predict(
        self,
        inputs: Sequence[Input],
        input_column: str = "",
        *,
        precision: Precision = "auto",
        engine: Engine = "auto",
    ) -> list[Answer]:
        """Answers for pictures or texts, in the order of the inputs.

        Pictures: files, and folders of files. Texts: the texts themselves, `.txt` files, folders of them; for pairs,
        tuples of two texts. Of both: tables with the columns that the run was trained on, or as `input_column` says.
        Each answer is {"input": ...} and what the head says: {"label": ..., "probabilities": {class: share}}, the
        likeliest class first; {"labels": [...], "probabilities": ...}; {"value": number}, {"values": {column: number}};
        {"words": [...], "tags": [...], "entities": [...]}. For what cannot be read, {"input": ..., "error": reason}.
        Raises `BadData` when there is nothing at all that can be read.

        precision  "float32", "bfloat16", or "auto": bfloat16 where the processor has it and the answers stay near
        engine     "tensorflow", "openvino", or "auto": OpenVINO where it is installed
        """
        how = Inference(precision, engine)

        def run(raws: list[Raw], errors: Unreadable) -> np.ndarray:
            return self._outputs(raws, how, errors)

        asked = ask(inputs, self._reading(input_column), run)
        decoded = self.task.decode(asked.outputs, list(asked.known.values()))
        answers: dict[str, Answer] = dict(zip(asked.known, decoded, strict=True))
        answers |= {name: {"error": reason} for name, reason in asked.errors.items()}
        return [{"input": name} | answers[name] for name in asked.names]

    def evaluate(
        self,
        data: str | Path,
        input_column: str = "",
        target_column: str = "",
        *,
        precision: Precision = "auto",
        engine: Engine = "auto",
    ) -> Evaluation:
        """Figures on a data set (a folder of classes or a table), by the same code as at the end of training.

        The columns of a table are those that the run was trained on, where no others are named.
        """
        start = time.monotonic()
        how = Inference(precision, engine)
        reading = self._reading(input_column, target_column)
        examples: Examples = check(read_source(Path(data), reading), reading.modality)
        encoded = self.task.encode([example.target for example in examples.items])
        metrics = self.task.score(encoded, self._outputs([example.raw for example in examples.items], how))
        return Evaluation(metrics, len(examples.items), examples.skipped, time.monotonic() - start)

    def _reading(self, input_column: str, target_column: str = "") -> Reading:
        """As the data for training was read, where nothing else is said."""
        card = self.card
        inputs, targets = input_column or card.input_column, target_column or card.target_column
        return Reading(card.modality, card.reads, inputs, targets)

    def _outputs(self, raws: Sequence[Raw], how: Inference, errors: Unreadable | None = None) -> np.ndarray:
        preprocess, rest = take_apart(self.model)
        return outputs(rest, preprocess, raws, "Predicting", errors, how)
