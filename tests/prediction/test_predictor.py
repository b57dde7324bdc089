"""The Predictor: made once, asked by many threads, of values, bytes and places, and answering in the order asked."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import zoo


@pytest.fixture(scope="module")
def run(finished_run):
    return zoo.load_run(finished_run)


def _numbers(answers):
    return [tuple(answer["probabilities"].items()) for answer in answers]


def test_eight_threads_asking_one_run_at_once_get_the_answers_of_one_thread(finished_run, unseen):
    run, pictures = zoo.load_run(finished_run), sorted(unseen.iterdir())
    questions = [[pictures[n % 6], pictures[(n + 1) % 6]] for n in range(32)]
    together = threading.Barrier(8)

    def ask(number: int):
        if number < 8:
            together.wait()  # all of them find a run that is not loaded yet
        return run.predict(questions[number])

    options = tf.config.optimizer.get_experimental_options()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(32)))
    alone = zoo.load_run(finished_run)
    assert [_numbers(a) for a in answers] == [_numbers(alone.predict(question)) for question in questions]
    assert tf.config.optimizer.get_experimental_options() == options


def test_what_was_asked_first_changes_no_answer(finished_run, unseen, clipart):
    many = sorted(clipart.rglob("*.png"))[:70]  # so many that a fast engine answers
    questions = [[unseen], many, [unseen / "pear.png"]]
    orders = [zoo.load_run(finished_run), zoo.load_run(finished_run)]
    for options in ({}, {"precision": "float32", "engine": "tensorflow"}):
        first = [orders[0].predict(question, **options) for question in questions]
        last = [orders[1].predict(question, **options) for question in reversed(questions)]
        assert first == last[::-1]
        assert [len(answers) for answers in first] == [6, 70, 1]


def test_one_input_needs_no_list(run, unseen):
    path = unseen / "pear.png"
    listed = run.predict([path])
    assert run.predict(path) == run.predict(str(path)) == run.predict(p for p in [path]) == listed
    assert run.predict(np.asarray(Image.open(path).convert("RGB")))[0]["label"] == "fruit"
    with pytest.raises(zoo.BadData, match="There is nothing to read: there are no inputs"):
        run.predict([])
    with pytest.raises(zoo.BadData, match=r"which is no picture\. Give its pictures as a list"):
        run.predict({"image": path})


def test_bytes_pixels_and_files_are_one_question(run, unseen):
    path = unseen / "violin.png"
    transparent = Image.open(path).convert("RGBA")
    pixels = Image.new("RGBA", transparent.size, "white")
    pixels.alpha_composite(transparent)
    values = [path, str(path), path.read_bytes(), np.asarray(pixels.convert("RGB"))]
    answers = run.predict(values)
    assert [answer["input"] for answer in answers] == [str(path), str(path), "(bytes)", "(ndarray)"]
    assert all(answer["probabilities"] == pytest.approx(answers[0]["probabilities"], abs=1e-6) for answer in answers)


def test_answers_go_by_position_also_of_inputs_with_one_name(run, unseen, tmp_path):
    for folder, name in (("a", "violin"), ("b", "pear")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "t.csv").write_text("image\nx.png\n")
        (tmp_path / folder / "x.png").write_bytes((unseen / f"{name}.png").read_bytes())
    with_bytes = [(unseen / f"{name}.png").read_bytes() for name in ("violin", "pear")]
    answers = run.predict(
        [with_bytes[0], b"nothing", with_bytes[1], tmp_path / "a" / "t.csv", tmp_path / "b" / "t.csv"]
    )
    assert [answer.get("label") for answer in answers] == ["music", None, "fruit", "music", "fruit"]
    assert answers[1] == {"input": "(bytes)", "error": "not a picture"}


def test_what_is_no_picture_at_all_is_said(run):
    for value in (7, None, np.zeros((2, 2), "complex64")):
        with pytest.raises(zoo.BadData, match=r"Input 1 is .*, which is no picture"):
            run.predict([value])
    with pytest.raises(zoo.BadData, match=r"None of the inputs can be read \(1 in all"):
        run.predict(["no such.png"])


def test_the_network_is_traced_once(run, unseen, monkeypatch):
    from zoo.inference import runner

    run.predict([unseen / "pear.png"])
    monkeypatch.setattr(runner, "trace", lambda *_: pytest.fail("traced again"))
    assert run.predict([unseen / "pear.png", unseen / "violin.png"])[1]["label"] == "music"


def test_a_device_that_does_not_exist_is_a_sentence(run, unseen):
    for device in ("tpu", "gpu:first", None):
        with pytest.raises(zoo.BadPlan, match=f"--device {device}: it must be auto, cpu, gpu, or one"):
            run.predict([unseen / "pear.png"], device=device)


def test_the_head_computes_in_float32_whatever_the_precision(few_pictures, tmp_path):
    table = tmp_path / "prices.csv"
    files = sorted(few_pictures.rglob("*.png"))
    table.write_text("image,label\n" + "".join(f"{file},{300_000 + 7 * n}\n" for n, file in enumerate(files)))
    run = zoo.train("efficientnet_lite0", table, head="regression", epochs=1, out=tmp_path / "run")
    prices = [answer["value"] for answer in run.predict(files * 6, precision="bfloat16", engine="tensorflow")]
    assert any(price % 16 for price in prices)  # near 300,000 bfloat16 has steps of 2,048
    assert prices == pytest.approx([answer["value"] for answer in run.predict(files)] * 6, abs=10)
