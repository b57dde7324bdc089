"""A SavedModel is a program: it is announced as one, and refused where its graph reaches for files or for Python."""

import zipfile
from pathlib import Path

import pytest
import tensorflow as tf

import zoo
from zoo_tfhub_bert.saved_model import load, read_files


def _save(module: tf.Module, folder: Path) -> Path:
    tf.saved_model.save(module, str(folder))
    return folder


def _writes(folder: Path) -> Path:
    target = str(folder.parent / "touched")

    class Writes(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None,), tf.string)])
        def __call__(self, texts):
            tf.io.write_file(target, "owned")
            return texts

    return _save(Writes(), folder)


def _reads(folder: Path) -> Path:
    class Reads(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None,), tf.string)])
        def __call__(self, texts):
            return tf.strings.join([texts, tf.io.read_file("/etc/hostname")])

    return _save(Reads(), folder)


def _runs_python(folder: Path) -> Path:
    class Runs(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None,), tf.string)])
        def __call__(self, texts):
            return tf.py_function(lambda x: x, [texts], tf.string)

    return _save(Runs(), folder)


def _hides_in_a_branch(folder: Path) -> Path:
    class Hides(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None,), tf.string)])
        def __call__(self, texts):
            return tf.cond(tf.size(texts) > 7, lambda: tf.io.read_file("/etc/hostname")[None], lambda: texts)

    return _save(Hides(), folder)


@pytest.mark.parametrize(
    ("make", "operation"),
    [(_writes, "WriteFile"), (_reads, "ReadFile"), (_runs_python, "EagerPyFunc"), (_hides_in_a_branch, "ReadFile")],
)
def test_a_graph_that_reaches_for_what_is_not_its_own_is_refused(make, operation, tmp_path):
    folder = make(tmp_path / "model")
    with pytest.raises(zoo.BadWeights, match=f"is refused: it contains the operation {operation}"):
        load(read_files(folder, variables=True))
    assert not (tmp_path / "touched").exists()


def test_a_savedmodel_that_is_named_is_announced_as_a_program(tmp_path, capsys):
    with zipfile.ZipFile(Path(__file__).with_name("tiny_bert.zip")) as archive:
        archive.extractall(tmp_path / "tiny")
    zoo.build("bert", weights=str(tmp_path / "tiny"))
    assert f"{tmp_path / 'tiny'} contains a SavedModel, a program that runs with your rights" in capsys.readouterr().err
