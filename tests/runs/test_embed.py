"""Vectors of pictures: `zoo embed` and `zoo.embed`. Those of texts are tested with the text backbones."""

import json
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

import zoo
from zoo.data.inputs import as_inputs
from zoo.data.layout import Layout
from zoo.data.pictures import Pictures


def test_pictures_become_unit_vectors_in_a_table(few_pictures, tmp_path, zoo_command):
    (few_pictures / "birds" / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n cut")
    out = tmp_path / "vectors.parquet"
    done = zoo_command("embed", "efficientnet_lite0", few_pictures, "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["examples"] == {"embedded": 12, "skipped": 1}
    assert "cut.png" in done.stderr
    table = parquet.read_table(out)
    assert table.column_names == ["input", "vector"]
    assert json.loads(table.schema.metadata[b"zoo"])["backbone"] == "efficientnet_lite0"
    vectors = np.array(table["vector"].to_pylist())
    assert vectors.shape == (12, 1280)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    nearest = np.where(np.eye(12, dtype=bool), -1, vectors @ vectors.T).argmax(1)
    classes = np.array(["music" in name for name in table["input"].to_pylist()])
    assert (classes == classes[nearest]).mean() > 0.8

    again = zoo_command("embed", "efficientnet_lite0", few_pictures, "--out", out)
    assert (again.returncode, "is never overwritten" in again.stderr) == (1, True)


def test_a_table_of_pictures_is_predicted_and_embedded_with_what_is_missing_left_out(finished_run, unseen, tmp_path):
    (tmp_path / "t.csv").write_text("image,label\nviolin.png,music\nnone.png,music\n")
    (tmp_path / "violin.png").write_bytes((unseen / "violin.png").read_bytes())
    right, missing = zoo.load_run(finished_run).predict([tmp_path / "t.csv"])
    assert right["label"] == "music"
    assert (missing["input"], "cannot be read" in missing["error"]) == (str(tmp_path / "none.png"), True)
    vectors = zoo.embed("efficientnet_lite0", tmp_path / "t.csv")
    assert (vectors.inputs, len(vectors.skipped)) == ([str(tmp_path / "violin.png")], 1)


def test_vectors_are_the_backbones_own_features_where_they_are_not_normalized(few_pictures):
    vectors = zoo.embed("efficientnet_lite0", few_pictures / "birds", options={"normalize": False})
    model = zoo.build("efficientnet_lite0")
    for name, vector in zip(vectors.inputs[:2], vectors.values[:2], strict=True):
        expected = np.asarray(model(Pictures().read(Path(name))[None].astype("float32"))["pooled"])[0]
        assert vector == pytest.approx(expected, abs=1e-4)


def test_what_cannot_be_embedded_is_a_sentence(few_pictures, tmp_path):
    with pytest.raises(zoo.BadPlan, match=r"vectors are written as Parquet\. Name the file .*v\.parquet"):
        zoo.embed("efficientnet_lite0", few_pictures, out=tmp_path / "v.csv")
    with pytest.raises(zoo.BadPlan, match="does not exist"):
        zoo.embed("efficientnet_lite0", few_pictures, out=tmp_path / "no" / "v.parquet")
    with pytest.raises(zoo.BadPlan, match=r"is not trained\. To get vectors: zoo embed efficientnet_lite0"):
        zoo.train("efficientnet_lite0", few_pictures, head="embedding", out=tmp_path / "run")
    with pytest.raises(zoo.BadPlan, match=r"classification learns one column\. These learn several: multilabel"):
        zoo.train("efficientnet_lite0", few_pictures, target_column="a,b", out=tmp_path / "run")
    (tmp_path / "no.png").write_bytes(b"")
    with pytest.raises(zoo.BadData, match=r"None of the inputs can be read \(1 in all; .*no\.png: empty file"):
        zoo.embed("efficientnet_lite0", tmp_path / "no.png")


def test_any_collection_of_inputs_is_many_inputs(few_pictures):

    files = sorted((few_pictures / "birds").glob("*.png"))
    listed = zoo.embed("efficientnet_lite0", files)
    again = zoo.embed("efficientnet_lite0", iter(files))
    assert again.inputs == listed.inputs
    assert np.array_equal(again.values, listed.values)
    named, layout = [str(file) for file in files], Layout("image", "single")
    for collection in (np.array(named), tuple(named), dict.fromkeys(named).keys()):
        assert as_inputs(collection, layout) == named
    for one in (files[0], named[0], files[0].read_bytes(), np.zeros((2, 2, 3), "uint8")):
        assert as_inputs(one, layout) == [one]
