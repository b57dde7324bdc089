"""What the command line does for an installation, through Python: registries, plans, the cache, promises."""

import json
import sys
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import zoo
import zoo.testing
from zoo.registry import sources
from zoo.registry.environment import is_of
from zoo.testing import BrokenPromise, NotChecked, Promise

ENTRY = """
[[plugins]]
name = "some_nets"
summary = "Networks of a test"
distribution = "zoo-some-nets"
requirement = "zoo-some-nets==1.0"
api = ">=1.0,<2"
licence = "MIT"
homepage = "https://example.org"
backbones = [{ name = "some_vit", modality = "image" }]
"""


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry with one plugin; settings and cache are empty."""
    monkeypatch.setenv("ZOO_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    (tmp_path / "registry.toml").write_text("format = 1\n" + ENTRY)
    return tmp_path / "registry.toml"


def test_a_registry_is_used_searched_and_forgotten(registry, monkeypatch):
    monkeypatch.chdir(registry.parent)
    assert zoo.search("some_vit") == []
    (found,) = zoo.search("some vit", registries=registry)
    assert (found["name"], found["installed"], found["verified"]) == ("some_nets", None, False)
    assert found["matches"] == {"backbones": ["some_vit"], "heads": [], "modalities": []}
    assert zoo.use_registry("registry.toml") == str(registry)
    assert zoo.list_registries()[0] == {"registry": str(registry), "plugins": 1}
    assert zoo.search("some_vit")[0]["registry"] == str(registry)
    with pytest.raises(zoo.UnknownName, match="The plugin some_nets offers some_vit: zoo install some_nets"):
        zoo.backbone_info("some_vit")
    assert zoo.forget_registry(Path("registry.toml")) == str(registry)
    assert [one["registry"] for one in zoo.list_registries()] == ["built-in"]
    with pytest.raises(zoo.UnknownName, match="Registries in use: none"):
        zoo.forget_registry("registry.toml")


def test_without_a_checkout_the_hints_say_that_a_plugin_of_zoo_needs_one(registry, monkeypatch, tmp_path):
    registry.write_text(registry.read_text() + 'folder = "plugins/some_nets"\n')
    monkeypatch.setattr(sources, "built_in_registry", lambda: registry)
    named = "zoo registry use CHECKOUT/registry.toml"
    both = f"{named} && zoo install some_nets"
    with pytest.raises(zoo.UnknownName, match=rf"offers some_vit: {both} \(only a checkout of zoo has it\)"):
        zoo.backbone_info("some_vit")
    with pytest.raises(zoo.CannotInstall, match=rf"A checkout .*has it; name one first: {named}"):
        zoo.install("some_nets", find_links=tmp_path, no_index=True)
    with pytest.raises(zoo.CannotInstall, match=f"no package index has it.*name one first: {named}"):
        zoo.install("some_nets")
    with pytest.raises(zoo.CannotInstall, match=f"no package index has it.*name one first: {named}"):
        zoo.install("zoo-some-nets==1.0")
    assert zoo.search("some vit")[0]["install"] == both
    (tmp_path / "plugins" / "some_nets").mkdir(parents=True)
    with pytest.raises(zoo.UnknownName, match="The plugin some_nets offers some_vit: zoo install some_nets"):
        zoo.backbone_info("some_vit")
    assert zoo.search("some vit")[0]["install"] == "zoo install some_nets"


def test_a_registry_is_checked(registry):
    registry.write_text(registry.read_text() + ENTRY.replace("==1.0", ">=1"))
    checked = zoo.check_registry(registry)
    assert (checked.plugins, checked.backbones) == (["some_nets"], 1)
    (problem,) = checked.problems
    assert "must name one version: package==version" in problem
    with pytest.raises(zoo.BadRegistry, match="cannot be read"):
        zoo.check_registry(registry.parent / "nothing.toml")


def test_an_entry_needs_a_plugin_and_a_file(registry):
    with pytest.raises(zoo.UnknownName, match="No plugin called 'nothing' is installed"):
        zoo.add_to_registry("nothing", registry)
    with pytest.raises(zoo.BadRegistry, match=r"is a folder\. Name a file: .*registry\.toml"):
        zoo.add_to_registry("heads", registry.parent)
    (registry.parent / "torn-1.0-py3-none-any.whl").write_bytes(b"PK")
    with pytest.raises(zoo.BadRegistry, match="is not a wheel"):
        zoo.add_to_registry(str(registry.parent / "torn-1.0-py3-none-any.whl"), registry)


def test_a_removal_is_planned_and_nothing_happens_without_consent():
    planned = zoo.uninstall("tfhub_bert", dry_run=True)
    assert not planned.done
    assert planned.removed["tfzoo-tfhub-bert"] == "0.1.0"
    asked = []
    declined = zoo.uninstall(["tfhub_bert"], confirm=lambda versions: bool(asked.append(versions)))
    assert asked == [planned.removed]
    assert declined == planned
    assert "tfhub_bert" in {plugin["name"] for plugin in zoo.list_plugins()}
    with pytest.raises(zoo.UnknownName, match="Did you mean tfhub_bert"):
        zoo.uninstall("tfhub_brt")


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ("no plugin", zoo.UnknownName, "neither a plugin in a registry nor a requirement"),
        ("./nowhere", zoo.CannotInstall, "nowhere does not exist"),
        (["zoo-nowhere==1"], zoo.CannotInstall, "Cannot install zoo-nowhere==1: .*No matching distribution"),
    ],
)
def test_what_cannot_be_installed_is_an_error_before_anybody_is_asked(asked, error, said, registry, tmp_path):
    def confirm(plan: object) -> bool:
        raise AssertionError("asked")

    with pytest.raises(error, match=said):
        zoo.install(asked, find_links=tmp_path, no_index=True, confirm=confirm)


def test_the_cache_is_shown_and_pruned(registry):
    import numpy as np

    from zoo.features.store import Store

    assert zoo.cache()["features"] == []
    store = Store({"backbone": "some_vit", "precision": "float32"}, {"pooled": (4,)})
    store.add(["00" * 16], {"pooled": np.ones((1, 4), "float32")}, halved=False)
    store.flush()
    shown = zoo.cache()
    (one,) = shown["features"]
    assert (one["backbone"], one["precision"], one["bytes"]) == ("some_vit", "float32", shown["bytes"])
    assert zoo.cache(prune_to="1GB")["deleted"] == 0
    assert zoo.cache(prune_to=0)["deleted"] == shown["bytes"] > 0
    with pytest.raises(zoo.ZooError, match="'some' is not a size"):
        zoo.cache(prune_to="some")


def test_each_promise_gets_a_verdict(monkeypatch):
    def breaks() -> str:
        raise BrokenPromise("seven, not eight")

    def cannot() -> str:
        raise NotChecked("no weights")

    def fails() -> str:
        raise OSError("gone\nand more")

    made = [Promise("backbone b", test.__name__, test) for test in (lambda: "fine", breaks, cannot, fails)]
    monkeypatch.setattr(sys.modules["zoo.testing.promises"], "promises", lambda *_, **__: made)
    found = zoo.check("some-nets")
    verdicts = [(outcome.verdict, outcome.detail) for outcome in found]
    assert verdicts == [
        ("kept", "fine"),
        ("broken", "seven, not eight"),
        ("not checked", "no weights"),
        ("broken", "OSError: gone"),
    ]
    monkeypatch.undo()
    with pytest.raises(zoo.UnknownName, match="No plugin called 'some-nets' is installed"):
        zoo.check("some-nets")
    with pytest.raises(zoo.UnknownName, match="No backbone of heads matches x"):
        zoo.check("heads", ["x"])
    with pytest.raises(zoo.UnknownName, match="No backbone of efficientnet_lite matches nothing"):
        zoo.check("efficientnet_lite", ["efficientnet_lite*", "nothing*"])


def test_weights_that_do_not_exist_are_no_fault_of_the_plugin(registry):
    with pytest.raises(zoo.UnknownName, match=r"--weights 'mistyped\.pth' is neither a file nor one of default, none"):
        zoo.check("efficientnet_lite", weights="mistyped.pth")
    assert zoo.testing.promises("efficientnet_lite", weights=str(registry))
    assert zoo.testing.promises("tfhub_bert", ["minilm*"], weights="none")


def test_a_plugin_that_offers_nothing_is_not_started(tmp_path):
    with pytest.raises(zoo.ZooError, match="a backbone or a head"):
        zoo.new_plugin("my-nets", tmp_path / "new", backbone=False, head=False)
    assert not list(tmp_path.iterdir())


def test_a_registry_without_plugins_is_used_said_and_listed(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("ZOO_CONFIG", str(tmp_path / "config"))
    (tmp_path / "registry.toml").write_text("format = 1\n")
    name = zoo.use_registry(tmp_path / "registry.toml")
    assert f"Note: {name} lists no plugin yet." in capsys.readouterr().err
    assert zoo.list_registries()[0] == {"registry": name, "plugins": 0}


def test_what_is_installed_from_a_folder_is_that_folder_already(tmp_path):
    heads = metadata.distribution("tfzoo-heads")
    folder = urlsplit(json.loads(heads.read_text("direct_url.json"))["url"]).path
    for given in (folder, f"{folder}/.", f"file://{folder}", f"tfzoo-heads @ file://{folder}"):
        assert is_of(heads, given)
    for other in (str(tmp_path), "https://example.org/heads.whl", "tfzoo-heads @ https://example.org/heads.whl"):
        assert not is_of(heads, other)
