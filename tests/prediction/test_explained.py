"""What is explained, of which inputs, by which method; and how it is shown."""

import html
import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import keras
import msgspec
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.catalog import catalog
from zoo.compose.encoder import build_encoder
from zoo.compose.head import make_task
from zoo.compose.model import Parts, compose
from zoo.data.reader import reader
from zoo.prediction.drawing import overlay
from zoo.prediction.explainer import Explainer
from zoo.prediction.explanation import Explanation
from zoo.prediction.heat import grad_cam, occluded
from zoo.prediction.integrated import BOUND, Integrated
from zoo.prediction.page import page as page_of
from zoo.prediction.pieces import Pieces, tokens_of_words
from zoo.prediction.predictor import Predictor
from zoo_tfhub_bert.build import build_from

LONGEST = 32  # tokens
TEXTS = [
    "the film was good",
    "👍🏽👍🏽 ok",
    "\u200b",
    "a\u200bgood film",
    "שלום film עולם",
    "小提琴在桌子上。",
    "x",
    ".",
    "  very good \n\n film ",
    "\x00\x1b[31m good",
    "[SEP] film [CLS]",
    "ﬁne ﬂute½",
]


def made(weights, head="classification", targets=("a", "b", "c"), columns=("label",), backbone="bert"):
    """The explainer, predictor and parts of a model that is not trained."""
    offer, spec = catalog().backbone(backbone), catalog().head(head)
    task = make_task(spec, {})
    task.learn(list(targets), columns)
    modality = offer.spec.modality

    keras.utils.set_random_seed(0)
    if backbone == "bert":
        encoder = build_from(weights / "encoder", weights / "preprocessor", replace(offer.spec, input=LONGEST))
    else:
        encoder = build_encoder(offer, weights)
    parts = compose(encoder, task, spec.spec)
    predictor = Predictor(parts, reader(modality), task)
    return Explainer(predictor, modality, spec.spec.reads == "words", lambda: parts), predictor, parts


def explain(explainer, raws, target=""):
    return explainer.explain([(str(raw), raw, "") for raw in raws], target)


def joined(one):
    return tuple("".join(piece for piece, _ in text) for text in one.texts)


@pytest.fixture(scope="module")
def texts(tiny_bert):
    return made(tiny_bert)


def test_the_pieces_of_any_text_are_the_text_and_their_shares_add_up(texts):
    explained = explain(texts[0], TEXTS)
    assert [joined(one) for one in explained] == [(text,) for text in TEXTS]
    for one in explained:
        total = sum(abs(share) for _, share in one.texts[0])
        assert total == pytest.approx(1) or (total == 0 and one.note == "No word of it makes a difference."), one
        assert all(share == 0 for piece, share in one.texts[0] if not piece.strip())
    assert {one.method for one in explained} == {"integrated gradients"}
    assert explained[2].note == "No word of it makes a difference."
    assert [piece for piece, _ in explained[5].texts[0]] == list(TEXTS[5])


def test_integrated_gradients_add_up_to_the_difference_that_the_words_make(texts, tiny_bert):
    _, predictor, _parts = texts
    _, _, other = made(tiny_bert)
    raws = ["the film was good", "a very bad movie , it was awful"]
    prepared = predictor.preprocessing([(raw,) for raw in raws])
    measures = [predictor.task.explained(output, "")[1] for output in predictor.exact(raws)]
    around = prepared["input_word_ids"][0, [0, 5]]  # the first and the last token
    of_words = (prepared["input_mask"] == 1) & ~np.isin(prepared["input_word_ids"], around)
    made_of = Integrated(lambda: other)
    assert made_of.ids_in(prepared, measures) == "input_word_ids"
    result = made_of(prepared, measures, of_words)
    assert result.errors.max() <= BOUND
    assert (result.tokens[~of_words] == 0).all()
    shares = [share for piece, share in explain(texts[0], raws[:1])[0].texts[0] if piece.strip()]
    assert shares == pytest.approx(result.tokens[0, 1:5] / np.abs(result.tokens[0]).sum(), abs=0.03)

    # The same difference, from a table whose rows are set to zero by hand
    table = max((one for one in other.network.variables if len(one.shape) == 2), key=lambda one: one.shape[0])
    whole = [float(measure(other.from_prepared(prepared)[row : row + 1])[0]) for row, measure in enumerate(measures)]
    values = table.numpy()
    values[np.unique(prepared["input_word_ids"][of_words])] = 0
    table.assign(values)
    nothing = [float(measure(other.from_prepared(prepared)[row : row + 1])[0]) for row, measure in enumerate(measures)]
    difference, evidence = np.array(whole) - nothing, np.abs(result.tokens).sum(1)
    assert (np.abs(result.tokens.sum(1) - difference) <= 1.01 * BOUND * evidence).all()
    assert (np.abs(difference) > 0.1 * evidence).any()


def test_the_model_that_answers_is_not_changed_while_its_copy_is_explained(tiny_bert):
    _, predictor, _ = made(tiny_bert)
    explainer = Explainer(predictor, "text", False, lambda: made(tiny_bert)[2])
    question, together = ["the film was good"], threading.Barrier(6)
    alone = predictor.outputs(question).arrays
    first = [one.texts for one in explain(explainer, TEXTS[:1])]

    def ask(number):
        together.wait()
        return explain(explainer, TEXTS[:1]) if number % 2 else [predictor.outputs(question).arrays for _ in range(20)]

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(ask, range(6)))
    for number, result in enumerate(results):
        if number % 2:
            assert [one.texts for one in result] == first
        else:
            assert all(np.array_equal(array, alone) for array in result)


def test_words_beyond_what_the_backbone_reads_count_nothing_and_it_is_said(texts):
    long = "good film " * 1500
    (one,) = explain(texts[0], [long])
    shares = [share for piece, share in one.texts[0] if piece.strip()]
    assert joined(one) == (long,)
    assert len(shares) == 3000
    assert "longer than the backbone reads" in one.note
    assert any(shares[: LONGEST - 2])
    assert not any(shares[LONGEST:])


def test_where_no_table_can_be_changed_words_are_left_out(texts, tiny_bert, monkeypatch):
    explainer, _, _ = made(tiny_bert)
    explainer._shares._integrated.ids_in = lambda prepared, measures: None
    (left_out,) = explain(explainer, ["the film was good"])
    assert left_out.method == "occlusion"
    assert joined(left_out) == ("the film was good",)
    _, predictor, _ = texts
    measure = predictor.task.explained(predictor.exact(["the film was good"])[0], "")[1]
    changed = [" film was good", "the  was good", "the film  good", "the film was "]
    whole, *without = np.asarray(measure(tf.constant(predictor.exact(["the film was good", *changed]))))
    lost = whole - np.array(without)
    words = [share for piece, share in left_out.texts[0] if piece.strip()]
    assert words == pytest.approx(lost / np.abs(lost).sum(), rel=1e-3)
    monkeypatch.setattr("zoo.prediction.shares._MOST", 8)
    (long,) = explain(explainer, ["good film " * 300])
    assert "words, which were left out together" in long.note
    assert "longer than the backbone" in long.note
    (single,) = explain(explainer, ["good"])
    assert abs(single.texts[0][0][1]) == 1


def test_a_word_whose_end_is_not_found_is_put_together_with_the_next():
    def tokenize(examples):  # letters, but "ab c" is one token
        return [np.array([1, *map(ord, text.replace("ab c", "#")), 2]) for (text,) in examples]

    ((pieces, spans),) = tokens_of_words(tokenize, [Pieces.of("x ab c d e", False)])
    assert pieces.shared(range(1, 5)) == [("x", 1), (" ", 0), ("ab c", 2), (" ", 0), ("d", 3), (" ", 0), ("e", 4)]
    assert spans == [(1, 2), (2, 4), (4, 6), (6, 8)]
    assert (
        tokens_of_words(lambda some: [np.array([len(text)]) for (text,) in some], [Pieces.of("a b c", False)]) is None
    )


def test_both_texts_of_a_pair_have_their_words(tiny_bert):
    explainer, _, _ = made(tiny_bert, "pair_classification")
    short, long = explain(explainer, [("the film was good", "it was bad"), ("good " * 400, "film " * 400)])
    assert joined(short) == ("the film was good", "it was bad")
    assert short.method == "integrated gradients"
    assert all(share for text in short.texts for piece, share in text if piece.strip())
    counted = [sum(1 for piece, share in text if share) for text in long.texts]
    assert sum(counted) == LONGEST - 3
    assert abs(counted[0] - counted[1]) <= 1


def test_each_head_says_what_is_explained(tiny_bert):
    text = "Anna lives in Paris ."
    labels, _, _ = made(tiny_bert, "multilabel", ["x|y", "z"])
    assert explain(labels, [text], "y")[0].about == "y"
    with pytest.raises(zoo.BadPlan, match=r"--target w: the run has no such label\. It has: x, y, z"):
        explain(labels, [text], "w")
    numbers, predictor, _ = made(tiny_bert, "regression", [("1", "2"), ("3", "5")], ("u", "v"))
    assert explain(numbers, [text], "v")[0].about == "v"
    output = predictor.exact([text])
    assert float(predictor.task.explained(output[0], text, "v")[1](tf.constant(output))[0]) == output[0, 1]
    with pytest.raises(zoo.BadPlan, match="Which number is to be explained"):
        explain(numbers, [text])
    entities, _, _ = made(tiny_bert, "token_classification", [("B-LOC", "I-LOC"), ("B-PER", "I-PER")])
    (one,) = explain(entities, [text])
    assert re.fullmatch(r".+ \((LOC|PER)\)", one.about)
    assert joined(one) == (text,)
    with pytest.raises(zoo.BadPlan, match=r"no such type of entity\. It has: LOC, PER"):
        explain(entities, [text], "ORG")
    tags, _, _ = made(tiny_bert, "token_classification", [("NN", "VB"), ("DT", "NN")])
    assert re.fullmatch(r"\S+/NN", explain(tags, [text], "NN")[0].about)
    with pytest.raises(zoo.BadPlan, match="Name a tag with --target"):
        explain(tags, [text])


def test_what_is_explained_grows_on_where_the_answer_is_certain(texts):
    task = texts[1].task
    about, measure = task.explained(np.array([1 - 1e-9, 9e-10, 1e-10], "float32"), "")
    logits = tf.constant([[30.0, 0.0, -2.0]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = measure(tf.nn.softmax(logits))
    assert about == "a"
    assert float(value[0]) == pytest.approx(30 - np.log(1 + np.exp(-2)), rel=1e-4)
    assert tape.gradient(value, logits).numpy()[0] == pytest.approx([1, -0.881, -0.119], abs=1e-2)


def test_a_head_of_its_own_shape_is_told_to_say_what_is_explained():
    with pytest.raises(zoo.ZooError, match="does not say what is to be explained"):
        zoo.Task().explained({"boxes": np.zeros((3, 4))}, None)
    about, measure = zoo.Task().explained(np.array([1.0, 5.0], "float32"), None)
    assert about == "number 2 of the answer"
    assert float(measure(tf.constant([[1.0, 7.0]]))[0]) == 7
    with pytest.raises(zoo.BadPlan, match="has no names for its outputs"):
        zoo.Task().explained(np.array([1.0, 5.0], "float32"), None, "red")


@pytest.mark.parametrize(
    "backbone", ["efficientnet_lite0", "mobilenet_v2", "resnet50", "inception_v3", "convnext_tiny"]
)
def test_networks_of_pictures_have_heat_from_their_map(backbone):
    explainer, predictor, parts = made("none", backbone=backbone)
    pictures = reader("image").samples(2)
    explained = explain(explainer, pictures)
    assert {(one.method, one.heat.shape) for one in explained} == {("Grad-CAM", (97, 160))}
    # The head reads the mean of the map, so the gradient is the same at all places
    prepared = np.concatenate([predictor.preprocessing([(one,)]) for one in pictures])
    measures = [predictor.task.explained(output, "")[1] for output in predictor.exact(pictures)]
    cams, map_ = grad_cam(parts, prepared, measures), parts.network(prepared)["map"].numpy()
    assert cams.shape == map_.shape[:3]
    assert cams.max() > 0
    assert np.isfinite(cams).all()
    pooled = tf.constant(map_[:1].mean((1, 2)))
    with tf.GradientTape() as tape:
        tape.watch(pooled)
        value = measures[0](parts.head({"pooled": pooled}))
    slope = tape.gradient(value, pooled).numpy()[0] / np.prod(map_.shape[1:3])
    expected = np.maximum(map_[0] @ slope, 0)
    assert cams[0] == pytest.approx(expected, abs=1e-3 * float(expected.max()))


def _with(parts, **features):
    """The parts with other features, made from the network's own."""
    own = parts.network.output
    network = keras.Model(parts.network.input, {name: change(own) for name, change in features.items()})
    return Parts(parts.preprocess, network, parts.head)


def test_where_pooled_does_not_come_from_the_map_it_has_to_be_its_mean():
    _, predictor, parts = made("none", backbone="efficientnet_lite0")
    pictures = reader("image").samples(2)
    prepared = np.concatenate([predictor.preprocessing([(one,)]) for one in pictures])
    measures = [predictor.task.explained(output, "")[1] for output in predictor.exact(pictures)]
    pooled = {"pooled": lambda own: own["pooled"]}
    copied = _with(parts, **pooled, map=lambda own: keras.layers.Rescaling(1.0)(own["map"]))
    expected = grad_cam(parts, prepared, measures)
    assert expected.max() > 0
    assert grad_cam(copied, prepared, measures) == pytest.approx(expected, abs=1e-3 * float(expected.max()))
    other = _with(parts, **pooled, map=lambda own: keras.layers.Rescaling(2.0)(own["map"]))
    assert grad_cam(other, prepared, measures) is None
    assert grad_cam(_with(parts, **pooled), prepared, measures) is None


def test_a_picture_without_a_map_is_covered_cell_by_cell():
    _, predictor, parts = made("default", backbone="efficientnet_lite0")
    without = Predictor(_with(parts, pooled=lambda own: own["pooled"]), predictor.reader, predictor.task)
    covered = [explain(Explainer(without, "image", False, None), reader("image").samples(1), name)[0] for name in "ab"]
    assert {(one.method, one.grid.shape, one.heat.shape) for one in covered} == {("occlusion", (8, 8), (97, 160))}
    assert 1 in [one.heat.max() for one in covered]


def test_a_covered_cell_counts_what_is_lost_with_it():
    picture = np.zeros((80, 40, 3), "uint8")
    picture[10:20, 30:40] = 255  # second row of cells, the last two columns
    grid = occluded(picture, lambda some: np.array([one[..., 0].max() > 200 and one.mean() for one in some]))
    assert grid.shape == (8, 8)
    assert set(zip(*grid.nonzero(), strict=True)) == {(1, 6), (1, 7)}
    assert occluded(picture[:3, :2], lambda some: np.zeros(len(some))).shape == (3, 2)


def test_where_the_heat_is_is_said_in_words():
    def said(**places):
        heat = np.full((90, 60), 0.01, "float32")
        for top, left in places.values():
            heat[top : top + 30, left : left + 20] = 1
        return Explanation("x", heat=heat).in_words()

    assert said(one=(0, 0)).startswith("mostly top left (9")
    assert said(one=(30, 20)).startswith("mostly in the middle")
    assert said(one=(60, 20)).startswith("mostly bottom (")
    assert said() == "spread over the picture"
    assert Explanation("x", heat=np.zeros((9, 9))).in_words() == "nothing in the picture speaks for it"


def test_hostile_texts_and_labels_are_escaped_and_no_colour_says_anything_alone():
    evil = "<script>alert(1)</script>\u202e<img src=x onerror=y>\x07'\"&"
    one = Explanation(
        evil, f"{evil} 0.9", evil, "occlusion", texts=[[(evil, 0.6), (" ", 0.0), ("no", -0.4)]], note=evil
    )
    for page in (one.as_html(), page_of([one], evil), Explanation(evil, error=evil).as_html()):
        assert not re.search("<(script|img)|\\x07|\u202e|onerror=y>", page)
        assert evil.replace("\x07", "\N{REPLACEMENT CHARACTER}").replace("\u202e", "\\u202e") in html.unescape(page)
    shown = one.as_html()
    assert 'title="+0.60, for it"' in shown
    assert 'title="-0.40, against it"' in shown
    assert "border-bottom: 3px solid" in shown
    assert "border-bottom: 3px dashed" in shown
    picture = np.zeros((40, 30, 3), "uint8")
    heat = np.zeros((40, 30), "float32")
    heat[10:30, 10:20] = 1
    drawn = overlay(picture, heat)
    assert drawn.shape == picture.shape
    assert (drawn[10, 10:20] == 255).all()
    assert (drawn[15, 15] != 255).any()
    shown = Explanation(evil, "a", "a", "Grad-CAM", heat, picture, heat).as_html()
    assert shown.count("data:image/webp;base64,") == 2
    assert "<script" not in shown


def test_as_json_is_json(texts):
    (one,) = explain(texts[0], ["the film was good"])
    told = json.loads(json.dumps(one.as_json()))
    assert "".join(piece["piece"] for piece in told["texts"][0]) == "the film was good"
    assert told.keys() == {"input", "answer", "about", "method", "in_words", "texts"}
    assert Explanation("x", error="empty text").as_json() == {"input": "x", "error": "empty text"}


def test_a_run_is_explained_by_the_command_line_and_its_page_appears_whole(finished_run, unseen, tmp_path, zoo_here):
    pear, out = unseen / "pear.png", tmp_path / "why.html"
    status, said, _ = zoo_here("explain", finished_run, pear, unseen / "none.png", "--out", out)
    assert status == 0
    assert f"{pear}  fruit" in said
    assert "why fruit: " in said
    assert "(Grad-CAM)" in said
    assert "left out: cannot be read: no file" in said
    assert f"page {out}" in said
    page = out.read_text()
    assert page.count("<article>") == 2
    assert page.count("data:image/webp") == 2
    assert "http" not in page.replace("http-equiv", "")
    status, said, _ = zoo_here("explain", finished_run, pear, "--target", "music", "--json")
    (told,) = json.loads(said)
    assert (status, told["about"], told["method"]) == (0, "music", "Grad-CAM")
    assert np.shape(told["grid"]) == (7, 7)
    for arguments, sentence in {
        (pear, "--target", "cars"): "--target cars: the run has no such label. It has: ",
        (pear, "--out", out): "the file exists, and it is never overwritten",
        (pear, "--out", tmp_path / "why.pdf"): "explanations are written as a web page. Name the file",
        (pear, "--out", tmp_path / "none" / "why.html"): "does not exist or is not writable",
        (unseen / "none.png",): "None of the inputs can be read",
    }.items():
        status, said, problem = zoo_here("explain", finished_run, *arguments)
        assert (status, said) == (1, "")
        assert sentence in problem
        assert "Traceback" not in problem
    assert sorted(tmp_path.iterdir()) == [out]


def test_only_pictures_and_texts_can_be_explained(finished_run):
    run = zoo.load_run(finished_run)
    run.card = msgspec.structs.replace(run.card, modality="audio")
    with pytest.raises(zoo.BadPlan, match="modality 'audio', but only answers about pictures and texts"):
        run.explain("bell.wav")
