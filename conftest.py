"""What the tests of the host and of the plugins share: real processes, real environments, real runs."""

import os
import subprocess
import sys
import sysconfig
import textwrap
import venv
from pathlib import Path

import pytest

from zoo.engine import use_onednn

use_onednn()  # test modules import TensorFlow before zoo does, and are to compute as the processes of zoo do

ROOT = Path(__file__).parent
CLIPART = ROOT / "examples" / "data" / "clipart"
UNSEEN = ROOT / "examples" / "data" / "unseen"
# The files that take longest come first, so that no worker is left alone with one of them at the end.
LONGEST = (
    "training/test_resume",
    "tests/test_text_runs",
    "registry/test_install",
    "training/",
    "testing/",
    "kerashub/",
)

# Those that `make test` leaves to `make test-all`: each says of one more network or head what another says already.
SLOW = (
    *(f"promises[backbone {name}:" for name in ("vgg16", "xception", "nasnet_mobile", "densenet121")),
    *(f"promises[backbone {name}:" for name in ("mobilenet", "efficientnet_v2_b0", "resnet50_v2")),
    *(f"promises[backbone {name}:" for name in ("mobilenet_v2", "efficientnet_b0")),
    *(f"promises[head {name}:" for name in ("multilabel", "pair_classification", "pair_regression")),
    "test_the_same_seed_gives_the_same_weights_though_dropout_is_active",
    "sentences_of_all_lengths[0]",
    "folder[regression-stars",
    "folder[pair_regression-stars",
    "same_answer[resnet50_v2",
    "same_answer[bert]",
    "as_keras_hub_packs_them[Roberta]",
    "test_presets_of_pictures_keep_every_promise",
    "goes_on_when_there_is_space[1000000]",
    "test_random_weights_train_save_load_and_predict",
    "test_the_newcomers_way_in_the_guide_works_as_it_stands",
    "test_every_epoch_sees_other_views_where_nothing_is_kept",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests in the order of `LONGEST`, and mark those that are `SLOW`."""

    def rank(item: pytest.Item) -> int:
        path = item.path.as_posix()
        return next((place for place, part in enumerate(LONGEST) if part in path), len(LONGEST))

    items.sort(key=rank)
    for item in items:
        if any(part in item.nodeid for part in SLOW):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing of the person who runs the tests is read or written: cache and settings are in temporary folders."""
    os.environ["ZOO_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    os.environ["ZOO_CONFIG"] = str(tmp_path_factory.mktemp("config"))
    for name in ("ZOO_DISABLE", "ZOO_MIRROR", "ZOO_OFFLINE", "ZOO_DEBUG", "ZOO_QUIET"):
        os.environ.pop(name, None)


class Environment:
    """A virtual environment that sees the packages of this one, and has room for more."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder / "env", symlinks=True)
        self.folder = folder
        self.python = folder / "env" / "bin" / "python"
        (library,) = (folder / "env" / "lib").glob("python*/site-packages")
        outer = sysconfig.get_path("purelib")
        (library / "outer.pth").write_text(f"import site; site.addsitedir({outer!r})\n")

    def install(self, *projects: Path | str) -> None:
        """Install distributions by real pip, with the build backend of this environment ("-e": editable)."""
        command = [self.python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
        subprocess.run([*command, *projects], check=True, capture_output=True, text=True)

    def zoo(self, *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
        return _zoo(self.python, *arguments, **variables)

    def write_plugin(self, name: str, module: str) -> Path:
        """A distribution that offers one plugin, as anybody would write it."""
        project = self.folder / f"project-{name}"
        (project / f"zoo_{name}").mkdir(parents=True)
        (project / f"zoo_{name}" / "__init__.py").write_text(textwrap.dedent(module))
        (project / "pyproject.toml").write_text(
            textwrap.dedent(f"""
            [build-system]
            requires = ["hatchling"]
            build-backend = "hatchling.build"
            [project]
            name = "zoo-{name}"
            version = "1.0"
            [project.entry-points."zoo.plugins"]
            {name} = "zoo_{name}"
            """)
        )
        return project


def _zoo(python: Path | str, *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-m", "zoo", *map(str, arguments)],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.fixture(scope="session")
def zoo_command():
    """Run the command line in a process of its own."""

    def run(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
        return _zoo(sys.executable, *arguments, **variables)

    return run


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path)


@pytest.fixture(scope="session")
def clipart() -> Path:
    return CLIPART


@pytest.fixture(scope="session")
def unseen() -> Path:
    return UNSEEN


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory, zoo_command) -> Path:
    """A run on the example pictures with all defaults, made by the command line."""
    out = tmp_path_factory.mktemp("runs") / "clipart"
    result = zoo_command("train", "efficientnet_lite0", CLIPART, "--out", out)
    assert result.returncode == 0, result.stderr
    return out


@pytest.fixture
def few_pictures(tmp_path: Path) -> Path:
    """Twelve pictures of two classes."""
    for label in ("birds", "music"):
        folder = tmp_path / "few" / label
        folder.mkdir(parents=True)
        for picture in sorted((CLIPART / label).iterdir())[:6]:
            (folder / picture.name).write_bytes(picture.read_bytes())
    return tmp_path / "few"
