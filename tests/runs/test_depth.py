"""A run keeps the depth of the pictures that it was trained on: to answer, to evaluate, and to be repeated."""

import json
import zipfile

import numpy as np
import pytest
from PIL import Image

import zoo


def sixteen_bits(folder, name, low, count=6):
    rng = np.random.default_rng(low)
    (folder / name).mkdir(parents=True)
    for number in range(count):
        values = (low + rng.integers(0, 90, (24, 24))).astype("uint16")
        Image.fromarray(values).save(folder / name / f"{number}.png")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("depth")
    sixteen_bits(folder / "data", "dark", 200)
    sixteen_bits(folder / "data", "light", 3000)
    return zoo.train("efficientnet_lite0", folder / "data", epochs=15, out=folder / "run")


def test_the_classes_differ_and_the_run_knows_the_depth(run):
    assert run.metrics["accuracy"] == 1
    assert (run.card.reading, run.plan.depth) == ({"integers": 12}, "12")


def test_files_pixels_and_picture_objects_get_one_answer(run):
    file = run.path.parent / "data/light/0.png"
    opened = Image.open(file)
    answers = run.predict([file, file.read_bytes(), np.asarray(opened), opened])
    assert [answer["label"] for answer in answers] == ["light"] * 4
    with pytest.raises(zoo.BadData, match=r"Input 2 .* \(values up to 40000, where pictures are read as 12 bits\)"):
        run.predict([file, np.full((24, 24), 40000, "uint16")])


def test_an_evaluation_reads_as_the_training_did(run, tmp_path):
    sixteen_bits(tmp_path, "dark", 200, 2)
    sixteen_bits(tmp_path, "light", 3050, 2)
    Image.fromarray(np.full((24, 24), 60000, "uint16")).save(tmp_path / "light/other.png")
    result = run.evaluate(tmp_path, split="all")
    assert (result.metrics["accuracy"], result.examples, len(result.skipped)) == (1, 4, 1)


def test_a_repeated_run_has_the_same_figures(run, tmp_path, capsys):
    again = zoo.train_plan(run.path / "plan.toml", out=tmp_path / "again")
    assert again.metrics == run.metrics
    assert "are cached from an earlier run" in capsys.readouterr().err


def test_a_run_from_before_there_was_a_choice_answers_as_it_did(run, tmp_path):
    (tmp_path / "old").mkdir()
    for name in ("metrics.json", "plan.toml"):
        (tmp_path / "old" / name).write_bytes((run.path / name).read_bytes())
    with (
        zipfile.ZipFile(run.path / "model.keras") as now,
        zipfile.ZipFile(tmp_path / "old/model.keras", "w") as then,
    ):
        for name in now.namelist():
            content = now.read(name)
            if name == "zoo.json":
                card = json.loads(content)
                del card["reading"]
                content = json.dumps(card).encode()
            then.writestr(name, content)
    old = zoo.load_run(tmp_path / "old")
    dark, light = (run.path.parent / f"data/{name}/0.png" for name in ("dark", "light"))
    assert old.card.reading is None
    upper = [np.dstack([np.asarray(Image.open(file)) >> 8] * 3).astype("uint8") for file in (dark, light)]
    answers = [[answer["probabilities"] for answer in old.predict(given)] for given in ([dark, light], upper)]
    assert answers[0] == answers[1]


def test_a_depth_that_the_data_cannot_have(run, tmp_path):
    with pytest.raises(zoo.BadPlan, match="--depth 12: texts have no depth"):
        zoo.train("minilm_l6", _texts(tmp_path), depth=12, out=tmp_path / "texts")
    with pytest.raises(zoo.ZooError, match="--depth"):
        zoo.train("efficientnet_lite0", run.path.parent / "data", depth="11", out=tmp_path / "run")
    with pytest.raises(zoo.BadData, match="values up to 3089, where pictures are read as 8 bits"):
        zoo.embed("efficientnet_lite0", [run.path.parent / "data/light"], depth=8)


def _texts(folder):
    (folder / "t.csv").write_text("text,label\n" + "".join(f"text {n},{'ab'[n % 2]}\n" for n in range(12)))
    return folder / "t.csv"
