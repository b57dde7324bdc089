"""SavedModels as bundles of bytes, so that they can be stored in a Keras model file and need no folder afterwards."""

import itertools
import tempfile
import weakref
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_text  # noqa: F401  the tokenizers' operations are registered by this import

import zoo

Files = dict[str, bytes]  # path in the SavedModel -> content

_VARIABLES = "variables/"
# Operations that reach outside the graph. Operations that save and restore are allowed: every SavedModel has them.
_REFUSED = {
    "ReadFile",
    "WriteFile",
    "MatchingFiles",
    "PrintV2",
    "PyFunc",
    "PyFuncStateless",
    "EagerPyFunc",
    "SaveDataset",
    "SaveDatasetV2",
    "LoadDataset",
    "TextLineDataset",
    "TextLineReaderV2",
    "TFRecordDataset",
    "TFRecordDatasetV2",
    "FixedLengthRecordDatasetV2",
    "WholeFileReaderV2",
    "WriteGraphSummary",
    "CreateSummaryFileWriter",
    "RpcCall",
    "RpcClient",
    "RpcServer",
}
INPUTS = ("input_word_ids", "input_mask", "input_type_ids")
_OUTPUTS = ("pooled_output", "sequence_output")


def read_files(folder: Path, variables: bool) -> Files:
    """The files of a SavedModel folder; those of its variables only if `variables` is true."""
    if not (folder / "saved_model.pb").is_file():
        raise zoo.BadWeights(f"{folder} is not a SavedModel: it has no saved_model.pb.")
    names = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: path.read_bytes() for name, path in names.items() if variables or not name.startswith(_VARIABLES)}


def write_files(files: Files, folder: Path) -> None:
    """Write the files into a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def refuse_operations(content: bytes) -> None:
    """Raise `BadWeights` for a saved_model.pb with operations for files, for Python, or for other machines.

    This checks a list of known operations and is not a barrier: a SavedModel is still a program.
    """
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    try:
        graphs = [meta.graph_def for meta in SavedModel.FromString(content).meta_graphs]
    except DecodeError:
        return  # TensorFlow cannot load it either, and reports that
    for graph in graphs:
        nodes = itertools.chain(graph.node, *(function.node_def for function in graph.library.function))
        if found := sorted({node.op for node in nodes} & _REFUSED):
            raise zoo.BadWeights(
                f"The SavedModel is refused: it contains the operation {found[0]}, but a text encoder needs no files, "
                "no Python and no other machines."
            )


def load(files: Files) -> Any:
    """Load the SavedModel in these files; if the files of its variables are missing, assign the variables afterwards.

    Raises `BadWeights` if its graph has refused operations. Its files stay in a temporary folder for as long as the
    loaded object exists, because exporting it again reads them.
    """
    refuse_operations(files.get("saved_model.pb", b""))
    folder = tempfile.TemporaryDirectory(prefix="zoo-saved-model-")
    write_files(files, Path(folder.name))
    skip = not any(name.startswith(_VARIABLES) for name in files)
    loaded = tf.saved_model.load(folder.name, options=tf.saved_model.LoadOptions(experimental_skip_checkpoint=skip))
    weakref.finalize(loaded, folder.cleanup)
    return loaded


def width_of_encoder(model: Any, folder: Path) -> int:
    """The width of a text encoder's outputs, found by calling it.

    Raises `BadWeights` that says which part of TensorFlow Hub's interface for text encoders is missing.
    """
    if not callable(model) or not hasattr(model, "variables") or not hasattr(model, "trainable_variables"):
        raise zoo.BadWeights(
            f"{folder} is not a text encoder in TensorFlow Hub's format: it lacks a callable object with variables and "
            "trainable_variables (a reusable SavedModel, as exported by tf-models-official)."
        )
    try:
        outputs = model(dict.fromkeys(INPUTS, tf.ones((1, 4), "int32")), training=False)
    except (ValueError, TypeError, tf.errors.OpError):
        raise zoo.BadWeights(
            f"{folder} is not a text encoder in TensorFlow Hub's format: it cannot be called with a dict of "
            f"{', '.join(INPUTS)} (int32, (batch, tokens)) and training=False."
        ) from None
    missing = [name for name in _OUTPUTS if not isinstance(outputs, dict) or name not in outputs]
    if missing:
        raise zoo.BadWeights(
            f"{folder} is not a text encoder in TensorFlow Hub's format: its outputs lack {', '.join(missing)}."
        )
    return int(outputs["pooled_output"].shape[-1])


def check_preprocessor(model: Any, folder: Path) -> None:
    """Raise `BadWeights` if a SavedModel lacks a part of TensorFlow Hub's interface for text preprocessors."""
    missing = [name for name in ("tokenize", "bert_pack_inputs") if not callable(getattr(model, name, None))]
    if missing:
        raise zoo.BadWeights(
            f"{folder} is not a text preprocessor in TensorFlow Hub's format: it lacks {' and '.join(missing)}."
        )
