"""Broken files of every kind that is read, and files that a machine makes up: refused by our own errors alone."""

import contextlib
import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import zoo
from zoo.catalog import catalog
from zoo.catalog.specs import Backbone, Head, Option, Pixels, Weights
from zoo.compose.head import make_task
from zoo.compose.task import Task
from zoo.data.layout import Layout
from zoo.data.pictures import Pictures
from zoo.data.sources import read_source as read
from zoo.plan import Phase, Plan
from zoo.registry.format import parse
from zoo.runs.folder import RunFolder
from zoo.runs.model_file import read_card
from zoo.runs.vetting import vet
from zoo.training.checkpoint import Checkpoint, Checkpoints, Position

CORPUS = Path(__file__).with_name("corpus")
TEXTS = Layout("text")
read_picture = Pictures().read


def read_source(path, layout):
    task = Task() if layout is TEXTS else make_task(catalog().head("token_classification"), {})
    return read(path, layout, task)


in_one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


def _files(kind: str) -> list[object]:
    return [pytest.param(path, id=path.name) for path in sorted((CORPUS / kind).iterdir())]


@pytest.mark.parametrize("path", _files("pictures"))
def test_a_broken_picture(path):
    with pytest.raises(zoo.BadData):
        read_picture(path)


@pytest.mark.parametrize("path", _files("tables"))
def test_a_broken_table(path):
    layout = Layout("text", "words") if path.suffix == ".conll" else TEXTS
    with pytest.raises(zoo.BadData):
        read_source(path, layout)


@pytest.mark.parametrize("path", _files("plans"))
def test_a_broken_plan(path):
    with pytest.raises(zoo.BadPlan):
        Plan.from_toml(path)


def test_a_plan_without_end(tmp_path):
    (tmp_path / "plan.toml").write_text("# " + "x" * 1_000_001)
    with pytest.raises(zoo.BadPlan, match="too large for a plan"):
        Plan.from_toml(tmp_path / "plan.toml")


@pytest.mark.parametrize("path", _files("models"))
def test_a_broken_model(path):
    with pytest.raises(zoo.BadRun):
        read_card(path)
    with contextlib.suppress(zoo.BadRun):
        vet(path)


@pytest.mark.parametrize("path", _files("checkpoints"))
def test_a_broken_checkpoint(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    checkpoints = Checkpoints(RunFolder(tmp_path))
    good = Checkpoint(Position(epoch=3), arrays={"model/0": np.arange(5)})
    checkpoints.save(good)
    shutil.copy(path, tmp_path / "checkpoints/000002.npz")
    assert checkpoints.load() == good
    assert "000002.npz is damaged" in capsys.readouterr().err
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize("path", _files("registries"))
def test_a_broken_registry(path):
    with pytest.raises(zoo.ZooError):
        parse(path.read_bytes(), path.name)


@pytest.mark.parametrize("path", _files("weights"))
def test_broken_weights(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(zoo.BadWeights):
        zoo.build("efficientnet_lite0" if path.suffix == ".pth" else "mobilenet_v2", weights=str(path))
    assert not (tmp_path / "touched").exists()


SEEDS = {
    path.name: path.read_bytes() for path in sorted((Path(__file__).parents[1] / "examples/data/unseen").iterdir())
}


@in_one_folder
@given(st.sampled_from(sorted(SEEDS)), st.lists(st.tuples(st.integers(0, 4000), st.binary(max_size=8)), max_size=6))
def test_a_picture_with_altered_bytes_is_read_or_refused(tmp_path, name, changes):
    content = bytearray(SEEDS[name])
    for place, new in changes:
        content[place : place + len(new)] = new
    (tmp_path / "picture").write_bytes(content)
    try:
        pixels = read_picture(tmp_path / "picture")
    except zoo.BadData:
        return
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3


@in_one_folder
@given(st.sampled_from(["csv", "tsv", "jsonl", "parquet", "conll"]), st.binary(max_size=300))
def test_any_bytes_as_a_table_are_read_or_refused(tmp_path, suffix, content):
    path = tmp_path / f"table.{suffix}"
    path.write_bytes(content)
    with contextlib.suppress(zoo.BadData):
        read_source(path, Layout("text", "words") if suffix == "conll" else TEXTS)


phases = st.builds(
    Phase,
    unfreeze=st.one_of(st.integers(0, 9), st.just("all")),
    epochs=st.integers(1, 99),
    learning_rate=st.floats(1e-9, 10),
    patience=st.integers(1, 9),
    clip_norm=st.floats(0, 10),
)
plans = st.builds(
    Plan,
    backbone=st.text(),
    data=st.text(),
    seed=st.integers(0, 2**32 - 1),
    batch_size=st.integers(1, 4096),
    options=st.dictionaries(st.text(min_size=1), st.one_of(st.text(), st.integers(-(2**60), 2**60))),
    phases=st.lists(phases, min_size=1, max_size=3).map(tuple),
)


@in_one_folder
@given(plans)
def test_a_plan_is_read_as_it_was_written(tmp_path, plan):
    RunFolder(tmp_path).write_text("plan.toml", plan.to_toml())
    assert Plan.from_toml(tmp_path / "plan.toml") == plan


@in_one_folder
@given(plans, st.integers(0, 400), st.text(max_size=6))
def test_an_altered_plan_is_read_or_refused(tmp_path, plan, place, new):
    text = plan.to_toml()
    (tmp_path / "plan.toml").write_text(text[:place] + new + text[place + len(new) :], encoding="utf-8", newline="")
    with contextlib.suppress(zoo.BadPlan):
        Plan.from_toml(tmp_path / "plan.toml")


anything = st.one_of(
    st.none(),
    st.booleans(),
    st.text(),
    st.integers(),
    st.floats(),
    st.lists(st.one_of(st.none(), st.text())).map(tuple),
)
WEIGHTS = Weights(name="w", source="https://example.org/w.h5", bytes=4, licence="MIT", trained_on="some")
OPTION = Option(name="units", default=8, summary="Units.")
GOOD = [
    Pixels(),
    WEIGHTS,
    OPTION,
    Backbone(
        name="net",
        modality="image",
        family="some",
        params=10,
        input=8,
        dim=4,
        features=("pooled",),
        licence="MIT",
        paper="https://example.org",
        build="package.module:function",
        weights=(WEIGHTS,),
    ),
    Head(
        name="task",
        summary="A task.",
        modalities=("image",),
        feature="pooled",
        licence="MIT",
        build="package.module:Task",
        options=(OPTION,),
    ),
]


@pytest.mark.parametrize("good", GOOD, ids=lambda spec: type(spec).__name__)
@given(data=st.data())
def test_a_spec_of_any_values_is_made_or_refused(good, data):
    names = st.sampled_from(sorted(good.__dataclass_fields__))
    changes = data.draw(st.dictionaries(names, anything, min_size=1, max_size=3))
    try:
        made = dataclasses.replace(good, **changes)
    except ValueError:
        return
    assert {name: getattr(made, name) for name in changes} == changes


@in_one_folder
@given(st.lists(st.tuples(st.integers(0, 3000), st.binary(min_size=1, max_size=4)), min_size=1, max_size=4))
def test_an_altered_checkpoint_is_itself_or_passed_over(tmp_path, changes):
    checkpoints = Checkpoints(RunFolder(tmp_path))
    checkpoints.clear()
    checkpoints.save(Checkpoint(Position(epoch=1)))
    later = Checkpoint(Position(epoch=2), arrays={"model/0": np.arange(300.0)})
    checkpoints.save(later)
    path = tmp_path / "checkpoints/000002.npz"
    content = bytearray(path.read_bytes())
    for place, new in changes:
        content[place : place + len(new)] = new
    path.write_bytes(content)
    found = checkpoints.load()
    assert found is not None
    if found.position.epoch == 2:
        assert np.array_equal(found.arrays["model/0"], later.arrays["model/0"])
    else:
        assert found.position.epoch == 1
