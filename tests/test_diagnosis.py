"""What `zoo doctor` says about accelerators and about the places that weights come from."""

import json
import platform
import socketserver
import threading
import urllib.request

import pytest

from zoo import diagnosis

VAULT = """
import zoo

ZOO_API = ">=1.0,<2"


@zoo.hookimpl
def zoo_backbones():
    facts = {"modality": "image", "family": "f", "params": 1, "input": 8, "dim": 1, "features": ("pooled",)}
    facts |= {"licence": "MIT", "paper": "https://example.org"}
    source = {"source": "vault://owner/model/1", "fetch": "zoo_vault:fetch", "licence": "MIT", "trained_on": "x"}
    weights = zoo.Weights(name="own", bytes=0, pixels=zoo.Pixels(mean=(0, 0, 0), std=(1, 1, 1)), **source)
    return [zoo.Backbone(name="kept", build="zoo_vault:build", weights=(weights,), **facts)]
"""


def test_a_source_that_only_a_library_reads_is_not_asked_and_is_no_fault(environment):
    environment.install(environment.write_plugin("vault", VAULT))
    doctor = environment.zoo("doctor", "--json")
    report = json.loads(doctor.stdout)
    assert doctor.returncode == 0, report["problems"]
    assert report["facts"]["source vault"] == "not asked, because a library fetches from it (weights of 1 backbone)"
    assert not any("vault" in note for note in report["notes"])


@pytest.mark.parametrize("present", [True, False])
def test_on_a_mac_the_package_for_its_gpu_comes_with_a_warning(monkeypatch, present):
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    monkeypatch.setattr(diagnosis, "_installed", lambda name: present and name == "tensorflow-metal")
    report = diagnosis.diagnose()
    assert report["facts"]["accelerators"].startswith("Apple Metal" if present else "none")
    (note,) = [note for note in report["notes"] if "tensorflow-metal" in note]
    assert "may not start" in note
    assert "pip uninstall tensorflow-metal" in note
    assert ("pip install tensorflow-metal" in note) is not present


class _Odd(socketserver.StreamRequestHandler):
    def handle(self):
        self.rfile.readline()
        self.wfile.write(b"no line of HTTP\r\n\r\n")


def test_what_answers_in_another_language_does_not_answer(monkeypatch):
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Odd) as odd:
        threading.Thread(target=odd.serve_forever, daemon=True).start()
        place = f"http://127.0.0.1:{odd.server_address[1]}"
        monkeypatch.setattr(urllib.request, "_opener", None)  # it keeps the proxies of the first request
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert diagnosis._failure(place) == "what answers, it or the proxy, does not speak HTTP"
        monkeypatch.setattr(urllib.request, "_opener", None)
        monkeypatch.setenv("no_proxy", "")
        monkeypatch.setenv("http_proxy", place)
        assert diagnosis._failure("http://some.example") == "what answers, it or the proxy, does not speak HTTP"
        odd.shutdown()


@pytest.mark.parametrize("index", ["http://127.0.0.1:abc/", "http://[::1/simple/", "https://a\x00b/", "https:///x"])
def test_an_index_that_is_no_address_is_said(monkeypatch, index):
    monkeypatch.setattr(diagnosis.os, "environ", {**diagnosis.os.environ, "PIP_INDEX_URL": index})
    (place,) = diagnosis._places([{"source": "wheel:some-1.0-py3-none-any.whl"}])
    assert diagnosis._failure(place)


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("https://me:se@cret@index.example:8443/simple/?q=a@b", "https://index.example:8443"),
        ("http://me:secret@[::1]:3141/team/pypi/", "http://[::1]:3141"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]"),
    ],
)
def test_a_place_is_shown_without_a_password_and_as_it_is_written(address, place):
    assert diagnosis._place(address) == place


def test_the_index_is_the_one_of_pips_own_configuration(monkeypatch, tmp_path):
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://me:secret@index.example/simple/\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    diagnosis._configured_index.cache_clear()
    try:
        assert [*diagnosis._places([{"source": "wheel:some-1.0-py3-none-any.whl"}])] == ["https://index.example"]
    finally:
        diagnosis._configured_index.cache_clear()


def test_the_password_of_a_mirror_is_not_shown(monkeypatch):
    monkeypatch.setenv("ZOO_MIRROR", "https://me:secret@mirror.example/weights")
    assert diagnosis._environment([])["ZOO_MIRROR"] == "https://***@mirror.example/weights"
