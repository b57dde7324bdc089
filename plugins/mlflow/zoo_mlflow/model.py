"""A run as a model of MLflow's flavour `python_function`: a data frame of inputs in, a data frame of answers out.

Not the flavour `keras`: that one gives the network a table's values as one array. It reads no file, cannot take
pictures of several sizes, and answers with numbers that have no names. With this one MLflow answers as `zoo predict`
does, with every head, and nothing is unpickled to load it.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import zoo
from zoo.compose.answers import answer_in
from zoo.data.layout import Layout

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.types import Schema

_FILES = ("model.keras", "metrics.json", "plan.toml", "provenance.json")  # what `zoo.load_run` needs
_OURS = ("input", "split", "target")  # columns of predictions.parquet that are no part of an answer


class Answers:
    """What MLflow calls: `predict` takes a data frame with the columns of the training, and answers each row."""

    def __init__(self, run: Any) -> None:
        self._run = run

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """One row for each row of the input, with the head's columns, and in `error` why there is no answer."""
        import pandas as pd

        answers = self._run.predict(model_input)
        good = [place for place, answer in enumerate(answers) if "error" not in answer]
        columns = self._run.task.as_columns([answer_in(answers[place]) for place in good])
        cells = {name: pd.Series(some, index=good).reindex(range(len(answers))) for name, some in columns.items()}
        table = pd.DataFrame(cells, index=range(len(answers)))
        table["error"] = [answer.get("error", "") for answer in answers]
        return table.set_axis(model_input.index)


def _load_pyfunc(path: str) -> Answers:
    """Called by MLflow, with the folder that it has kept."""
    return Answers(zoo.load_run(path))


def log_model(run: Any, run_id: str, name: str) -> None:
    """Keep a finished run as a model of a run of MLflow, with its signature and an example of an input."""
    from mlflow.models import Model, ModelSignature

    example = example_of(run)
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder, "run")
        kept.mkdir()
        for file in _FILES:
            shutil.copyfile(run.path / file, kept / file)
        Model.log(
            None,
            SimpleNamespace(__name__="mlflow.pyfunc", save_model=_save),
            name=name,
            run_id=run_id,
            loader_module="zoo_mlflow.model",
            data_path=str(kept),
            signature=ModelSignature(inputs=_inputs(run), outputs=_outputs(run)),
            input_example=example,
            pip_requirements=requirements(run),
            validate_serving_input=False,
        )


def _save(path: str, mlflow_model: Any, validate_serving_input: bool, **given: Any) -> None:
    """MLflow's own way to save; its try of the example would load the model a second time beside the trained one."""
    import mlflow.pyfunc

    mlflow.pyfunc.save_model(path=path, mlflow_model=mlflow_model, **given)


def requirements(run: Any) -> list[str]:
    """What has to be installed to load the model: zoo, MLflow, this plugin, and those that the run was made with."""
    about = json.loads((run.path / "provenance.json").read_text(encoding="utf-8"))
    made_with = [text.replace(" ", "==") for text in about.get("plugins", {}).values()]
    own = [f"{name}=={metadata.version(name)}" for name in ("mlflow", "tfzoo", "tfzoo-mlflow")]
    return [*own, *sorted(made_with)]


def example_of(run: Any) -> pd.DataFrame:
    """An input as the run reads it; it is made up, so that nothing of the data is given away."""
    import pandas as pd

    layout = _layout(run)
    value = layout.reader.samples(1)[0]
    cell = value if layout.reader.in_memory else layout.reader.show(value).content
    return pd.DataFrame({name: [cell] for name in layout.inputs})


def _layout(run: Any) -> Layout:
    return Layout(run.card.modality, run.card.reads, run.card.input_column)


def _inputs(run: Any) -> Schema:
    """Texts are texts; of everything else the bytes of a file, in whose place MLflow also takes its path."""
    from mlflow.types import ColSpec, DataType, Schema

    layout = _layout(run)
    kind = DataType.string if layout.reader.in_memory else DataType.binary
    return Schema([ColSpec(kind, name) for name in layout.inputs])


def _outputs(run: Any) -> Schema:
    """The columns of the answers, as predictions.parquet has them."""
    import pyarrow as pa
    from mlflow.types import ColSpec, DataType, Schema
    from mlflow.types.schema import AnyType

    def kind(arrow: pa.DataType) -> Any:
        if pa.types.is_string(arrow):
            return DataType.string
        if pa.types.is_floating(arrow):
            return DataType.double
        return DataType.long if pa.types.is_integer(arrow) else AnyType()

    columns = [ColSpec(kind(field.type), field.name) for field in run.predictions.schema if field.name not in _OURS]
    return Schema([*columns, ColSpec(DataType.string, "error")])
