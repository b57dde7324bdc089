"""The run folder, and what is asked of a finished run."""

import csv
import json
import os
import shutil

import pytest

import zoo
from zoo.runs.folder import RunFolder


def test_the_folder_holds_everything_and_nothing_temporary(finished_run):
    names = {path.name for path in finished_run.iterdir()}
    assert names == {
        "plan.toml",
        "provenance.json",
        "split.csv",
        "skipped.csv",
        "history.csv",
        "metrics.json",
        "predictions.parquet",
        "figures.json",
        "mistakes.json",
        "model.keras",
        "logs",
    }
    provenance = json.loads((finished_run / "provenance.json").read_text())
    assert provenance["weights"]["sha256"].startswith("57934424")
    assert provenance["plugins"].keys() == {"efficientnet_lite", "heads"}
    assert list((finished_run / "logs").rglob("events.out.tfevents.*"))
    rows = list(csv.DictReader((finished_run / "split.csv").open()))
    assert len(rows) == 231
    assert {row["split"] for row in rows} == {"train", "validation"}


def test_evaluating_the_validation_part_gives_the_figures_of_training(finished_run, clipart, tmp_path):
    rows = [r for r in csv.DictReader((finished_run / "split.csv").open()) if r["split"] == "validation"]
    table = tmp_path / "validation.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "label"])
        writer.writerows([clipart / row["input"], row["target"]] for row in rows)
    run = zoo.load_run(finished_run)
    evaluation = run.evaluate(table)
    assert evaluation.examples == len(rows)
    assert evaluation.metrics["accuracy"] == run.metrics["accuracy"]
    assert evaluation.metrics["cross_entropy"] == pytest.approx(run.metrics["cross_entropy"], abs=1e-5)


def test_a_run_is_judged_by_what_it_was_not_trained_on(finished_run, clipart, tmp_path, capsys):
    run = zoo.load_run(finished_run)
    splits = [row["split"] for row in csv.DictReader((finished_run / "split.csv").open())]
    for split, count in (("auto", splits.count("validation")), ("train", splits.count("train")), ("all", len(splits))):
        evaluation = run.evaluate(clipart, split=split)
        assert (evaluation.examples, evaluation.trained) == (count, splits.count("train"))
    said = capsys.readouterr().err
    assert "Left out: 183 of 231 examples, because the run was trained on them. --split all judges them too." in said
    assert "so it looks too good" in said
    for number, row in enumerate(csv.DictReader((finished_run / "split.csv").open())):
        if row["split"] == "train" and number % 10 == 0:  # under another name
            (tmp_path / "own" / row["target"]).mkdir(parents=True, exist_ok=True)
            shutil.copy(clipart / row["input"], tmp_path / "own" / row["target"] / f"{number}.png")
    with pytest.raises(zoo.BadData, match=r"no examples that the run was not trained on \(\d+ in all\)\. --split all"):
        run.evaluate(tmp_path / "own")
    with pytest.raises(zoo.BadPlan, match="--split some: it must be"):
        run.evaluate(clipart, split="some")


def test_an_older_run_knows_its_examples_by_name(finished_run, clipart, tmp_path, capsys):
    old = shutil.copytree(finished_run, tmp_path / "old")
    rows = list(csv.DictReader((old / "split.csv").open()))
    with (old / "split.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["input", "target", "split"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    assert zoo.load_run(old).evaluate(clipart).examples == 48
    assert "found by their names" in capsys.readouterr().err


def test_predictions_come_in_the_order_of_the_inputs(finished_run, unseen, tmp_path):
    run = zoo.load_run(finished_run)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    answers = run.predict([unseen / "violin.png", tmp_path / "broken.png", unseen])
    assert [a["input"].rpartition("/")[2] for a in answers] == [
        "violin.png",
        "broken.png",
        *sorted(p.name for p in unseen.iterdir()),
    ]
    assert answers[0]["label"] == max(answers[0]["probabilities"], key=answers[0]["probabilities"].get)
    assert answers[1]["error"] == "not a picture"
    (again,) = (a for a in answers[2:] if a["input"] == answers[0]["input"])
    assert again["probabilities"] == pytest.approx(answers[0]["probabilities"], abs=1e-5)


def test_nothing_to_predict_is_a_sentence(finished_run, tmp_path):
    run = zoo.load_run(finished_run)
    with pytest.raises(zoo.BadData, match="an empty folder"):
        run.predict([tmp_path])
    with pytest.raises(zoo.BadData, match=r"missing\.png"):
        run.predict([tmp_path / "missing.png"])


def test_a_class_that_the_model_does_not_know_is_a_sentence(finished_run, few_pictures):
    (few_pictures / "birds").rename(few_pictures / "aeroplanes")
    with pytest.raises(zoo.BadData, match="'aeroplanes' is not a class that the model was trained on"):
        zoo.load_run(finished_run).evaluate(few_pictures)


def test_what_is_no_run_is_a_sentence(tmp_path, finished_run):
    with pytest.raises(zoo.BadRun, match="There is no run"):
        zoo.load_run(tmp_path / "nothing")
    with pytest.raises(zoo.BadRun, match="not a finished run"):
        zoo.load_run(tmp_path)
    for content in (b"", b"no model", (finished_run / "model.keras").read_bytes()[:100_000]):
        (tmp_path / "model.keras").write_bytes(content)
        with pytest.raises(zoo.BadRun, match=r"model\.keras is damaged, or is not a model that zoo wrote"):
            zoo.load_run(tmp_path)


def test_a_folder_that_is_not_empty_is_never_written_to(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(zoo.BadRun, match="is not empty"), RunFolder.created(tmp_path):
        pass
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    (tmp_path / "run").mkdir()
    folder = RunFolder(tmp_path / "run")
    folder.write_text("plan.toml", "old")

    def fail(path):
        path.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(zoo.BadRun, match="No space left on device"):
        folder.write("plan.toml", fail)
    assert [p.name for p in folder.path.iterdir()] == ["plan.toml"]
    assert (folder.path / "plan.toml").read_text() == "old"
    assert RunFolder.free_name(tmp_path, "run") == tmp_path / "run-2"


def test_a_model_file_with_code_in_it_is_refused(finished_run, tmp_path, unseen):
    import keras

    from zoo.runs.model_file import read_card, save_model

    run = tmp_path / "run"
    shutil.copytree(finished_run, run)
    touched = str(tmp_path / "touched")
    pixels = keras.Input((None, None, 3))
    attack = keras.layers.Lambda(lambda x: (os.mkdir(touched), x)[1])
    model = keras.Model(pixels, attack(pixels))
    os.rmdir(touched)
    save_model(model, read_card(run / "model.keras"), run / "model.keras")
    with pytest.raises(zoo.BadRun, match="its layer Lambda can run code"):
        zoo.load_run(run).predict([unseen])
    assert not os.path.exists(touched)


def test_a_picture_that_goes_away_in_between_is_a_sentence(finished_run, tmp_path, unseen):
    predictor = zoo.load_run(finished_run).predictor
    with pytest.raises(zoo.BadData, match=r"gone\.png could be read earlier but no longer can"):
        predictor.pieces([unseen / "violin.png", tmp_path / "gone.png"])


def test_a_file_name_that_is_no_valid_text_is_answered_for(finished_run, tmp_path, unseen, zoo_command):
    name = os.fsencode(tmp_path) + b"/caf\xe9.png"
    with open(name, "wb") as file:
        file.write((unseen / "violin.png").read_bytes())
    result = zoo_command("predict", finished_run, tmp_path, "--json")
    assert result.returncode == 0, result.stderr
    (answer,) = json.loads(result.stdout)
    assert os.fsencode(answer["input"]) == name
    assert "label" in answer
