"""Servers that stall, cut, redirect and lie: one sentence each, nothing half written, and no endless waiting."""

import hashlib
import os
import socket
import threading
import time

import pytest

import zoo
from zoo.catalog import catalog
from zoo.weights import download as downloading
from zoo.weights import obtain

CONTENT = os.urandom(200_000)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"


def _whole(connection):
    connection.sendall(HEAD % len(CONTENT) + CONTENT)


def _cut(connection):
    connection.sendall(HEAD % len(CONTENT) + CONTENT[:1000])


def _cut_without_length(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + CONTENT[:1000])


def _stalls(connection):
    connection.sendall(HEAD % len(CONTENT) + CONTENT[:1000])
    time.sleep(3)


def _never_answers(connection):
    time.sleep(3)


def _of_another_hash(connection):
    connection.sendall(HEAD % len(CONTENT) + CONTENT[::-1])


def _no_http(connection):
    connection.sendall(b"\x00\x01\x02\x03 what?\r\n\r\n")


def _never_ends(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    start = time.monotonic()
    while time.monotonic() - start < 20:
        connection.sendall(bytes(1 << 16))


def _drips(connection):
    connection.sendall(HEAD % len(CONTENT))
    for number in range(100):
        connection.sendall(CONTENT[number : number + 1])
        time.sleep(0.05)


def _error(connection):
    connection.sendall(b"HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n")


def _portal(connection):
    page = b"<html>Please log in</html>"
    connection.sendall(HEAD % len(page) + page)


def _redirects(to):
    def answer(connection):
        connection.sendall(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: %s\r\n\r\n" % to)

    return answer


@pytest.fixture
def served():
    """Lets a function answer every connection; gives the address."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve(answer):
        def each():
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=one, args=(connection, answer), daemon=True).start()

        threading.Thread(target=each, daemon=True).start()
        return f"http://127.0.0.1:{listening.getsockname()[1]}"

    def one(connection, answer):
        with connection:
            try:
                connection.recv(1 << 16)
                answer(connection)
            except OSError:
                pass

    yield serve
    listening.close()


def _weights(address):
    checksum = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
    facts = {"bytes": len(CONTENT), "licence": "MIT", "trained_on": "nothing"}
    return zoo.Weights(name="some", source=f"{address}/some.bin", checksum=checksum, **facts)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (_cut, "the connection was interrupted"),
        (_cut_without_length, "gives another file"),
        (_stalls, "no answer within 1 s|no connection"),
        (_never_answers, "no answer within 1 s"),
        (_of_another_hash, "gives another file"),
        (_no_http, "cannot be fetched"),
        (_never_ends, "gives far more bytes"),
        (_drips, "sends less than 1000 bytes a second"),
        (_error, "HTTP 500"),
        (_portal, "gives another file"),
        (_redirects(b"file:///etc/passwd"), "is not an https:// address"),
        (_redirects(b"http://example.org/some.bin"), "is not an https:// address"),
        (_redirects(b"/again"), "cannot be fetched"),
    ],
)
def test_every_kind_of_bad_server_is_a_sentence(monkeypatch, tmp_path, served, answer, said):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(downloading, "_TIMEOUT_SECONDS", 1)
    monkeypatch.setattr(downloading, "_SLOW_SECONDS", 2)
    monkeypatch.setattr(downloading, "_SLOW_BYTES", 2000)
    if answer is _drips:
        monkeypatch.setattr(downloading, "_CHUNK", 1)
    offer = catalog().backbone("resnet50")
    with pytest.raises((zoo.WeightsUnavailable, zoo.BadWeights), match=said):
        obtain(offer, _weights(served(answer)))
    left = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    left = [path for path in left if path.suffix != ".lock" and path.parent.name != "catalog"]
    assert left == []


def test_a_good_server_after_a_bad_one(monkeypatch, tmp_path, served):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    answers = iter([_cut, _of_another_hash])
    address = served(lambda connection: next(answers, _whole)(connection))
    offer = catalog().backbone("resnet50")
    for _ in range(2):
        with pytest.raises((zoo.WeightsUnavailable, zoo.BadWeights)):
            obtain(offer, _weights(address))
    assert obtain(offer, _weights(address)).read_bytes() == CONTENT
