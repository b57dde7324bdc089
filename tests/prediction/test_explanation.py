"""Explanations say what is known to be true: of pictures and texts whose class hangs on one place or one word.

What is explained has to come from the model, so with random weights it must not be found (Adebayo et al., "Sanity
Checks for Saliency Maps", 2018).
"""

import csv
import random
import re

import keras
import numpy as np
import pytest
from PIL import Image

import zoo
from zoo.catalog import catalog
from zoo.compose.encoder import build_encoder
from zoo.compose.head import make_task
from zoo.compose.model import compose
from zoo.data.reader import reader
from zoo.prediction.explainer import Explainer
from zoo.prediction.predictor import Predictor

FILLER = re.findall(
    r"\w+",
    "the a my our this that we they it was is on at with for from table river station window letter garden morning "
    "street number paper teacher engine bottle summer corner market",
)
KEYS = {"violin": "music", "piano": "music", "pear": "fruit", "banana": "fruit"}
COLOURS = {"red": (220, 30, 30), "blue": (30, 60, 220)}
GREEN = (30, 160, 60)
SIDE, PATCH = 192, 64


@pytest.fixture(scope="module")
def corners(tmp_path_factory):
    """A run on 96 grey textures, each with a red or blue corner, which decides, and a green one, which does not."""
    folder, numbers = tmp_path_factory.mktemp("corners"), np.random.default_rng(0)
    for number in range(96):
        label, corner = list(COLOURS)[number % 2], number // 2 % 4
        texture = Image.fromarray(numbers.integers(0, 255, (12, 12), "uint8")).resize((SIDE, SIDE), Image.BICUBIC)
        pixels = np.asarray(texture, "float64")[..., None] + numbers.normal(0, 20, (SIDE, SIDE, 1)).repeat(3, -1)
        other = (corner + 1 + number // 8 % 3) % 4
        for place, colour in ((corner, COLOURS[label]), (other, GREEN)):
            top, left = (place // 2) * (SIDE - PATCH), (place % 2) * (SIDE - PATCH)
            patch = pixels[top : top + PATCH, left : left + PATCH]
            patch[:] = 0.2 * patch + 0.8 * np.array(colour)
        (folder / "data" / label).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.clip(0, 255).astype("uint8")).save(folder / "data" / label / f"{number}_{corner}.png")
    return zoo.train("efficientnet_lite0", folder / "data", val_fraction=0.34, out=folder / "run")


@pytest.fixture(scope="module")
def validation(corners):
    return [corners.path.parent / "data" / name for name in corners.predictions["input"].to_pylist()]


def _hits(explained):
    """For each picture, whether the hottest place is in its corner, and the share of the heat there."""
    found = []
    for one in explained:
        corner, half = int(one.input.removesuffix(".png").rpartition("_")[2]), SIDE // 2
        top, left = (corner // 2) * half, (corner % 2) * half
        row, column = np.unravel_index(one.heat.argmax(), one.heat.shape)
        inside = one.heat[top : top + half, left : left + half].sum() / max(one.heat.sum(), 1e-9)
        found.append((top <= row < top + half and left <= column < left + half, inside))
    return np.mean([hit for hit, _ in found]), np.mean([share for _, share in found])


def test_the_heat_is_in_the_corner_that_decides_and_with_random_weights_it_is_not(corners, validation):
    explained = corners.explain(validation)
    assert {(one.method, one.heat.shape, one.grid.shape) for one in explained} == {("Grad-CAM", (192, 192), (7, 7))}
    assert {one.heat.dtype for one in explained} == {np.dtype("float32")}
    assert all(one.heat.min() >= 0 and one.heat.max() == 1 for one in explained)
    hits, share = _hits(explained)
    assert len(explained) >= 32
    assert (hits >= 0.95, share >= 0.75) == (True, True), (hits, share)

    entries = [(str(one), one, "") for one in validation]
    random_hits = []
    for seed in range(3):
        keras.utils.set_random_seed(seed)
        explainer, _ = made("efficientnet_lite0", "none", "classification", ["blue", "red"])
        random_hits.append(_hits(explainer.explain(entries, "")))
    assert np.mean(random_hits, axis=0).max() <= 0.45, random_hits


def made(backbone, weights, head, targets, columns=("label",)):
    """The explainer and the parts of a model that is not trained, but for its backbone."""
    offer, spec = catalog().backbone(backbone), catalog().head(head)
    task = make_task(spec, {})
    task.learn(targets, columns)
    parts = compose(build_encoder(offer, str(weights)), task, spec.spec)
    predictor = Predictor(parts, reader(offer.spec.modality), task)
    return Explainer(predictor, offer.spec.modality, spec.spec.reads == "words", lambda: parts), parts


@pytest.fixture(scope="module")
def sentences(tmp_path_factory):
    """A run on 160 sentences without sense, in which one of four words says the class."""
    folder, chosen = tmp_path_factory.mktemp("sentences"), random.Random(0)
    with (folder / "texts.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for number in range(160):
            words = chosen.sample(FILLER, chosen.randint(6, 12))
            key = list(KEYS)[number % 4]
            words.insert(chosen.randrange(len(words) + 1), key)
            writer.writerow([" ".join(words), KEYS[key]])
    return zoo.train("minilm_l6", folder / "texts.csv", out=folder / "run")


def _key_first(explained):
    """The share of texts whose key word has the largest share, by its size; and what chance would give."""
    first, chance = [], []
    for one in explained:
        words = [(piece, abs(share)) for piece, share in one.texts[0] if piece.strip()]
        first.append(max(words, key=lambda word: word[1])[0] in KEYS)
        chance.append(1 / len(words))
    return np.mean(first), np.mean(chance)


def test_the_word_that_decides_has_the_largest_share_and_with_random_weights_it_has_not(sentences):
    rows = [int(name.removeprefix("row ")) for name in sentences.predictions["input"].to_pylist()]
    with (sentences.path.parent / "texts.csv").open() as file:
        lines = [row[0] for row in csv.reader(file)]
    texts = [lines[row - 1] for row in rows]
    explained = sentences.explain(texts)
    assert {one.method for one in explained} == {"integrated gradients"}
    assert not [one.note for one in explained if one.note]
    assert all(sum(abs(share) for _, share in one.texts[0]) == pytest.approx(1) for one in explained)
    first, chance = _key_first(explained)
    assert len(texts) >= 32
    assert first >= 0.95

    rates = []
    for seed in range(3):
        numbers = np.random.default_rng(seed)
        explainer, parts = made("minilm_l6", "default", "classification", ["fruit", "music"])
        for weight in [*parts.network.variables, *parts.head.variables]:
            if weight.dtype == "float32" and len(weight.shape) > 1:
                weight.assign(numbers.normal(0, weight.numpy().std(), weight.shape))
        rates.append(_key_first(explainer.explain([(text, text, "") for text in texts[:16]], ""))[0])
    # Texts with the same word are no independent trials, so there are four for each seed
    assert np.mean(rates) <= chance + 3 * (chance * (1 - chance) / (3 * len(KEYS))) ** 0.5, (rates, chance)
