"""EfficientNet-Lite are the published networks, and their files are read without running anything from them."""

import importlib.util
import io
import pickle
import struct
import sys
import types
from pathlib import Path

import keras
import numpy as np
import pytest

import zoo
from zoo.catalog import catalog
from zoo.compose.encoder import build_encoder
from zoo_efficientnet_lite import BACKBONES
from zoo_efficientnet_lite.pth import read_pth

HERE = Path(__file__).parent
REPEATS = {
    "efficientnet_lite0": (1, 2, 2, 3, 3, 4, 1),
    "efficientnet_lite1": (1, 3, 3, 4, 4, 5, 1),
    "efficientnet_lite2": (1, 3, 3, 4, 4, 5, 1),
}


@pytest.fixture(scope="module")
def published() -> Path:
    return _published("efficientnet_lite0")


def _published(name: str) -> Path:
    from zoo.weights import obtain

    offer = catalog().backbone(name)
    return obtain(offer, offer.spec.weights[0])


@pytest.fixture(scope="module")
def reference():
    spec = importlib.util.spec_from_file_location("make_reference", HERE / "make_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("backbone", BACKBONES, ids=lambda backbone: backbone.name)
def test_it_computes_what_the_reference_implementation_does(backbone, reference):
    """Logits, and the mean of each channel after each block, of four pictures."""
    encoder = build_encoder(catalog().backbone(backbone.name))
    network, name = encoder.network, backbone.name.removeprefix("efficientnet_")
    expected = np.load(HERE / "reference.npz")
    prepared = encoder.preprocess(reference.pictures(backbone.input))

    tensors = read_pth(_published(backbone.name))
    pooled = np.asarray(network(prepared)["pooled"])
    logits = pooled @ tensors["_fc.weight"].T + tensors["_fc.bias"]
    assert logits.shape == expected[f"{name}/logits"].shape == (4, 1000)
    _assert_near(logits, expected[f"{name}/logits"], 1e-5)

    last = {layer.name.split("_")[1]: layer for layer in network.layers if layer.name.startswith("blocks_")}
    blocks = keras.Model(network.input, {number: layer.output for number, layer in last.items()})(prepared)
    assert len(blocks) == sum(key.startswith(f"{name}/block") for key in expected.files)
    for number, output in blocks.items():
        _assert_near(reference.golden(np.asarray(output)), expected[f"{name}/block{number}"], 3e-5)


def _assert_near(found, expected, share):
    assert np.abs(found - expected).max() < share * np.abs(expected).max()


@pytest.mark.parametrize("backbone", BACKBONES, ids=lambda backbone: backbone.name)
def test_its_facts_are_those_of_the_network(backbone):
    encoder = build_encoder(catalog().backbone(backbone.name), "none")
    network = encoder.network
    assert network.count_params() == backbone.params
    assert network.output["pooled"].shape == (None, backbone.dim)
    assert network.input.shape == (None, backbone.input, backbone.input, 3)
    # Stem, seven stages, head
    assert [sum(layer.name.endswith("_project_conv") for layer in stage) for stage in encoder.stages] == [
        0,
        *REPEATS[backbone.name],
        0,
    ]


def test_its_weights_are_bundled_and_converted_once(published):
    from zoo.weights import cache_folder

    (facts,) = zoo.list_backbones("efficientnet_lite0", plugin="efficientnet_lite")
    assert facts["weights"]["state"] == "bundled"
    assert facts["weights"]["bytes"] == published.stat().st_size
    (converted,) = (cache_folder() / "converted").rglob("efficientnet_lite0.weights.h5")
    before = converted.stat().st_mtime_ns
    zoo.build("efficientnet_lite0")
    assert converted.stat().st_mtime_ns == before


def _with_first_pickle(content: bytes, first: bytes) -> bytes:
    stream = io.BytesIO(content)
    pickle.Unpickler(stream).load()
    return first + content[stream.tell() :]


class _Attack:
    def __reduce__(self):
        return exec, ("raise SystemExit('code from the file ran')",)


def test_a_file_that_would_run_code_is_refused(published, tmp_path):
    path = tmp_path / "attack.pth"
    path.write_bytes(_with_first_pickle(published.read_bytes(), pickle.dumps(_Attack())))
    with pytest.raises(zoo.BadWeights, match=r"builtins\.exec"):
        read_pth(path)


def test_a_damaged_file_is_a_sentence(published, tmp_path):
    content = published.read_bytes()
    for damaged in (b"", b"no weights", content[: len(content) // 2], content[:1000], struct.pack("<q", -1) * 9):
        (tmp_path / "damaged.pth").write_bytes(damaged)
        with pytest.raises(zoo.BadWeights, match=r"damaged\.pth is not a PyTorch weights file"):
            read_pth(tmp_path / "damaged.pth")


class _Storage:
    """Four numbers, as PyTorch names them in a file."""


def _legacy(shape, strides, monkeypatch) -> bytes:
    """A file with one tensor of a storage of four numbers."""

    def _rebuild_tensor_v2(*_):
        raise AssertionError("only its name is written")

    class Tensor:
        def __reduce__(self):
            return _rebuild_tensor_v2, (_Storage(), 0, shape, strides)

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            return ("storage", "FloatStorage", "0", "cpu", 4) if isinstance(value, _Storage) else None

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    module = types.SimpleNamespace(_rebuild_tensor_v2=_rebuild_tensor_v2)
    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(_utils=module))
    monkeypatch.setitem(sys.modules, "torch._utils", module)
    stream = io.BytesIO()
    for part in (0x1950A86A20F9469CFC6C, 1001, {}, {"t": Tensor()}, ["0"]):
        Pickler(stream, 2).dump(part)
    return stream.getvalue() + struct.pack("<q4f", 4, 1, 2, 3, 4)


def test_a_small_file_cannot_claim_a_large_tensor(tmp_path, monkeypatch):
    path = tmp_path / "claims.pth"
    path.write_bytes(_legacy((2, 2), (2, 1), monkeypatch))
    assert read_pth(path)["t"].tolist() == [[1, 2], [3, 4]]
    for shape, strides in [((2**20, 2**20), (0, 0)), ((5,), (0,)), ((2**62, 4), (0, 1)), ((1, 2), (2**70, 1))]:
        path.write_bytes(_legacy(shape, strides, monkeypatch))
        with pytest.raises(zoo.BadWeights, match=r"claims\.pth is not a PyTorch weights file"):
            read_pth(path)


def test_a_local_copy_of_the_published_file_can_be_named(published, tmp_path):
    copy = tmp_path / "copy.pth"
    copy.write_bytes(published.read_bytes())
    named = zoo.build("efficientnet_lite0", weights=str(copy))
    default = zoo.build("efficientnet_lite0")
    for ours, theirs in zip(named.weights, default.weights, strict=True):
        assert np.array_equal(ours.numpy(), theirs.numpy())
    content = bytearray(copy.read_bytes())
    content[-1001] ^= 0x3F
    copy.write_bytes(content)
    altered = zoo.build("efficientnet_lite0", weights=str(copy))
    assert any((a.numpy() != b.numpy()).any() for a, b in zip(altered.weights, default.weights, strict=True))
