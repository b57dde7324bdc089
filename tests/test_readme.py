"""The plugin in the README is a plugin: installed by pip, listed, and trained as the README says."""

import json
import re
import runpy
import tomllib
from pathlib import Path

from zoo.testing.commands import CommandLine

README = (Path(__file__).parent.parent / "README.md").read_text()


def test_the_plugin_in_the_readme_works_as_it_stands(environment, few_pictures):
    project = environment.folder / "project"
    project.mkdir()
    for name, code in re.findall(r"`([\w.]+)`:\n\n```\w+\n(.*?)```", README, re.DOTALL):
        (project / name).write_text(code)
    files = {path.name for path in project.iterdir()}
    assert files == {"pyproject.toml", "zoo_tiny.py"}
    assert len((project / "zoo_tiny.py").read_text().splitlines()) <= 25
    environment.install(project)
    shell = CommandLine(environment.python)

    (listed,) = json.loads(shell.run("list", "tiny_net", "--json")[1])
    assert listed["weights"] == {"name": "none", "bytes": 0, "licence": "none needed", "state": "none"}
    out = few_pictures.parent / "run"
    status, said, errors = shell.run(
        "train", "tiny_net", few_pictures, "--unfreeze", "all", "--epochs", 1, "--out", out
    )
    assert status == 0, errors
    assert "accuracy" in said
    _, checked, _ = shell.run("check", "zoo-tiny", "--json")
    (facts,) = [row for row in json.loads(checked) if row["promise"] == "facts match what is built"]
    assert facts["state"] == "kept", facts


def test_the_guides_table_of_options_is_that_of_the_settings():
    docs = Path(__file__).parent.parent / "docs"
    written = runpy.run_path(str(docs / "options.py"))
    assert written["table"]() in (docs / "guide.md").read_text(), "run: python docs/options.py"


def test_every_document_is_in_the_table_of_contents():
    documents = {f"docs/{path.name}" for path in (Path(__file__).parent.parent / "docs").glob("*.md")}
    assert documents == set(re.findall(r"\]\((docs/[\w.]+)\)", README))


def test_every_distribution_carries_the_licence():
    root = Path(__file__).parent.parent
    for project in root.glob("plugins/*/pyproject.toml"):
        assert (project.parent / "LICENSE").read_text() == (root / "LICENSE").read_text()
        about = tomllib.loads(project.read_text())["project"]
        assert (about["license"], about["license-files"]) == ("Apache-2.0", ["LICENSE"])
