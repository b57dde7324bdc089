"""Errors are blamed on what they are about, and what is kept is kept for what it was made from."""

import keras
import pytest
import tensorflow as tf

import zoo
from zoo.features.extractor import _structure
from zoo.inference.memory import with_fewer_where_needed
from zoo.plan import Phase, Plan, Recipe
from zoo.runs.predictions import _blamed_on_the_head
from zoo.runs.vetting import not_read
from zoo.training.provenance import Seconds
from zoo.training.recipe import changed


@pytest.mark.parametrize("said", ["OOM when allocating tensor", "Out of memory while trying to allocate 4.00TiB"])
def test_where_memory_is_short_there_are_fewer_examples_at_a_time_whoever_says_it(said):
    def run(batch_size):
        if batch_size > 8:
            raise tf.errors.ResourceExhaustedError(None, None, said)
        return batch_size

    assert with_fewer_where_needed(32, run) == 8


def test_a_full_disk_is_a_full_disk():
    def run(batch_size):
        raise tf.errors.ResourceExhaustedError(None, None, "logs/events; No space left on device")

    with pytest.raises(zoo.ZooError, match=r"cannot write: .*No space left on device\. Free some disk space"):
        with_fewer_where_needed(32, run)


@pytest.mark.parametrize("error", [MemoryError(), OSError(5, "Input/output error"), zoo.BadData("a sentence")])
def test_what_a_head_cannot_help_is_not_blamed_on_it(error):
    with pytest.raises(type(error)), _blamed_on_the_head("scores"):
        raise error


def test_a_model_file_that_may_not_be_read_is_not_called_damaged(tmp_path):
    refused = not_read(tmp_path / "model.keras", PermissionError(13, "Permission denied"))
    assert str(refused).endswith("model.keras cannot be read: Permission denied.")
    assert "is damaged" in str(not_read(tmp_path / "model.keras", KeyError("config.json")))


def _network(activation):
    entry = keras.Input((4,), name="entry")
    return keras.Model(entry, {"pooled": keras.layers.Dense(2, activation=activation)(entry)})


def test_features_are_those_of_one_network_alone():
    assert _structure(_network("relu")) == _structure(_network("relu")) != ""
    assert _structure(_network("relu")) != _structure(_network("gelu"))


def test_a_plan_with_other_epochs_keeps_its_patience_to_them():
    whole = Phase(unfreeze="all", epochs=6, learning_rate=1e-3, patience=6)
    some = Phase(unfreeze=0, epochs=6, learning_rate=1e-3, patience=2)
    phases = changed(Plan(backbone="b", data="d", phases=(whole, some)), Recipe(epochs=20), {}, {"epochs"}).phases
    assert [(phase.epochs, phase.patience) for phase in phases] == [(20, 20), (20, 2)]


def test_seconds_are_counted_over_several_processes():
    seconds = Seconds()
    seconds.add({"head": 60.0})
    with seconds.of("head"):
        assert seconds.so_far()["head"] >= 60.0
        assert seconds.spent == {"head": 60.0}
    assert list(seconds.spent) == ["head"]
    assert seconds.spent["head"] >= 60.0
