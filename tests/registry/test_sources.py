"""Where registries come from, in which order, and what happens when one is not available."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from zoo.catalog.points import built_in_registry
from zoo.errors import CannotInstall
from zoo.registry import planning
from zoo.registry.environment import refuse_unmanageable
from zoo.registry.format import parse
from zoo.registry.installer import Options
from zoo.registry.search import offering, search
from zoo.registry.sources import BUILT_IN, Registries, load

ENTRY = """
[[plugins]]
name = "{name}"
summary = "{summary}"
distribution = "zoo-{name}"
requirement = "zoo-{name}==1.0"
api = ">=1.0,<2"
licence = "MIT"
homepage = "https://example.org"
backbones = [{{ name = "{name}_vit", modality = "image" }}]
"""


def _registry(path: Path, *names: str, summary: str = "A plugin") -> Path:
    path.write_text("format = 1\n" + "".join(ENTRY.format(name=name, summary=summary) for name in names))
    return path


@pytest.fixture
def own(tmp_path):
    return {"ZOO_CONFIG": str(tmp_path / "config"), "ZOO_CACHE": str(tmp_path / "cache")}


def _found(zoo_command, *arguments, **variables):
    result = zoo_command("search", "--json", *arguments, **variables)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    return {one["name"]: one for one in reversed(found)}  # of two with the same name, the first


def test_registries_are_asked_in_their_order(zoo_command, own, tmp_path):
    given = _registry(tmp_path / "given.toml", "one", "heads", summary="given")
    named = _registry(tmp_path / "named.toml", "one", "two", summary="named")
    used = _registry(tmp_path / "used.toml", "two", "three", summary="used")
    assert zoo_command("registry", "use", used, **own).returncode == 0
    found = _found(zoo_command, "--registry", given, **own, ZOO_REGISTRY=str(named))
    assert [found[name]["summary"] for name in ("one", "two", "three")] == ["given", "named", "used"]
    assert found["one"]["also_in"] == [str(named)]
    assert found["heads"]["summary"] == "given"
    assert found["heads"]["also_in"] == ["built-in"]
    assert found["keras_applications"]["registry"] == "built-in"
    listed = zoo_command("registry", "list", **own).stdout
    assert str(used) in listed
    assert zoo_command("registry", "forget", used, **own).returncode == 0
    assert "three" not in _found(zoo_command, **own)
    assert zoo_command("registry", "forget", used, **own).returncode == 1


def test_search_finds_by_backbone_and_shows_what_is_installed(zoo_command, own):
    found = _found(zoo_command, "electra", **own)
    assert set(found) == {"kerashub", "tfhub_bert"}
    assert found["tfhub_bert"]["installed"] == "0.1.0"
    assert found["tfhub_bert"]["matches"]["backbones"] == ["electra_small", "electra_base", "electra_large"]
    assert "regression" in _found(zoo_command, "regression", **own)["heads"]["matches"]["heads"]
    nothing = zoo_command("search", "nothing_of_the_kind", **own)
    assert nothing.returncode == 1
    assert "nothing_of_the_kind" in nothing.stderr


def test_a_broken_registry_is_a_sentence_where_given_and_a_note_elsewhere(zoo_command, own, tmp_path):
    broken = tmp_path / "broken.toml"
    broken.write_text("format = 9\n")
    given = zoo_command("search", "--registry", broken, **own)
    assert given.returncode == 1
    assert "format 9" in given.stderr
    named = zoo_command("search", **own, ZOO_REGISTRY=f"{broken},{tmp_path / 'nowhere.toml'}")
    assert named.returncode == 0
    assert "format 9" in named.stderr
    assert "nowhere.toml cannot be read" in named.stderr
    assert "keras_applications" in named.stdout
    assert zoo_command("registry", "check", broken, **own).returncode == 1
    wrong = _registry(tmp_path / "wrong.toml", "fine", "-evil")
    checked = zoo_command("registry", "check", wrong, "--json", **own)
    assert checked.returncode == 1
    report = json.loads(checked.stdout)
    assert report["plugins"] == ["fine"]
    assert "name" in report["problems"][0]


def test_a_registry_at_an_address_is_cached_for_when_it_is_not_available(zoo_command, own, tmp_path):
    content = [_registry(tmp_path / "served.toml", "served").read_bytes()]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(content[0])

        def log_message(self, *arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/registry.toml"
    assert "served" in _found(zoo_command, "--registry", address, **own)
    content[0] = b"#" * 5_000_000
    large = zoo_command("search", "--registry", address, **own)
    assert "larger than 4 MB" in large.stderr
    assert "served" in large.stdout, "the copy of the last time"
    content[0] = b"<html>Please log in to this network</html>"
    for _ in range(2):
        portal = zoo_command("search", "--registry", address, **own)
        assert "is not a TOML file" in portal.stderr
        assert "served" in portal.stdout, "what a portal answers does not replace the copy"
    server.shutdown()
    server.server_close()
    gone = zoo_command("search", "--registry", address, **own)
    assert gone.returncode == 0
    assert "the last time" in gone.stderr
    assert "served" in gone.stdout
    never = zoo_command("search", "--registry", "http://127.0.0.1:9/registry.toml", **own)
    assert never.returncode == 1
    assert "cannot be fetched" in never.stderr
    plain = zoo_command("search", "--registry", "http://example.org/registry.toml", **own)
    assert plain.returncode == 1
    assert "https://" in plain.stderr


def test_an_environment_that_is_not_ours_is_a_sentence(tmp_path):
    library, stdlib = tmp_path / "library", tmp_path / "stdlib"
    library.mkdir()
    stdlib.mkdir()
    refuse_unmanageable("/usr", "/usr", stdlib, library)
    (stdlib / "EXTERNALLY-MANAGED").write_text("")
    refuse_unmanageable("/env", "/usr", stdlib, library)
    with pytest.raises(CannotInstall, match="managed by the operating system"):
        refuse_unmanageable("/usr", "/usr", stdlib, library)
    with pytest.raises(CannotInstall, match="not writable"):
        refuse_unmanageable("/env", "/usr", stdlib, tmp_path / "nowhere")


@pytest.mark.parametrize("base", ["folder", "https://example.org/registry.toml"])
def test_a_copy_of_a_checkouts_registry_sends_nobody_to_a_package_index(tmp_path, monkeypatch, base):
    monkeypatch.setattr(planning, "resolve", lambda *_, **__: pytest.fail("pip was asked"))
    entries, _ = parse(built_in_registry().read_bytes(), "copy")
    copy = Registries()
    copy.add(entries, "copy", str(tmp_path) if base == "folder" else base)
    listing = copy.listings["kerashub"]
    assert listing.needs_checkout
    assert listing.install == "zoo registry use CHECKOUT/registry.toml && zoo install kerashub"
    for asked in ("kerashub", "tfzoo-kerashub", "tfzoo_kerashub==0.1.0"):
        with pytest.raises(CannotInstall, match=r"no package index has it.*zoo registry use CHECKOUT"):
            planning.plan_installation([asked], copy, Options())
    (tmp_path / "plugins" / "kerashub").mkdir(parents=True)
    assert copy.listings["kerashub"].needs_checkout is (base != "folder")


def test_a_plugin_with_hashes_needs_no_checkout(tmp_path):
    hashed = 'folder = "nowhere"\nartefacts = [{ file = "zoo_one-1.0-py3-none-any.whl", sha256 = "%s" }]\n' % ("0" * 64)
    entries, problems = parse(_registry(tmp_path / "r.toml", "one").read_bytes() + hashed.encode(), "it")
    found = Registries()
    found.add(entries, "it", str(tmp_path))
    assert not problems
    assert not found.listings["one"].needs_checkout


def test_the_command_that_installs_names_a_registry_that_is_not_in_use(zoo_command, own, tmp_path, monkeypatch):
    given = _registry(tmp_path / "my registry.toml", "one")
    command = f"zoo install one --registry '{given}'"
    assert f"\nTry: {command}\n" in zoo_command("search", "one_vit", "--registry", given, **own).stdout
    assert load([str(given)]).listings["one"].install == command
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZOO_REGISTRY", str(given))
    for named in ([], [str(given)], [given.name]):
        assert load(named).listings["one"].install == "zoo install one"


def test_a_plugin_of_another_distribution_is_not_the_one_in_the_registry(tmp_path):
    entries, _ = parse(_registry(tmp_path / "r.toml", "heads").read_bytes(), "it")
    found = Registries()
    found.add(entries, BUILT_IN, str(tmp_path))
    rows = {row["distribution"]: row["installed"] for row in search("", found) if row["name"] == "heads"}
    assert rows == {"zoo-heads": None, "tfzoo-heads": "0.1.0"}
    assert offering("backbone", "heads_vit", found).startswith("The plugin heads offers heads_vit")
