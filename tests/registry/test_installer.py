"""What pip and uv are asked for: the very commit that was asked for, and no network where it is forbidden."""

import os
import shutil
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import pytest

from zoo.errors import BadRegistry, CannotInstall
from zoo.registry import candidates, installer, request
from zoo.registry.candidates import Candidate
from zoo.registry.describe import _of_index
from zoo.registry.installer import Options, lay_out, resolve
from zoo.registry.sources import Registries

BACKEND = """
import zipfile
from pathlib import Path


def build_wheel(folder, config_settings=None, metadata_directory=None):
    about = "zoo_two-1.0.dist-info/"
    files = {
        "zoo_two.py": Path("zoo_two.py").read_text(),
        about + "METADATA": "Metadata-Version: 2.1\\nName: zoo-two\\nVersion: 1.0\\n",
        about + "WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    files[about + "RECORD"] = "".join(f"{name},,\\n" for name in [*files, about + "RECORD"])
    with zipfile.ZipFile(Path(folder, "zoo_two-1.0-py3-none-any.whl"), "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return "zoo_two-1.0-py3-none-any.whl"
"""
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "zoo-two"
version = "1.0"
"""


def _git(folder, *arguments):
    person = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *person, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def first_commit(tmp_path):
    """The address of the first of two commits to a plugin in a folder of a repository."""
    repository = tmp_path / "repository"
    project = repository / "plugins" / "two"
    project.mkdir(parents=True)
    (project / "backend.py").write_text(BACKEND)
    (project / "pyproject.toml").write_text(PROJECT)
    _git(repository, "init", "--quiet")
    commits = []
    for number in (1, 2):
        (project / "zoo_two.py").write_text(f"NUMBER = {number}\n")
        _git(repository, "add", ".")
        _git(repository, "commit", "--quiet", "--message", str(number))
        commits.append(_git(repository, "rev-parse", "HEAD"))
    return f"git+{repository.as_uri()}@{commits[0]}#subdirectory=plugins/two"


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_the_commit_that_was_asked_for_is_installed(first_commit, tmp_path, monkeypatch, tool):
    uv = shutil.which("uv", path=os.path.dirname(sys.executable))
    monkeypatch.setattr(installer, "_uv", lambda: uv if tool == "uv" else None)
    options = Options(no_index=True, allow_build=True)
    (candidate,) = resolve([first_commit], [], options, upgrade=False, build=True)
    assert candidate.given == first_commit
    assert candidate.origin == first_commit.partition("#")[0]
    lay_out([candidate], tmp_path / "prefix", options)
    (module,) = (tmp_path / "prefix").rglob("zoo_two.py")
    assert module.read_text() == "NUMBER = 1\n"


@pytest.mark.parametrize(
    ("info", "address"),
    [
        ({"url": "https://h/a.tar.gz", "subdirectory": "s", "archive_info": {}}, "https://h/a.tar.gz#subdirectory=s"),
        ({"url": "https://h/a", "vcs_info": {"vcs": "hg", "commit_id": "c"}}, "hg+https://h/a@c"),
        ({"url": "file:///a.whl", "archive_info": {}}, "file:///a.whl"),
    ],
)
def test_an_address_says_everything_that_pip_reports(info, address):
    assert candidates.address_of(info) == address


def test_offline_installs_from_this_disk_and_asks_nobody(tmp_path, monkeypatch):
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        do_HEAD = do_GET

        def log_message(self, *arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("PIP_INDEX_URL", f"{address}/simple")
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    try:
        with pytest.raises(CannotInstall, match="ZOO_OFFLINE=1 forbids the network"):
            resolve(["zoo-nowhere"], [], Options(), upgrade=False)
        for given, links in ((f"{address}/a-1.0-py3-none-any.whl", ()), ("zoo-nowhere", (f"{address}/wheels",))):
            with pytest.raises(CannotInstall, match="ZOO_OFFLINE=1 forbids the network, and http"):
                resolve([given], [], Options(links), upgrade=False)
        with pytest.raises(BadRegistry, match="ZOO_OFFLINE=1 forbids the network"):
            _of_index("zoo-nowhere==1.0")
        assert installer._size(f"{address}/file.whl") is None
        (wheel,) = _wheels(tmp_path, "zoo_near")
        (found,) = resolve(["zoo-near"], [], Options((str(tmp_path),)), upgrade=False)
        assert found.bytes == wheel.stat().st_size
        (needs,) = _wheels(tmp_path / "more", "zoo_far", f"Requires-Dist: zoo-x @ {address}/zoo_x-1-py3-none-any.whl")
        with pytest.raises(CannotInstall, match="ZOO_OFFLINE=1 forbids the network"):
            resolve([str(needs)], [], Options(), upgrade=False)
    finally:
        server.shutdown()
        server.server_close()
    assert not asked


def _wheels(folder, name, more=""):
    folder.mkdir(exist_ok=True)
    wheel, about = folder / f"{name}-1.0-py3-none-any.whl", f"{name}-1.0.dist-info/"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(about + "METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{more}\n")
        archive.writestr(about + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(about + "RECORD", "")
    return [wheel]


@pytest.mark.parametrize(
    "asked", ["zoo-x @ https://example.org/zoo_x-1.0-py3-none-any.whl", "zoo-x==1.0", "https://example.org/x.whl"]
)
def test_a_requirement_may_have_an_address(asked):
    assert request.request_of(asked, Registries()).source == asked


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("zoo-x @ http://example.org/x.whl", "not at an https:// address"),
        (".\\my-plugin", "does not exist"),
        ("nowhere.whl", "does not exist"),
    ],
)
def test_what_is_no_requirement_is_said_as_what_it_is(asked, said, monkeypatch):
    monkeypatch.setattr(request, "os", SimpleNamespace(sep="\\", altsep="/"))
    with pytest.raises(CannotInstall, match=said):
        request.request_of(asked, Registries())


def test_a_path_that_exists_wins_over_a_requirement(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "zoo_x-1.0-py3-none-any.whl").write_text("")
    assert request.request_of("zoo_x-1.0-py3-none-any.whl", Registries()).source == str(
        tmp_path.resolve() / "zoo_x-1.0-py3-none-any.whl"
    )


def test_a_candidate_of_an_index_has_no_address():
    assert Candidate("zoo-x", "1.0", sha256=("0",)).line() == "zoo-x==1.0 --hash=sha256:0"
