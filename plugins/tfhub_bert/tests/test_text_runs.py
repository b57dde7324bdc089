"""Text from the command line: train, predict, evaluate; the parity contract; and no network at all."""

import csv
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo.catalog import catalog
from zoo.catalog.specs import combine
from zoo.compose.encoder import build_encoder
from zoo.compose.head import make_task
from zoo.compose.model import compose
from zoo.runs.model_file import Card, load_model, load_parts, save_model

BERT = catalog().backbone("bert")
HEADS = {offer.name: offer for offer in catalog().heads if combine(BERT.spec, offer.spec)}
TARGETS = {"multilabel": ["1|2", "4", "|"], "token_classification": [("O", "B-1"), ("I-1",)]}
NO_NETWORK = """
import socket, sys
def refuse(*arguments, **named): raise OSError("no name resolution")
socket.getaddrinfo = socket.create_connection = refuse
from zoo.cli.main import main
main()
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    with zipfile.ZipFile(Path(__file__).with_name("tiny_bert.zip")) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def reviews(tmp_path_factory) -> Path:
    """48 short reviews, whose stars and label hang on one word."""
    path = tmp_path_factory.mktemp("data") / "reviews.csv"
    words = {"good": 4.5, "great": 5.0, "bad": 1.5, "awful": 1.0}
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "text_b", "stars", "label"])
        for i in range(48):
            word = list(words)[i % 4]
            label = "up" if words[word] > 3 else "down"
            writer.writerow([f"the film was {word} {'very ' * (i // 4)}", f"it was {word}", words[word], label])
    return path


@pytest.fixture(scope="module", params=["bert", "minilm_l6"])
def encoder(request, tiny):
    """The name of a backbone, and its encoder."""
    weights = str(tiny) if request.param == "bert" else "default"
    return request.param, build_encoder(catalog().backbone(request.param), weights)


@pytest.mark.parametrize("head", HEADS)
def test_every_way_to_ask_a_model_gives_the_same_answer(encoder, head, tmp_path):
    import tensorflow as tf

    backbone, built = encoder
    task, spec = make_task(HEADS[head], {}), HEADS[head].spec
    if spec.trained:
        task.learn(TARGETS.get(head, ["1", "2", "4"]), ("label",))
    composed, path = compose(built, task, spec), tmp_path / "model.keras"
    about = {"backbone": backbone, "head": head, "modality": "text", "task": task.state(), "reads": spec.reads}
    card, model = Card(**about, parts=composed.signatures()), composed.model
    save_model(model, card, path)
    loaded = load_model(path)
    parts = load_parts(loaded, card, path)
    texts = tf.constant(["the good film", "a very bad movie, it was awful!", "", "ünï çødé 大 😀"])
    inputs = [texts, texts[::-1]] if spec.reads == "pair" else texts
    first = np.asarray(model(inputs))
    answers = {
        "called again": model(inputs),
        "predicted": model.predict(inputs, verbose=0),
        "reloaded": loaded(inputs),
        "reloaded and predicted": loaded.predict(inputs, verbose=0),
        "prepared": parts.from_prepared(parts.preprocess(inputs)),
    }
    assert np.isfinite(first).all()
    differences = {way: float(np.abs(np.asarray(answer) - first).max()) for way, answer in answers.items()}
    assert max(differences.values()) <= 1e-5 * max(1.0, float(np.abs(first).max())), differences


@pytest.mark.parametrize(
    ("head", "target", "figure"),
    [
        ("classification", "label", "accuracy"),
        ("regression", "stars", "pearson_r"),
        ("pair_regression", "stars", "mae"),
    ],
)
def test_a_foreign_encoder_is_fine_tuned_and_answers_without_its_folder(
    head, target, figure, tiny, reviews, tmp_path, zoo_command
):
    import shutil

    own = shutil.copytree(tiny, tmp_path / "own")
    options = {"head": head, "target": target, "unfreeze": "all", "epochs": 12, "lr": 0.02, "weights": own}
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    trained = zoo_command("train", "bert", reviews, *arguments, "--out", tmp_path / "run", "--json")
    assert trained.returncode == 0, trained.stderr
    summary = json.loads(trained.stdout)
    assert figure in summary["metrics"]
    linear = summary["baseline"]["metrics"]
    assert figure in linear
    assert summary["metrics"].get("cross_entropy", 0) <= linear.get("cross_entropy", 0) * 1.05  # in bfloat16
    rows = list(csv.DictReader((tmp_path / "run" / "history.csv").open()))
    losses = [float(row["loss"]) for row in rows if row["phase"] == "fine-tuning"]
    assert min(losses[1:]) < losses[0]
    provenance = json.loads((tmp_path / "run" / "provenance.json").read_text())
    assert len(provenance["weights"]["sha256"]) == 64

    shutil.rmtree(own)
    run = zoo.load_run(tmp_path / "run")
    assert len(run.predict([reviews])) == 48
    judged = run.evaluate(reviews, target_column=target, split="all")
    assert (judged.examples, judged.skipped) == (48, [])


def test_after_a_pull_everything_works_with_the_network_cut_off(reviews, tmp_path, zoo_command):
    pulled = zoo_command("pull", "minilm_l6")
    assert pulled.returncode == 0, pulled.stderr

    def cut_off(*arguments: object) -> str:
        command = [sys.executable, "-c", NO_NETWORK, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    (listed,) = json.loads(cut_off("list", "minilm_l6", "--plugin", "tfhub_bert", "--json"))
    assert listed["weights"]["state"] == "cached"
    cut_off("train", "minilm_l6", reviews, "--out", tmp_path / "run")
    answer, unknown = json.loads(cut_off("predict", tmp_path / "run", "the film was very good", "", "--json"))
    assert answer["label"] == "up"
    assert unknown["error"] == "empty text"
    assert "accuracy" in cut_off("evaluate", tmp_path / "run", reviews)


def test_a_wrong_combination_is_refused_with_the_right_ones(reviews, clipart, tmp_path):
    with pytest.raises(zoo.BadPlan, match=r"pair_regression does not combine with efficientnet_lite0 \(image\)"):
        zoo.train("efficientnet_lite0", clipart, head="pair_regression", out=tmp_path / "run")
    with pytest.raises(zoo.BadPlan, match="These do: classification, embedding, multilabel, regression"):
        zoo.train("efficientnet_lite0", clipart, head="pair_regression", out=tmp_path / "run")


def test_the_same_seed_gives_the_same_weights_though_dropout_is_active(reviews, tmp_path):
    runs = [zoo.train("minilm_l6", reviews, unfreeze=1, epochs=1, out=tmp_path / name, seed=3) for name in ("a", "b")]
    for one, other in zip(*(run.model.get_weights() for run in runs), strict=True):
        assert np.array_equal(one, other)


@pytest.fixture
def names(tmp_path) -> Path:
    """Sentences of 3 to 30 words, in which whoever follows "Mr" is a person."""
    path = tmp_path / "names.conll"
    people = ["Smith", "Jones", "Ng", "Okafor", "Li"]
    with path.open("w") as file:
        for i in range(60):
            for word in ["well"] * (i % 28):
                file.write(f"{word} O\n")
            file.write(f"Mr O\n{people[i % 5]} B-PER\nspoke O\n\n")
    return path


@pytest.mark.parametrize("unfreeze", [0, 2])
def test_words_are_tagged_after_training_on_sentences_of_all_lengths(unfreeze, names, tmp_path):
    run = zoo.train("minilm_l6", names, head="token_classification", unfreeze=unfreeze, out=tmp_path / "run")
    assert run.metrics["f1"] > 0.9
    opened = zoo.load_run(run.path)
    (answer,) = opened.predict(["Mr Li spoke, well."])
    assert answer["words"] == ["Mr", "Li", "spoke", ",", "well", "."]
    assert answer["entities"][0] == {"label": "PER", "text": "Li", "start": 1, "end": 2}
    assert opened.evaluate(names).metrics["f1"] > 0.9
    assert next(csv.DictReader((run.path / "split.csv").open()))["target"] == "O B-PER O"


def test_features_of_words_come_back_from_their_file_as_they_were(names):
    from zoo.compose.head import make_task
    from zoo.compose.model import compose
    from zoo.compose.partition import partition
    from zoo.data.batches import Preprocessing
    from zoo.data.check import check
    from zoo.data.layout import Layout
    from zoo.data.sources import read_source
    from zoo.features.extractor import Extractor
    from zoo.inference.options import Inference

    head, layout = catalog().head("token_classification"), Layout("text", "words")
    task = make_task(head, {})
    examples = check(read_source(names, layout, task), layout.reader).items
    task.learn([e.target for e in examples], ("tags",))
    offer = catalog().backbone("minilm_l6")
    composed = compose(build_encoder(offer), task, head.spec)
    composed.encoder.unfreeze(0)
    options, front = Inference("float32", "tensorflow"), partition(composed).front
    preprocessing = Preprocessing(composed.preprocess, layout.reader)
    features = Extractor(offer, None, preprocessing, front, options).features(examples)
    some = [examples[row] for row in (40, 3, 27)]
    contents = [example.content for example in some]
    encoder = composed.encoder
    direct = encoder.network(encoder.preprocess(np.array([example.raw for example in some])))
    mask, expected_mask = features.read("mask", contents), np.asarray(direct["mask"])
    width = expected_mask.shape[1]
    assert (mask[:, :width] == expected_mask).all()
    assert not mask[:, width:].any()
    difference = features.read("sequence", contents)[:, :width] - np.asarray(direct["sequence"])
    assert np.abs(difference * expected_mask[..., None]).max() < 1e-4


def test_sentences_of_one_meaning_have_near_vectors(reviews, tmp_path, zoo_command):
    from pyarrow import parquet

    done = zoo_command("embed", "minilm_l6", reviews, "--out", tmp_path / "vectors.parquet")
    assert done.returncode == 0, done.stderr
    assert "48 vectors of 384 numbers" in done.stdout
    table = parquet.read_table(tmp_path / "vectors.parquet")
    assert table["text"].to_pylist()[0] == "the film was good "
    vectors = np.array(table["vector"].to_pylist())
    cosine = zoo.embed("minilm_l6", ["the film was good "]).values[0] @ vectors[0]
    assert cosine == pytest.approx(1, abs=1e-5)


def test_what_is_not_finite_leaves_a_run_that_can_be_finished_and_a_program_that_is_announced(
    tiny, reviews, tmp_path, zoo_command
):
    out = tmp_path / "run"
    options = ("--weights", tiny, "--unfreeze", "all", "--lr", "1e30", "--target", "label")
    failed = zoo_command("train", "bert", reviews, *options, "--out", out)
    assert failed.returncode == 1
    assert f"To finish with the best weights so far: zoo resume {out} --finish" in failed.stderr
    finished = zoo_command("resume", out, "--finish", "--json")
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout)["baseline"]["kept"]

    about = json.loads((out / "provenance.json").read_text())
    about["weights"]["licence"] = "Apache-2.0"  # whoever changes the model can change this, too
    (out / "provenance.json").write_text(json.dumps(about))
    asked = zoo_command("predict", out, "a good film")
    assert f"Note: {out} contains a SavedModel, a program that runs with your rights." in asked.stderr
