"""A finished run: predict with it, evaluate it."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.compose.model import take_apart
from zoo.compose.task import Answer, Task, restore_task
from zoo.data.check import check
from zoo.data.examples import Examples, Skipped
from zoo.data.pipeline import Unreadable
from zoo.data.sources import files_below, read_source
from zoo.errors import BadData, BadRun
from zoo.runs.folder import RunFolder
from zoo.runs.forward import forward
from zoo.runs.model_file import Card, load_model, read_card

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
        return load_model(self.folder.model)

    def predict(self, inputs: Sequence[str | Path]) -> list[Answer]:
        """Answers for pictures, and for all pictures in folders, in the order of the inputs.

        Each is {"input": ..., "label": ..., "probabilities": {class: share}}, the likeliest class first; for a file
        that cannot be read, {"input": ..., "error": reason}. Raises `BadData` when there is no picture at all.
        """
        paths = [path for entry in inputs for path in _files(Path(entry))]
        if not paths:
            raise BadData(f"There is no file in {', '.join(map(str, inputs))}.")
        errors: Unreadable = {}
        answers = self.task.decode(self._outputs(paths, errors))
        if len(errors) == len(set(paths)):
            path, reason = next(iter(errors.items()))
            raise BadData(f"None of the {len(paths)} files is a picture that can be read ({path}: {reason}).")
        return [
            {"input": str(path), **({"error": errors[str(path)]} if str(path) in errors else answer)}
            for path, answer in zip(paths, answers, strict=True)
        ]

    def evaluate(self, data: str | Path, input_column: str = "image", target_column: str = "label") -> Evaluation:
        """Figures on a data set (a folder of classes or a table), by the same code as at the end of training."""
        start = time.monotonic()
        examples: Examples = check(read_source(Path(data), input_column, target_column))
        encoded = self.task.encode([example.target for example in examples.items])
        metrics = self.task.score(encoded, self._outputs([example.path for example in examples.items]))
        return Evaluation(metrics, len(examples.items), examples.skipped, time.monotonic() - start)

    def _outputs(self, paths: Sequence[Path], errors: Unreadable | None = None) -> np.ndarray:
        import numpy as np

        preprocess, rest = take_apart(self.model)
        return np.concatenate(list(forward(rest, preprocess, paths, "Predicting", errors)))


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from files_below(path)
    else:
        yield path
