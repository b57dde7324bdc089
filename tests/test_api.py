"""The example in the docstring of every public function runs as it stands."""

import doctest
import inspect
import shutil
from pathlib import Path

import pytest

import zoo

LIGHT = "list_backbones backbone_info list_heads list_plugins switch_plugin pull search list_registries check_registry"
LIGHT += " registry_schema new_plugin cache doctor"


@pytest.mark.parametrize("name", [*LIGHT.split(), "build", "train", "load_run"])
def test_the_example_in_the_docstring_runs(name, tmp_path, monkeypatch, request, clipart):
    (tmp_path / "examples").symlink_to(clipart.parent.parent)
    (tmp_path / "registry.toml").symlink_to(clipart.parents[2] / "registry.toml")
    if name == "load_run":
        shutil.copytree(request.getfixturevalue("finished_run"), tmp_path / "runs" / "clipart")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    (example,) = doctest.DocTestFinder(recurse=False).find(getattr(zoo, name), name, globs={})
    assert example.examples
    report: list[str] = []
    results = doctest.DocTestRunner().run(example, out=report.append)
    assert results.failed == 0, "".join(report)


def test_everything_that_zoo_exports_is_there_and_documented():
    for name in zoo.__all__:
        assert name == "API_VERSION" or getattr(zoo, name).__doc__
        if inspect.isfunction(getattr(zoo, name)) and getattr(zoo, name).__module__.startswith("zoo.api."):
            assert getattr(zoo.api, name) is getattr(zoo, name)
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        zoo.trian  # noqa: B018


def test_a_model_is_built_with_a_head(tmp_path):
    import numpy as np

    model = zoo.build("mobilenet_v3_small", weights="none", head="classification", labels=["yes", "no"])
    answer = np.asarray(model(np.zeros((2, 50, 60, 3), "float32")))
    assert answer.shape == (2, 2)
    assert np.allclose(answer.sum(axis=1), 1)
    model.save(Path(tmp_path) / "model.keras")
