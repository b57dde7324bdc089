"""The parity contract: called, called again, predicted, and loaded in a fresh process, a model says the same.

Held for every head, with pictures of other sizes than the network's; for one member of every backbone family the
conformance kit holds it (tests/testing).
"""

import json
import subprocess
import sys

import numpy as np
import pytest

import zoo
from zoo.catalog import catalog
from zoo.compose.encoder import build_encoder
from zoo.compose.head import make_task
from zoo.compose.model import compose
from zoo.runs.model_file import Card, load_model, load_parts, save_model

HEADS = {offer.name: offer for offer in catalog().heads if "image" in offer.spec.modalities}
TARGETS = {"multilabel": ["1|2", "4", "|"]}
FRESH = """
import sys, numpy, keras
model = keras.models.load_model(sys.argv[1])
assert "zoo" not in sys.modules
numpy.save(sys.argv[3], model(numpy.load(sys.argv[2])))
"""


def _pictures(height: int, width: int) -> np.ndarray:
    """Three smooth pictures with the full range of grey levels."""
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    waves = [np.sin(2 * np.pi * (f * x + g * y)) for f, g in ((1, 2), (3, 1), (0.5, 4))]
    picture = (np.stack(waves, -1) + 1) * 127.5
    return np.stack([picture, 255 - picture, picture[::-1]]).astype("float32")


@pytest.fixture(scope="module", params=[("efficientnet_lite0", "default"), ("resnet50_v2", "none")], ids=lambda p: p[0])
def encoder(request):
    """The offer of a backbone, and its encoder."""
    backbone, weights = request.param
    return catalog().backbone(backbone), build_encoder(catalog().backbone(backbone), weights)


@pytest.mark.parametrize("head", HEADS)
def test_every_way_to_ask_a_model_gives_the_same_answer(encoder, head, tmp_path):
    offer, built = encoder
    head_offer = HEADS[head]
    task = make_task(head_offer, {})
    if head_offer.spec.trained:
        task.learn(TARGETS.get(head, ["1", "2", "4", "10"]), ("label",))
    composed = compose(built, task, head_offer.spec)
    model, path = composed.model, tmp_path / "model.keras"
    about = {"backbone": offer.name, "head": head, "modality": "image", "task": task.state()}
    card = Card(**about, parts=composed.signatures())
    save_model(model, card, path)
    loaded = load_model(path)
    parts = load_parts(loaded, card, path)
    preprocess, rest = parts.preprocess, parts.from_prepared
    own_size = [(offer.spec.input, offer.spec.input)] if head == "classification" else []
    for height, width in [(97, 160), *own_size]:
        pixels = _pictures(height, width)
        first = np.asarray(model(pixels))
        assert np.isfinite(first).all()
        answers = {
            "called again": model(pixels),
            "predicted": model.predict(pixels, verbose=0),
            "reloaded": loaded(pixels),
            "reloaded and predicted": loaded.predict(pixels, verbose=0),
            "prepared one by one": rest(np.concatenate([preprocess(picture[None]) for picture in pixels])),
        }
        differences = {way: float(np.abs(np.asarray(answer) - first).max()) for way, answer in answers.items()}
        assert max(differences.values()) <= 1e-5, differences


def test_a_run_opens_in_a_fresh_process_that_does_not_know_zoo(finished_run, tmp_path):
    pixels = _pictures(120, 77)
    np.save(tmp_path / "pixels.npy", pixels)
    command = [sys.executable, "-c", FRESH, finished_run / "model.keras", tmp_path / "pixels.npy", tmp_path / "out.npy"]
    subprocess.run(command, check=True, capture_output=True)
    assert np.abs(np.load(tmp_path / "out.npy") - np.asarray(zoo.load_run(finished_run).model(pixels))).max() <= 1e-5


def test_the_model_file_holds_the_class_names_in_natural_order(finished_run, tmp_path):
    import zipfile

    card = json.loads(zipfile.ZipFile(finished_run / "model.keras").read("zoo.json"))
    assert card["task"]["labels"] == ["birds", "bugs", "fruit", "mammals", "music", "vehicles"]
    task = make_task(HEADS["classification"], {})
    task.learn(["10", "2", "1"], ("label",))
    assert task.state()["labels"] == ["1", "2", "10"]
