"""A finished run: read its files, predict with it, evaluate it."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from zoo import engine
from zoo.compose.answers import answer_in, beside
from zoo.data.check import check
from zoo.data.inputs import Input, as_inputs, read_entries
from zoo.data.layout import NO_COLUMN, Columns, Layout
from zoo.data.settle import settle
from zoo.data.sources import read_source
from zoo.data.tables import Dialect
from zoo.errors import BadRun
from zoo.inference.options import Inference
from zoo.places import data_address, place
from zoo.plan import Plan, Settings
from zoo.prediction.explainer import Explainer, refuse_modality
from zoo.prediction.page import check_page, write_page
from zoo.prediction.predictor import Predictor, answer_entries
from zoo.progress import say
from zoo.runs.folder import RunFolder
from zoo.runs.judging import Evaluation, chosen_for_evaluation
from zoo.runs.model_file import Card, holds_saved_model, load_model, load_parts, load_task, read_card, refuse_unreadable
from zoo.runs.predictions import FILE, Judged
from zoo.runs.sheet import Sheet, as_sheet
from zoo.runs.summary import Summary, read_summary
from zoo.structs import checked

if TYPE_CHECKING:
    import keras
    import pyarrow as pa

    from zoo.compose.model import Parts
    from zoo.compose.task import Answer, Figure, Task
    from zoo.prediction.explanation import Explanation


class Run:
    """A finished run. Reading its files does not need TensorFlow; `model` is loaded when it is first used.

    metrics      the metrics on the validation set at the end of the training: {"accuracy": 0.93, ...}
    plan         the plan, which `zoo train --plan` repeats
    history      one row for each epoch, by column
    predictions  a `pyarrow.Table` of the validation and test examples: input, split, target, and the answers
    """

    def __init__(self, path: str | Path) -> None:
        self.folder = RunFolder(Path(path))
        if not self.folder.path.is_dir():
            raise BadRun(f"There is no run {path}. `zoo train` makes one and prints its path.")
        self.folder.refuse_unfinished()
        self.card: Card = read_card(self.folder.model)
        self._loading = threading.Lock()

    @property
    def path(self) -> Path:
        return self.folder.path

    @functools.cached_property
    def summary(self) -> dict[str, Any]:
        """The content of `metrics.json`: run, backbone, head, metrics, examples, seconds."""
        summary: dict[str, Any] = msgspec.to_builtins(self._summary)
        return summary

    @property
    def metrics(self) -> dict[str, float]:
        return self._summary.metrics

    @functools.cached_property
    def _summary(self) -> Summary:
        return read_summary(self.folder)

    @functools.cached_property
    def plan(self) -> Plan:
        return Plan.from_toml(self.path / "plan.toml")

    @functools.cached_property
    def history(self) -> list[dict[str, Any]]:
        if not self.folder.exists("history.csv"):  # it was finished before its first epoch was
            return []
        return [{name: _number(cell) for name, cell in row.items()} for row in self.folder.read_csv("history.csv")]

    @functools.cached_property
    def figures(self) -> dict[str, list[Figure]]:
        """The head's figures for a report, by split; {} of a run that has none."""
        if not self.folder.exists("figures.json"):
            return {}
        content = self.folder.read_json("figures.json")
        return {split: some for split, some in content.items() if isinstance(some, list)}

    @property
    def other_layout(self) -> Layout:
        """How other data is read, unless anything is said about it."""
        return self._layout()

    @property
    def layout(self) -> Layout:
        """How the run's own data is read."""
        plan, card = self.plan, self.card
        dialect = Dialect.of(plan.separator, plan.quotes)
        columns = plan.input_column, plan.target_column, NO_COLUMN, ""
        return Layout(card.modality, card.reads, *columns, plan.folders, dialect, card.reading)

    @functools.cached_property
    def predictions(self) -> pa.Table:
        import pyarrow as pa
        from pyarrow import parquet

        if not self.folder.exists(FILE):
            again = self.folder.command("train --plan", "plan.toml")
            raise BadRun(f"{self.path} has no {FILE}: an older version of zoo made it. To repeat it: {again}")
        try:
            return parquet.read_table(self.path / FILE)
        except (OSError, pa.ArrowException) as error:
            raise BadRun(f"{self.path / FILE} is damaged: {error}.") from None

    @property
    def model(self) -> keras.Model:
        """The Keras model from raw input to outputs. `predict` keeps the weights that it had when it first answered."""
        return self._loaded[0]

    @property
    def task(self) -> Task:
        """The head's task, which turns outputs into answers."""
        return self.predictor.task

    @property
    def predictor(self) -> Predictor:
        """The predictor, which is made once. Thread-safe."""
        return self._loaded[1]

    @property
    def _loaded(self) -> tuple[keras.Model, Predictor, Explainer]:
        with self._loading:
            return self._load

    @functools.cached_property
    def _load(self) -> tuple[keras.Model, Predictor, Explainer]:
        if holds_saved_model(self.folder.model):
            say(f"Note: {self.path} contains a SavedModel, a program that runs with your rights.")
        model = load_model(self.folder.model, self.card.backbone)
        parts = load_parts(model, self.card, self.folder.model)
        task = load_task(self.card, parts.head, self.folder.model)
        predictor = Predictor(parts, self._layout().reader, task, self.card.backbone)
        tagged = self.card.reads == "words"
        return model, predictor, Explainer(predictor, self.card.modality, tagged, self._copied_parts)

    def _copied_parts(self) -> Parts:
        """The parts of the model, loaded once more."""
        return load_parts(load_model(self.folder.model, self.card.backbone), self.card, self.folder.model)

    def predict(
        self,
        inputs: Input | Iterable[Input],
        input_column: Columns = "",
        *,
        separator: str = "",
        quotes: str = "auto",
        precision: str = "auto",
        engine: str = "auto",
        device: str = "auto",
    ) -> list[Answer]:
        """Answers for pictures or texts, one or any collection of them, in the order of the inputs. Thread-safe.

        A `Path` is a file, a folder of files, or a table, with the columns of the training or `input_column`. A string
        is a text for a model that reads texts, whatever is on the disk, and otherwise the path of a picture. Besides:
        the bytes of a file, RGB pixels, uint8 (height, width, 3), or a batch of them, tuples of two texts for pairs,
        lists of words for tagged words, and a data frame or one of its columns (pandas, polars, Arrow).

        Each answer has {"input": ...} and the head's keys: {"label": ..., "probabilities": {class: share}}, the
        likeliest class first; {"labels": [...], "probabilities": ...}; {"value": number}, {"values": {column: number}};
        {"words": [...], "tags": [...], "entities": [...]}. The input of a text is the text itself. If an input cannot
        be read, such as a damaged file or an empty text: {"input": ..., "error": reason}.

        Raises `BadData` for what is no input at all, such as None, and if none of the inputs can be read.

        separator  of the cells of a CSV file; "": found out
        quotes     in a CSV file, quotation marks enclose "cells" or belong to the "text"; "auto": found out
        precision  "float32", "bfloat16", or "auto": bfloat16 if the processor has it and the answers stay close
        engine     "tensorflow", "openvino", or "auto": OpenVINO if it is installed
        device     "cpu", "gpu", "gpu:N", or "auto": a GPU if TensorFlow sees one
        """
        options = _start(precision, engine, device)
        layout = self._layout(input_column, reading=_reading(separator, quotes))
        return answer_entries(self.predictor, read_entries(as_inputs(inputs, layout), layout), options)

    def explain(
        self,
        inputs: Input | Iterable[Input],
        target: str | None = None,
        input_column: Columns = "",
        *,
        separator: str = "",
        quotes: str = "auto",
        device: str = "auto",
        out: str | Path | None = None,
    ) -> list[Explanation]:
        """Why the run answers as it does, for pictures or texts, in the order of the inputs. Thread-safe.

        Inputs are those of `predict`. For a picture, an explanation says where the evidence is (`heat`, by Grad-CAM,
        or by occlusion if the backbone has no map of the picture); for a text, how much each word counts (`texts`, by
        integrated gradients, or by occlusion if the word table cannot be differentiated). An input that cannot be read
        has its reason in `error`.

        target  what is explained instead of the answer: a label, a column of numbers, or a type of entity
        out     an HTML file to write, which needs nothing else

        Raises `BadData` as `predict` does, and `BadPlan` for an unknown target and for runs that read neither pictures
        nor texts.
        """
        refuse_modality(self.card.modality)
        if out is not None:
            check_page(Path(out))
        engine.use(device)
        layout = self._layout(input_column, reading=_reading(separator, quotes))
        made = self._loaded[2].explain(read_entries(as_inputs(inputs, layout), layout), target or "")
        if out is not None:
            write_page(made, f"Why {self.path.name} answers so", Path(out))
        return made

    def only_top(self, answer: Answer, count: int) -> Answer:
        """An answer of `predict` with at most `count` of its probabilities."""
        if "error" in answer:
            return answer
        return beside({"input": answer["input"]}, self.task.only_top(answer_in(answer), count))

    def in_words(self, answer: Answer) -> str:
        """An answer of `predict` as one line of text, without its input."""
        return f"left out: {answer['error']}" if "error" in answer else self.task.in_words(answer_in(answer))

    def as_rows(self, answer: Answer) -> list[dict[str, Any]]:
        """An answer of `predict` as rows of a CSV file, by column, each with the input."""
        if "error" in answer:
            return [answer]
        return [beside({"input": answer["input"]}, row) for row in self.task.as_rows(answer_in(answer))]

    def as_sheet(
        self,
        inputs: Sequence[Input],
        answers: Sequence[Answer],
        input_column: Columns = "",
        *,
        separator: str = "",
        quotes: str = "auto",
    ) -> Sheet:
        """The answers of `predict(inputs)` as names of columns and rows of cells.

        If the only input is a table: beside its own columns, one row for each of its rows.
        """
        return as_sheet(self, inputs, answers, self._layout(input_column, reading=_reading(separator, quotes)))

    def evaluate(
        self,
        data: str | Path,
        input_column: Columns = "",
        target_column: Columns = "",
        *,
        split: str = "auto",
        folders: str = "auto",
        separator: str = "",
        quotes: str = "auto",
        precision: str = "auto",
        engine: str = "auto",
        device: str = "auto",
    ) -> Evaluation:
        """Metrics on a data set (a folder of classes or a table), computed as at the end of the training.

        The columns of a table are those that the run was trained on, unless others are named.

        split  which of the data is judged: "auto": what the run was not trained on, by content; "all"; or what the run
               has in its "train", "validation" or "test"
        """
        start = time.monotonic()
        options = _start(precision, engine, device)
        layout = self._layout(input_column, target_column, _reading(separator, quotes, folders))
        predictor = self.predictor
        examples = check(read_source(place(data_address(data)), layout, predictor.task), layout.reader)
        settle([examples], layout, None)
        chosen, trained = chosen_for_evaluation(self.folder, self.plan, str(data), examples.items, split)
        pieces = predictor.pieces([example.kept for example in chosen], options=options)
        judged = Judged.of(predictor.task, chosen, pieces)
        examples.spool.close()
        seconds = time.monotonic() - start
        return Evaluation(
            judged.metrics,
            judged.intervals,
            len(chosen),
            trained,
            examples.skipped,
            seconds,
            judged.figures,
            judged.mistakes,
        )

    def _layout(
        self, input_column: Columns = "", target_column: Columns = "", reading: Settings | None = None
    ) -> Layout:
        """The layout of the training data, except for columns that are named here."""
        refuse_unreadable(self.card, self.folder.model)
        card, reading = self.card, reading or Settings()
        columns = input_column or card.input_column, target_column or card.target_column, NO_COLUMN, ""
        dialect = Dialect.of(reading.separator, reading.quotes)
        return Layout(card.modality, card.reads, *columns, reading.folders, dialect, card.reading)


def _reading(separator: str, quotes: str, folders: str = "auto") -> Settings:
    return checked({"folders": folders, "separator": separator, "quotes": quotes}, Settings)


def _start(precision: str, engine_name: str, device: str) -> Inference:
    """Start TensorFlow on a device; raises `BadPlan` for an option that does not exist."""
    options = checked({"precision": precision, "engine": engine_name}, Inference)
    engine.use(device)
    return options


def _number(cell: str) -> Any:
    for kind in (int, float):
        try:
            return kind(cell)
        except ValueError:
            continue
    return cell
