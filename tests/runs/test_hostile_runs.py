"""Files that somebody made to do harm: each is refused with a sentence, and nothing of it has happened."""

import io
import json
import os
import pickle
import shutil
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import zoo
from zoo.runs.folder import RunFolder
from zoo.training.checkpoint import Checkpoint, Checkpoints, Position


@pytest.fixture
def run(finished_run, tmp_path) -> Path:
    """A copy of a good run, to be spoilt."""
    shutil.copytree(finished_run, tmp_path / "run")
    return tmp_path / "run"


def _rewrite(run: Path, changes: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> None:
    """Put other members into the run's model file."""
    with zipfile.ZipFile(run / "model.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()} | changes
    with zipfile.ZipFile(run / "model.keras", "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def _config(run: Path) -> dict:
    with zipfile.ZipFile(run / "model.keras") as archive:
        return json.loads(archive.read("config.json"))


def _refused(run: Path, unseen: Path, said: str) -> None:
    around = sorted(run.parent.rglob("*"))
    with pytest.raises(zoo.BadRun, match=said):
        zoo.load_run(run).predict([unseen / "violin.png"])
    assert sorted(run.parent.rglob("*")) == around


CLASSES = {
    "a function of the system": ({"module": "os", "class_name": "system"}, r"os\.system"),
    "a built-in function": ({"module": "builtins", "class_name": "eval"}, r"builtins\.eval"),
    "a class of the standard library": ({"module": "subprocess", "class_name": "Popen"}, r"subprocess\.Popen"),
    "a class under another's name": (
        {"module": "os", "class_name": "system", "registered_name": "Conv2D"},
        r"os\.system",
    ),
    "a download": ({"module": "keras.utils", "class_name": "get_file"}, r"keras\.utils\.get_file"),
    "Keras's own insides": ({"module": "keras.src.utils.python_utils", "class_name": "func_load"}, "func_load"),
    "loading a model": ({"module": "keras.saving", "class_name": "load_model"}, r"keras\.saving\.load_model"),
    "a Lambda": ({"module": "keras.layers", "class_name": "Lambda"}, "its layer Lambda can run code"),
    "a Lambda of the insides": ({"module": "keras.src.layers.core.lambda_layer", "class_name": "Lambda"}, "Lambda"),
    "a SavedModel from a folder": ({"module": "keras.layers", "class_name": "TFSMLayer"}, "layer TFSMLayer can run"),
    "a pickled module": ({"module": "keras.layers", "class_name": "TorchModuleWrapper"}, "TorchModuleWrapper"),
    "a vocabulary from a file": (
        {"module": "keras.layers", "class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}},
        "reads the file '/etc/passwd'",
    ),
}


@pytest.mark.parametrize(("node", "said"), CLASSES.values(), ids=CLASSES)
def test_a_class_that_is_no_part_of_a_network_is_refused(node, said, run, unseen):
    config = _config(run)
    victim = config["config"]["layers"][1]
    victim |= {"registered_name": None} | node
    _rewrite(run, {"config.json": json.dumps(config).encode()})
    _refused(run, unseen, said)


def test_a_class_hidden_deep_in_a_layers_settings_is_refused(run, unseen):
    config = _config(run)
    inner = config["config"]["layers"][2]["config"]
    inner["layers"][3]["config"]["kernel_initializer"] = {"module": "os", "class_name": "system", "config": {"x": "id"}}
    _rewrite(run, {"config.json": json.dumps(config).encode()})
    _refused(run, unseen, r"os\.system")


MEMBERS = {
    "above": ("../outside.txt", "outside its folder"),
    "absolute": ("/tmp/outside.txt", "outside its folder"),
    "hidden in the middle": ("assets/../../outside.txt", "outside its folder"),
    "with backslashes": ("assets\\..\\..\\outside.txt", "outside its folder"),
}


@pytest.mark.parametrize(("name", "said"), MEMBERS.values(), ids=MEMBERS)
def test_a_member_that_would_land_elsewhere_is_refused(name, said, run, unseen):
    _rewrite(run, {name: b"owned"})
    _refused(run, unseen, said)


def test_an_archive_that_unpacks_to_many_times_its_size_is_refused(run, unseen):
    _rewrite(run, {"assets/zeros": bytes(600_000_000)}, zipfile.ZIP_DEFLATED)
    assert (run / "model.keras").stat().st_size < 20_000_000
    _refused(run, unseen, "would unpack to more than 20 times its size")


def test_two_members_of_one_name_are_refused(run, unseen):
    with zipfile.ZipFile(run / "model.keras", "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("config.json", b"{}")
    _refused(run, unseen, "several members with the same name")


def test_nesting_without_end_is_refused(run, unseen):
    _rewrite(run, {"config.json": b"[" * 200_000})
    _refused(run, unseen, "is damaged, or is not a model that zoo wrote")
    _rewrite(run, {"zoo.json": b"[" * 200_000})
    _refused(run, unseen, "is damaged, or is not a model that zoo wrote")


def test_a_model_in_keras_old_format_is_refused_whatever_its_name(run, unseen, tmp_path):
    import keras

    entry = keras.Input((2,))
    model = keras.Model(entry, keras.layers.Lambda(lambda x: x * 2)(entry))
    model.save(tmp_path / "old.h5")
    (tmp_path / "old.h5").replace(run / "model.keras")
    _refused(run, unseen, "is damaged, or is not a model that zoo wrote")


def _with_foreign_numbers(path: Path, secret: Path, kind: str) -> None:
    """An HDF5 file in which one array is not its own."""
    with h5py.File(path, "r+") as file:
        names: list[str] = []
        file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
        name = next(name for name in names if file[name].ndim == 1)
        size = file[name].shape
        del file[name]
        if kind == "external data":
            file.create_dataset(name, shape=size, dtype="f4", external=[(str(secret), 0, size[0] * 4)])
        elif kind == "external link":
            file[name] = h5py.ExternalLink(str(secret), "/secret")
        elif kind == "virtual data":
            layout = h5py.VirtualLayout(shape=size, dtype="f4")
            layout[:] = h5py.VirtualSource(str(secret), "secret", shape=size)
            file.create_virtual_dataset(name, layout)


@pytest.mark.parametrize("kind", ["external data", "external link", "virtual data"])
def test_weights_that_take_their_numbers_from_another_file_are_refused(kind, run, unseen, tmp_path):
    import keras

    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["secret"] = np.ones(4096, "f4")
    with zipfile.ZipFile(run / "model.keras") as archive:
        (tmp_path / "inner.h5").write_bytes(archive.read("model.weights.h5"))
    _with_foreign_numbers(tmp_path / "inner.h5", secret, kind)
    _rewrite(run, {"model.weights.h5": (tmp_path / "inner.h5").read_bytes()})
    _refused(run, unseen, "is refused|cannot be loaded as a model")

    network = keras.applications.MobileNetV2(weights=None, include_top=False, input_shape=(224, 224, 3))
    network.save_weights(tmp_path / "given.weights.h5")
    _with_foreign_numbers(tmp_path / "given.weights.h5", secret, kind)
    with pytest.raises(zoo.BadWeights, match="is refused"):
        zoo.build("mobilenet_v2", weights=str(tmp_path / "given.weights.h5"))


class _Attack:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def test_a_checkpoint_with_a_pickle_in_it_is_passed_over(tmp_path, capsys):
    folder = RunFolder(tmp_path)
    checkpoints = Checkpoints(folder)
    checkpoints.save(Checkpoint(Position(epoch=1), arrays={"model/0": np.ones(3, "float32")}))
    attacked = io.BytesIO()
    np.savez(attacked, facts=np.array([_Attack(tmp_path / "touched")], dtype=object))
    (tmp_path / "checkpoints/000002.npz").write_bytes(attacked.getvalue())
    found = checkpoints.load()
    assert found is not None
    assert found.position.epoch == 1
    assert "000002.npz is damaged" in capsys.readouterr().err
    (tmp_path / "checkpoints/000003.npz").write_bytes(pickle.dumps(_Attack(tmp_path / "touched")))
    assert checkpoints.load() == found
    assert not (tmp_path / "touched").exists()
