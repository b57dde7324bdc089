"""Where weights may come from: which addresses are fetched, and what is said about those that are not."""

import contextlib
import functools
import hashlib
import http.server
import threading

import pytest

import zoo
from zoo.catalog import catalog
from zoo.web import is_secure, without_password
from zoo.weights import obtain

RIGHT = b"the weights that were published"
NOWHERE = "https://127.0.0.1:9/some.bin"  # the discard port: nothing answers


class _Handler(http.server.BaseHTTPRequestHandler):
    def __init__(self, content, *arguments):
        self.content = content
        super().__init__(*arguments)

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving(content):
    """The address of a server on this machine that answers everything with `content`."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Handler, content))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def weights_at(source):
    checksum = f"sha256:{hashlib.sha256(RIGHT).hexdigest()}"
    return zoo.Weights(
        name="own", source=source, bytes=len(RIGHT), checksum=checksum, licence="MIT", trained_on="nothing"
    )


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize(
    "address",
    [
        "https://ok.example/x",
        "HTTPS://ok.example/x",
        "https://me:secret@ok.example/x",
        "http://127.0.0.1/x",
        "http://LOCALHOST:8000/x",
        "http://[::1]:80/x",
    ],
)
def test_addresses_that_are_fetched(address):
    assert is_secure(address)


@pytest.mark.parametrize(
    "address",
    [
        "http://ok.example/x",
        "http://127.0.0.1:80@evil.example/x",
        "http://localhost:1@evil/x",
        "http://127.0.0.1.evil.example/x",
        "http://[::1]evil.example/x",
        "http://[::1/x",
        "http://localhost\\@evil.example/x",
        "https://ok.example\\@evil.example/x",
        "https://ok.example/a b",
        " https://ok.example/x",
        "https://ok.example/\nx",
        "https:///x",
        "ftp://ok.example/x",
        "",
    ],
)
def test_addresses_that_are_not_fetched(address):
    assert not is_secure(address)


def test_a_source_and_a_mirror_without_tls_are_refused(monkeypatch):
    with pytest.raises(ValueError, match=r"is not https://"):
        weights_at("http://127.0.0.1:80@evil.example/x")
    monkeypatch.setenv("ZOO_MIRROR", "http://127.0.0.1:80@evil.example")
    with pytest.raises(zoo.WeightsUnavailable, match="is not an https:// address"):
        obtain(catalog().backbone("resnet50"), weights_at(NOWHERE))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_password_of_a_mirror_is_in_no_message(monkeypatch, scheme):
    monkeypatch.setenv("ZOO_MIRROR", f"{scheme}://me:secret@127.0.0.1:9")
    with pytest.raises(zoo.WeightsUnavailable) as refused:
        obtain(catalog().backbone("resnet50"), weights_at(NOWHERE))
    assert f"{scheme}://***@127.0.0.1:9/some.bin" in str(refused.value)
    assert "secret" not in str(refused.value)
    assert without_password("see https://me:se@cret@a.example/b and c@d") == "see https://***@a.example/b and c@d"


def test_where_the_mirror_gives_another_file_the_source_is_asked(monkeypatch):
    with serving(b"<html>Log in to this network</html>") as mirror, serving(RIGHT) as source:
        monkeypatch.setenv("ZOO_MIRROR", mirror)
        path = obtain(catalog().backbone("resnet50"), weights_at(f"{source}/some.bin"))
    assert path.read_bytes() == RIGHT


def test_every_address_that_gives_another_file_is_named(monkeypatch):
    with serving(b"one page") as mirror, serving(b"another") as source:
        monkeypatch.setenv("ZOO_MIRROR", mirror)
        with pytest.raises(zoo.BadWeights, match="and should be") as refused:
            obtain(catalog().backbone("resnet50"), weights_at(f"{source}/some.bin"))
        with pytest.raises(zoo.WeightsUnavailable, match=r"gives another file .*\(no connection\)") as no_source:
            obtain(catalog().backbone("resnet50"), weights_at(NOWHERE))
    assert f"{mirror}/some.bin gives another file" in str(refused.value)
    assert f"{source}/some.bin gives another file" in str(refused.value)
    assert ".part" not in str(refused.value) + str(no_source.value)
