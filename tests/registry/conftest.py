"""A virtual environment that starts empty: zoo and what it needs come in as wheels, by pip, and nothing else."""

import hashlib
import os
import shutil
import subprocess
import sys
import textwrap
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
_BUILD = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
BACKBONE = """
import zoo

ZOO_API = ">=1.0,<2"
PIXELS = zoo.Pixels(mean=(127.5, 127.5, 127.5), std=(127.5, 127.5, 127.5))


@zoo.hookimpl
def zoo_backbones():
    facts = dict(modality="image", family="tiny", params=5_856, input=64, dim=32, features=("pooled",), licence="MIT")
    return [zoo.Backbone(name="{backbone}", build="zoo_{name}:build", paper="https://example.org/tiny", **facts)]


def build(backbone, weights, file):
    from keras import Input, Model, layers

    pixels = Input((64, 64, 3))
    stem = layers.Conv2D(16, 5, strides=4, activation="relu")
    body = layers.Conv2D(32, 3, strides=2, activation="relu")
    network = Model(pixels, {{"pooled": layers.GlobalAveragePooling2D()(body(stem(pixels)))}}, name="tiny")
    return zoo.Encoder(zoo.image_preprocess(64, PIXELS), network, stages=((stem,), (body,)))
"""


def build_wheel(project: Path, wheels: Path) -> Path:
    """The wheel of a project, made by its own build backend."""
    command = [sys.executable, "-c", _BUILD, str(wheels)]
    done = subprocess.run(command, cwd=project, check=True, capture_output=True, text=True)
    return wheels / done.stdout.strip().splitlines()[-1]


def write_project(
    folder: Path,
    name: str,
    module: str,
    version: str = "1.0",
    needs: str = "",
    extra: str = "",
    plugin: bool = True,
    direct: bool = False,
) -> Path:
    """A distribution `zoo-NAME` with one module, and with an entry point where it is a plugin.

    direct  whether it may need something at an address
    """
    folder.mkdir(parents=True)
    (folder / f"zoo_{name}.py").write_text(module)
    entry = f'[project.entry-points."zoo.plugins"]\n{name} = "zoo_{name}"\n' if plugin else ""
    (folder / "pyproject.toml").write_text(
        textwrap.dedent(f"""
        [build-system]
        requires = ["hatchling"]
        build-backend = "hatchling.build"
        [project]
        name = "zoo-{name}"
        version = "{version}"
        description = "The plugin {name} of a test"
        license = "MIT"
        requires-python = ">=3.11"
        dependencies = [{needs}]
        optional-dependencies = {{ more = [{extra}] }}
        [project.urls]
        Homepage = "https://example.org/{name}"
        """)
        + entry
        + f'[tool.hatch.build.targets.wheel]\ninclude = ["zoo_{name}*"]\n'
        + f"[tool.hatch.metadata]\nallow-direct-references = {str(direct).lower()}\n"
    )
    return folder


class Emptied:
    """The environment, and a folder of wheels beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.wheels, self.env = folder, folder / "wheels", folder / "env"
        self.python = self.env / "bin" / "python"
        self.wheels.mkdir()
        (self.library,) = (self.env / "lib").glob("python*/site-packages")
        self.own = {"ZOO_CACHE": str(folder / "cache"), "ZOO_CONFIG": str(folder / "config"), "PYTHONSAFEPATH": "1"}

    def zoo(self, *arguments: object, cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        return self._run([self.env / "bin" / "zoo", *map(str, arguments)], cwd, variables)

    @contextmanager
    def without_pip(self) -> Iterator[dict[str, str]]:
        """The environment without pip, where zoo takes uv; gives the variables with which uv is found."""
        uv = shutil.which("uv", path=os.path.dirname(sys.executable))
        assert uv
        hidden = self.folder / "pip-away"
        hidden.mkdir()
        for part in self.library.glob("pip*"):
            part.rename(hidden / part.name)
        try:
            yield {"PATH": f"{os.path.dirname(uv)}{os.pathsep}{os.environ['PATH']}"}
        finally:
            for part in hidden.iterdir():
                part.rename(self.library / part.name)
            hidden.rmdir()
            (self.env / ".lock").unlink(missing_ok=True)  # by which uv keeps a second uv out of an environment

    def pip_installs(self, wheel: Path) -> None:
        """Install a wheel as somebody does who does not ask zoo."""
        pip = [self.python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile", wheel]
        subprocess.run(pip, check=True, capture_output=True)

    def python_runs(self, program: str) -> subprocess.CompletedProcess[str]:
        return self._run([self.python, "-c", program], None, {})

    def _run(
        self, command: list[object], cwd: Path | None, variables: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        environment = os.environ | self.own | variables
        options: dict[str, object] = {"capture_output": True, "text": True, "timeout": 600}
        return subprocess.run(command, env=environment, cwd=cwd or self.folder, **options)  # type: ignore[call-overload]

    @staticmethod
    def module(name: str, backbone: str) -> str:
        """The module `zoo_NAME` of a plugin with one small backbone."""
        return BACKBONE.format(name=name, backbone=backbone)

    def rebuild(self, project: Path) -> Path:
        return build_wheel(project, self.wheels)

    def add_wheel(self, name: str, module: str = "", **options: object) -> Path:
        """The wheel of a project, laid among the others."""
        module = module or BACKBONE.format(name=name, backbone=f"{name}_net")
        key = hashlib.sha256(repr((module, options)).encode()).hexdigest()[:8]
        project = self.folder / "projects" / f"{name}-{key}"
        if not project.exists():
            write_project(project, name, module, **options)  # type: ignore[arg-type]
        return build_wheel(project, self.wheels)

    def state(self) -> tuple[str, dict[str, str]]:
        """What pip says is installed, and every file that is there, with its content but for compiled code."""
        freeze = subprocess.run(
            [self.python, "-m", "pip", "freeze", "--all"], check=True, capture_output=True, text=True
        )
        files = [path for path in self.env.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        big = 1_000_000
        content = {
            str(path.relative_to(self.env)): str(path.stat().st_size)
            if path.stat().st_size > big
            else hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
            if path.name != ".zoo-install.lock"
        }
        return freeze.stdout, content


@pytest.fixture(scope="session")
def emptied(tmp_path_factory: pytest.TempPathFactory) -> Emptied:
    folder = tmp_path_factory.mktemp("emptied")
    venv.create(folder / "env", symlinks=True, with_pip=True)
    environment = Emptied(folder)
    projects = [ROOT, ROOT / "plugins" / "heads"]
    wheels = [build_wheel(project, folder) for project in projects]
    pip = [environment.python, "-m", "pip", "install", "--no-compile", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(
        [*pip, "--constraint", ROOT / "constraints.txt", *wheels], capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr
    return environment
