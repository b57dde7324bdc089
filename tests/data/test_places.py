"""Places that are not on this disk, by fsspec's own store in memory."""

import json

import pytest
from upath import UPath

import zoo
from zoo.compose.task import Task
from zoo.data.check import check
from zoo.data.layout import Layout
from zoo.data.sources import read_source
from zoo.places import is_local, is_place, place


@pytest.fixture
def bucket(clipart):
    """Twelve pictures of two classes, and a table of them, in memory."""
    root = UPath("memory://bucket")
    rows = []
    for label in ("birds", "music"):
        for number, picture in enumerate(sorted((clipart / label).iterdir())[:6]):
            path = root / "few" / label / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture.read_bytes())
            rows.append({"image": f"few/{label}/{number}.png", "label": label})
    (root / "table.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (root / "table.csv").write_text("image,label\n" + "".join(f"{r['image']},{r['label']}\n" for r in rows))
    yield root
    root.rmdir(recursive=True)


def test_an_address_stays_an_address(tmp_path):
    assert str(place("memory://bucket/photos/a.png")) == "memory://bucket/photos/a.png"
    assert place("memory://bucket/a").name == "a"
    assert not is_local(place("memory://bucket/a"))
    assert is_local(place(str(tmp_path)))
    assert is_place(place("memory://bucket"))
    assert is_place(tmp_path)
    assert not is_place("memory://bucket")
    with pytest.raises(zoo.ZooError, match="nonsense:// cannot be read here"):
        place("nonsense://bucket")
    with pytest.raises(zoo.ZooError, match=r"dropbox:// cannot be read here .*dropbox"):
        place("dropbox://bucket")
    with pytest.raises(zoo.ZooError, match="Give it as a string: 's3://bucket/photos'"):
        place(type(tmp_path)("s3://bucket/photos"))


@pytest.mark.parametrize("name", ["few", "table.jsonl", "table.csv"])
def test_folders_and_tables_elsewhere_are_read_as_they_are_here(bucket, name):
    layout = Layout()
    examples = check(read_source(bucket / name, layout, Task()), layout.reader)
    assert len(examples.items) == 12
    assert {example.target for example in examples.items} == {"birds", "music"}
    assert not is_local(examples.items[0].raw)
    assert examples.items[0].input.endswith("birds/0.png")


def test_a_training_and_its_questions_on_data_elsewhere(bucket, tmp_path):
    run = zoo.train("efficientnet_lite0", "memory://bucket/few", epochs=2, out=tmp_path / "run")
    assert run.summary["examples"]["train"] + run.summary["examples"]["validation"] == 12
    assert run.plan.data == "memory://bucket/few"
    answers = run.predict(["memory://bucket/few/birds"])
    assert [answer["input"] for answer in answers] == [f"memory://bucket/few/birds/{n}.png" for n in range(6)]
    assert run.evaluate("memory://bucket/table.csv", split="all").examples == 12


def test_a_run_folder_elsewhere_is_refused_with_a_sentence(few_pictures):
    with pytest.raises(zoo.ZooError, match="s3://bucket/run: run folders must be on this disk"):
        zoo.train("efficientnet_lite0", few_pictures, out="s3://bucket/run")
