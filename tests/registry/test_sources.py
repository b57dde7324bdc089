"""Where registries come from, in which order, and what happens when one is not available."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from zoo.errors import CannotInstall
from zoo.registry.environment import refuse_unmanageable

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
    return {one["name"]: one for one in json.loads(result.stdout)}


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
