"""The table is what Keras has, and every encoder is what Keras computes."""

import importlib.util
import inspect
import json
from pathlib import Path

import keras
import numpy as np
import pytest
from keras.src.utils import file_utils

import zoo
from zoo.catalog import catalog
from zoo.compose.encoder import build_encoder
from zoo.weights.cache import cached_file
from zoo_keras_applications.build import network, stages
from zoo_keras_applications.table import ADDRESS, ARCHITECTURES, FAMILIES

spec = importlib.util.spec_from_file_location("make_golden", Path(__file__).with_name("make_golden.py"))
make_golden = importlib.util.module_from_spec(spec)
spec.loader.exec_module(make_golden)
GOLDEN = json.loads(make_golden.GOLDEN.read_text())["pooled"]


@pytest.fixture(autouse=True)
def _forget_models():
    """Keras remembers variables that a stateless scope left without values, and would make all of them later."""
    yield
    keras.utils.clear_session()


QUICK = ("resnet50", "inception_v3", "mobilenet_v3_small", "efficientnet_v2_b0", "vgg16")
LARGE = ("resnet", "nasnet", "vgg", "densenet", "efficientnet", "inception_resnet", "convnext")  # those beside QUICK


def _some(values, names):
    """Parameters, of which `make test` takes those with the quick names, and `make test-more` the small ones."""
    left = {name: pytest.mark.long if name.startswith(LARGE) else pytest.mark.slow for name in names}
    return [
        pytest.param(value, marks=[] if name in QUICK else [left[name]], id=name)
        for value, name in zip(values, names, strict=True)
    ]


by_name = pytest.mark.parametrize("architecture", _some(ARCHITECTURES, [a.name for a in ARCHITECTURES]))


def test_the_list_is_that_of_the_installed_keras():
    offered = {
        n
        for n, v in vars(keras.applications).items()
        if inspect.isfunction(v) and "weights" in inspect.signature(v).parameters
    }
    assert {a.function for a in ARCHITECTURES} == offered
    assert len({a.name for a in ARCHITECTURES}) == len(ARCHITECTURES)


@by_name
def test_facts_and_stages_are_those_of_keras(architecture):
    """Built without allocating the weights: a stateless scope only keeps their shapes."""
    with keras.StatelessScope(initialize_variables=False):
        base = network(architecture.function, architecture.input)
        parts = stages(base, FAMILIES[architecture.family])
        with_top = getattr(keras.applications, architecture.function)(weights=None)
    assert base.count_params() == architecture.params
    assert base.output.shape[-1] == architecture.dim
    assert architecture.input == (with_top.input.shape[1] or 224)
    assert sum(layer.count_params() for part in parts for layer in part) == architecture.params
    assert len(parts) >= 4
    if architecture.family != "nasnet":  # its cells take the outputs of the two cells before
        _check_that_one_tensor_crosses_each_cut(base, parts)


def _check_that_one_tensor_crosses_each_cut(base, parts):
    place = {id(operation): i for i, operation in enumerate(base.operations)}
    furthest = [
        max((place[id(n.operation)] for n in op._outbound_nodes if id(n.operation) in place), default=i)
        for i, op in enumerate(base.operations)
    ]
    for part in parts[1:]:
        before = place[id(part[0])] - 1
        assert max(furthest[:before], default=0) <= before


@by_name
def test_weights_are_keras_own_file_and_checksum(architecture, monkeypatch):
    """Keras is asked for its pretrained weights, and caught at the moment it would fetch them."""

    class Caught(Exception):
        pass

    def catch(fname, origin, **options):
        raise Caught(origin, options.get("file_hash") or options.get("md5_hash"))

    monkeypatch.setattr(file_utils, "get_file", catch)
    make = getattr(keras.applications, architecture.function)
    shape = (architecture.input, architecture.input, 3)
    with keras.StatelessScope(initialize_variables=False), pytest.raises(Caught) as caught:
        make(weights="imagenet", include_top=False, input_shape=shape)
    origin, digest = caught.value.args
    assert origin == ADDRESS + architecture.file
    assert (architecture.checksum or "").rpartition(":")[2] == (digest or "")


@pytest.mark.parametrize("name", _some(sorted(GOLDEN), sorted(GOLDEN)))
def test_preprocessing_and_network_give_the_golden_activations(name):
    encoder = build_encoder(catalog().backbone(name), "none")
    make_golden.fill(encoder.network)
    pixels = make_golden.picture(catalog().backbone(name).spec.input)
    pooled = np.asarray(encoder.network(encoder.preprocess(pixels))["pooled"])[0, :8]
    assert np.isfinite(pooled).all()
    assert np.ptp(pooled) > 0
    assert pooled == pytest.approx(GOLDEN[name], rel=1e-3, abs=1e-4 * np.abs(GOLDEN[name]).max())


def test_golden_activations_hold_every_family():
    assert {a.family for a in ARCHITECTURES if a.name in GOLDEN} == set(FAMILIES)


def test_a_file_in_the_cache_is_used_as_keras_writes_it(tmp_path, monkeypatch):
    """The published files have Keras's older HDF5 layout; one of that layout is laid into the cache."""
    import h5py
    from keras.src.legacy.saving import legacy_h5_format

    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    offer = catalog().backbone("mobilenet_v3_small")
    base = network("MobileNetV3Small", 224)
    make_golden.fill(base)
    path = cached_file(offer.spec.weights[0].source, "of the file")
    path.parent.mkdir(parents=True)
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, base)
    assert zoo.list_backbones("mobilenet_v3_small")[0]["weights"]["state"] == "cached"
    with pytest.raises(zoo.WeightsUnavailable):  # it has another checksum
        build_encoder(offer)
    encoder = build_encoder(offer, str(path))
    for ours, theirs in zip(encoder.network.weights, base.weights, strict=True):
        assert np.array_equal(ours.numpy(), theirs.numpy())


def test_a_file_saved_from_the_network_is_read_again(tmp_path):
    offer = catalog().backbone("mobilenet_v3_small")
    saved = build_encoder(offer, "none")
    make_golden.fill(saved.network)
    saved.network.save_weights(tmp_path / "own.weights.h5")
    read = build_encoder(offer, str(tmp_path / "own.weights.h5"))
    for ours, theirs in zip(read.network.weights, saved.network.weights, strict=True):
        assert np.array_equal(ours.numpy(), theirs.numpy())


def test_licences_of_code_and_weights_are_two_facts():
    (vgg,) = zoo.list_backbones("vgg16")
    assert (vgg["licence"], vgg["weights"]["licence"]) == ("Apache-2.0", "CC-BY-4.0")
