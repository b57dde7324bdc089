"""No code of a plugin runs before a person agrees: source code in every form in which it can come, by pip and by uv."""

import json
import os
import shutil
import tarfile
import textwrap
import zipfile
from pathlib import Path

import pytest

from zoo.errors import CannotInstall
from zoo.registry.source_code import UNKNOWN, read_source

BACKEND = """
import zipfile
from pathlib import Path

Path({mark!r}).open("a").write("ran\\n")
NEEDS = {needs!r}


def get_requires_for_build_wheel(config_settings=None):
    return []


def prepare_metadata_for_build_wheel(folder, config_settings=None):
    about = Path(folder, "zoo_{name}-1.0.dist-info")
    about.mkdir()
    for name, content in files().items():
        if name.startswith(about.name):
            Path(folder, name).write_text(content)
    return about.name


def build_wheel(folder, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(Path(folder, "zoo_{name}-1.0-py3-none-any.whl"), "w") as archive:
        for name, content in files().items():
            archive.writestr(name, content)
    return "zoo_{name}-1.0-py3-none-any.whl"


def build_sdist(folder, config_settings=None):
    raise NotImplementedError


def files():
    about = "zoo_{name}-1.0.dist-info/"
    needs = "".join(f"Requires-Dist: {{need}}\\n" for need in NEEDS)
    found = {{
        "zoo_{name}.py": Path("zoo_{name}.py").read_text(),
        about + "METADATA": f"Metadata-Version: 2.1\\nName: zoo-{name}\\nVersion: 1.0\\n{{needs}}",
        about + "WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        about + "entry_points.txt": {entry!r},
    }}
    found[about + "RECORD"] = "".join(f"{{name}},,\\n" for name in [*found, about + "RECORD"])
    return found
"""


def _write(folder: Path, emptied, name, mark, needs=(), stated=True, plugin=True) -> Path:
    """A package of source code whose build backend, which is in its folder, leaves a mark when it runs."""
    folder.mkdir(parents=True)
    entry = f"[zoo.plugins]\n{name} = zoo_{name}\n" if plugin else ""
    (folder / "backend.py").write_text(BACKEND.format(name=name, mark=str(mark), needs=list(needs), entry=entry))
    (folder / f"zoo_{name}.py").write_text(emptied.module(name, f"{name}_net"))
    dependencies = f"dependencies = {json.dumps(list(needs))}" if stated else 'dynamic = ["dependencies"]'
    (folder / "pyproject.toml").write_text(
        textwrap.dedent(f"""
        [build-system]
        requires = []
        build-backend = "backend"
        backend-path = ["."]
        [project]
        name = "zoo-{name}"
        version = "1.0"
        {dependencies}
        """)
    )
    return folder


def _archive(folder: Path, into: Path, name: str) -> Path:
    into.mkdir(exist_ok=True)
    path = into / f"zoo_{name}-1.0.tar.gz"
    about = folder / "PKG-INFO"
    about.write_text(f"Metadata-Version: 2.1\nName: zoo-{name}\nVersion: 1.0\n")
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, f"zoo_{name}-1.0")
    return path


@pytest.fixture(params=["pip", "uv"])
def tool(request, emptied, tmp_path):
    """Both tools; uv is taken where an environment has no pip."""
    if request.param == "pip":
        yield {}
        return
    with emptied.without_pip() as variables:
        yield variables | {"UV_CACHE_DIR": str(tmp_path / "uv")}  # it takes from its cache what was built before


def test_a_folder_is_read_first_and_built_after_the_question(emptied, tmp_path, tool):
    mark = tmp_path / "mark"
    before = set(os.listdir(emptied.library))
    emptied.add_wheel("helper", "VALUE = 1\n", plugin=False)
    folder = _write(tmp_path / "my code", emptied, "mine", mark, ["zoo-helper>=1"])
    offline = ["--find-links", emptied.wheels, "--no-index"]
    planned = emptied.zoo("install", folder, "--dry-run", "--json", *offline, **tool)
    assert planned.returncode == 0, planned.stderr
    found = json.loads(planned.stdout)
    steps = {step["distribution"]: step for step in found["plan"]}
    assert steps["zoo-mine"] == steps["zoo-mine"] | {"version": "1.0", "asked": True, "runs": "backend"}
    assert steps["zoo-helper"] == steps["zoo-helper"] | {"version": "1.0", "asked": False, "runs": None}
    assert found["warnings"] == [f"Installing zoo-mine runs code of {folder}: backend builds it."]
    unasked = emptied.zoo("install", folder, *offline, **tool)
    assert unasked.returncode == 1
    assert "--yes" in unasked.stderr
    assert not mark.exists()

    done = emptied.zoo("install", folder, "--yes", "--json", *offline, **tool)
    assert done.returncode == 0, done.stderr
    assert mark.exists()
    assert json.loads(done.stdout)["plugins"] == ["mine"]
    (origin,) = emptied.library.glob("zoo_mine-1.0.dist-info/direct_url.json")
    assert json.loads(origin.read_text()) == {"url": folder.as_uri(), "dir_info": {}}
    assert "mine_net" in emptied.zoo("list").stdout
    removed = emptied.zoo("uninstall", "mine", "--yes", "--json", **tool)
    assert set(json.loads(removed.stdout)["removed"]) == {"zoo-mine", "zoo-helper"}
    assert {name for name in set(os.listdir(emptied.library)) - before if name != "__pycache__"} == set()


def test_what_only_the_build_shows_is_asked_again(emptied, tmp_path):
    mark = tmp_path / "mark"
    emptied.add_wheel("helper", "VALUE = 1\n", plugin=False)
    folder = _write(tmp_path / "unclear", emptied, "unclear", mark, ["zoo-helper"], stated=False)
    program = f"""
import zoo
options = dict(find_links=[{str(emptied.wheels)!r}], no_index=True)
shown = []
def confirm(plan):
    shown.append([(change["distribution"], change["version"]) for change in plan.changes])
    return len(shown) == 1
done = zoo.install([{str(folder)!r}], confirm=confirm, **options)
assert shown == [[("zoo-unclear", "1.0")], [("zoo-helper", "1.0"), ("zoo-unclear", "1.0")]] or shown == [
    [("zoo-unclear", "1.0")], [("zoo-unclear", "1.0"), ("zoo-helper", "1.0")]], shown
assert not done.done and not done.plugins
assert "unclear" not in zoo.api.plugin_names()
done = zoo.install([{str(folder)!r}], confirm=lambda plan: True, **options)
assert done.done and [plugin.name for plugin in done.plugins] == ["unclear"]
zoo.uninstall("unclear")
"""
    done = emptied.python_runs(program)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("form", ["archive", "requirement", "needed address", "needed name", "stated by a folder"])
def test_source_code_is_refused_unless_it_may_be_built(emptied, tmp_path, tool, form):
    mark = tmp_path / "mark"
    folder = _write(tmp_path / "code", emptied, "coded", mark, plugin=form in ("archive", "requirement"))
    archive = _archive(folder, tmp_path / "archives", "coded")
    links = ["--find-links", emptied.wheels, "--find-links", archive.parent, "--no-index"]
    if form == "archive":
        asked = archive
    elif form == "requirement":
        asked = "zoo-coded"
    elif form == "stated by a folder":
        other = tmp_path / "other mark"
        asked = _write(tmp_path / "innocent", emptied, "innocent", other, [f"zoo-coded @ {archive.as_uri()}"])
    else:
        need = f"zoo-coded @ {archive.as_uri()}" if form == "needed address" else "zoo-coded"
        asked = emptied.add_wheel("innocent", needs=json.dumps(need), direct=form == "needed address")
    for more in (["--dry-run"], ["--yes"]):
        refused = emptied.zoo("install", asked, *links, *more, **tool)
        assert not mark.exists()
        if tool and form == "needed name" and more == ["--dry-run"]:
            continue  # uv reads what the code says of itself, and finds later that it has to be built
        assert refused.returncode == 1
        last = refused.stderr.splitlines()[-1]
        assert last.startswith("zoo: ")
        assert "--allow-build" in last
        assert "Traceback" not in refused.stderr
        assert not mark.exists()
    planned = emptied.zoo("install", asked, "--allow-build", "--dry-run", *links, **tool)
    assert planned.returncode == 0, planned.stderr
    assert "runs code of" in planned.stdout
    assert not mark.exists()
    done = emptied.zoo("install", asked, "--allow-build", "--yes", *links, **tool)
    assert done.returncode == 0, done.stderr
    assert mark.exists()
    plugin = "coded" if form in ("archive", "requirement") else "innocent"
    assert emptied.zoo("uninstall", plugin, "--yes", **tool).returncode == 0


def test_a_folder_without_pyproject_is_not_run_to_look_at_it(emptied, tmp_path):
    mark = tmp_path / "mark"
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / "setup.py").write_text(f"open({str(mark)!r}, 'w')\nfrom setuptools import setup\nsetup(name='zoo-old')\n")
    planned = emptied.zoo("install", folder, "--dry-run")
    assert planned.returncode == 0, planned.stderr
    assert "setuptools builds it" in planned.stdout
    assert "What old needs is known when it is built" in planned.stdout
    assert UNKNOWN in planned.stdout
    assert not mark.exists()


def test_a_module_of_the_working_folder_is_not_run_instead_of_pip(emptied, tmp_path):
    mark = tmp_path / "mark"
    for name in ("pip", "json", "zoo", "msgspec"):
        (tmp_path / f"{name}.py").write_text(f"open({str(mark)!r}, 'w')\n")
    wheel = emptied.add_wheel("plain")
    done = emptied.zoo("install", wheel, "--dry-run", "--no-index", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not mark.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "has no pyproject.toml"),
        ("[", "cannot be read"),
        ("project = 3", "must be tables"),
        ("[project]\nname = 'a'\ndependencies = ['!']", "pyproject.toml: "),
        ("[project]\nname = 'a'\ndependencies = [3]", "pyproject.toml: "),
    ],
)
def test_a_folder_that_is_no_package_is_a_sentence(tmp_path, content, said):
    if content is not None:
        (tmp_path / "pyproject.toml").write_text(content)
    with pytest.raises(CannotInstall, match=said):
        read_source(str(tmp_path))


@pytest.mark.parametrize("asked", ["zoo-nowhere", "numpyy", "kerashubb==1.0", "zoo-nowhere[more]>=1"])
def test_a_name_that_no_registry_lists_is_not_looked_for_on_the_index(emptied, asked):
    refused = emptied.zoo("install", asked, "--yes", PIP_INDEX_URL="https://127.0.0.1:9/simple")
    assert refused.returncode == 1
    last = refused.stderr.splitlines()[-1]
    assert f"No registry lists {asked!r}." in last
    assert "zoo install --unlisted" in last
    taken = emptied.zoo(
        "install", asked, "--yes", "--unlisted", PIP_INDEX_URL="https://127.0.0.1:9/simple", PIP_RETRIES="0"
    )
    assert taken.returncode == 1
    assert "No matching distribution" in taken.stderr or "127.0.0.1" in taken.stderr


def test_what_another_plugin_offers_too_is_said_before_the_question(emptied, tmp_path):
    first = emptied.add_wheel("first", emptied.module("first", "same_net"))
    second = emptied.add_wheel("second", emptied.module("second", "same_net"))
    places = tmp_path / "places"
    places.mkdir()
    shutil.copy(second, places)
    registry = places / "registry.toml"
    assert emptied.zoo("registry", "add", places / second.name, "--to", registry).returncode == 0
    offline = ["--find-links", emptied.wheels, "--no-index"]
    assert emptied.zoo("install", first, "--yes", *offline).returncode == 0
    planned = emptied.zoo("install", "second", "--dry-run", *offline, "--registry", registry)
    said = "same_net is offered by the plugin first, too: say second/same_net or first/same_net."
    assert said in planned.stdout
    done = emptied.zoo("install", second, "--yes", *offline)
    assert "same_net is offered by the plugin first, too" in done.stdout
    for name in ("first/same_net", "second/same_net"):
        assert emptied.zoo("info", name).returncode == 0
    assert "first/same_net or second/same_net" in emptied.zoo("info", "same_net").stderr
    for name in ("first", "second"):
        assert emptied.zoo("uninstall", name, "--yes").returncode == 0


def test_an_archive_of_a_wheel_is_not_taken_for_one(emptied, tmp_path):
    wheel = emptied.add_wheel("plain")
    renamed = tmp_path / "plain.zip"
    shutil.copy(wheel, renamed)
    assert zipfile.is_zipfile(renamed)
    refused = emptied.zoo("install", renamed, "--dry-run")
    assert refused.returncode == 1
    assert "is source code, and installing that runs it" in refused.stderr


@pytest.mark.parametrize("kind", ["pipe", "device", "nested", "large"])
def test_a_folder_whose_pyproject_is_no_file_is_a_sentence(tmp_path, kind):
    file = tmp_path / "pyproject.toml"
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "device":
        file.symlink_to("/dev/zero")
    else:
        file.write_text("a = " + ("[" * 100_000 if kind == "nested" else f"'{'x' * 2_000_000}'"))
    with pytest.raises(CannotInstall, match=r"is no file|cannot be read"):
        read_source(str(tmp_path))


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("zoo-foo @ git+https://me:secret@example.org/Foo.git@v1", "zoo-foo"),
        ("git+https://me:secret@example.org/My_Repo.git@v1", "my-repo"),
        ("git+https://example.org/a.git#egg=zoo_foo&subdirectory=b", "zoo-foo"),
        ("https://example.org/zoo_foo-1.0.tar.gz#sha256=abc", "zoo-foo"),
        ("/somewhere/zoo_foo-1.0.tar.gz", "zoo-foo"),
    ],
)
def test_source_code_has_a_name_and_no_password(given, name):
    source = read_source(given)
    assert source.name == name
    assert "secret" not in source.runs


def test_a_plugin_from_a_folder_is_upgraded_from_it(emptied, tmp_path):
    mark = tmp_path / "mark"
    folder = _write(tmp_path / "places" / "grows", emptied, "grows", mark)
    registry = tmp_path / "places" / "registry.toml"
    offline = ["--find-links", emptied.wheels, "--no-index", "--registry", registry]
    assert emptied.zoo("install", folder, "--yes", *offline[:3]).returncode == 0
    about = emptied.library / "zoo_grows-1.0.dist-info" / "METADATA"
    about.write_text(about.read_text() + "Summary: It grows\nLicense: MIT\n")
    added = emptied.zoo("registry", "add", "grows", "--to", registry)
    assert added.returncode == 0, added.stderr
    for file in (folder / "backend.py", folder / "pyproject.toml"):
        file.write_text(file.read_text().replace("1.0", "1.1"))
    registry.write_text(registry.read_text().replace("zoo-grows==1.0", "zoo-grows==1.1"))
    mark.unlink()
    planned = emptied.zoo("upgrade", "grows", "--dry-run", "--json", *offline)
    assert planned.returncode == 0, planned.stderr
    (step,) = json.loads(planned.stdout)["plan"]
    assert (step["replaces"], step["version"], step["runs"]) == ("1.0", "1.1", "backend")
    assert json.loads(planned.stdout)["warnings"]
    assert not mark.exists()
    done = emptied.zoo("upgrade", "grows", "--yes", *offline)
    assert done.returncode == 0, done.stderr
    assert (emptied.library / "zoo_grows-1.1.dist-info").is_dir()
    assert emptied.zoo("uninstall", "grows", "--yes").returncode == 0


def test_what_a_project_sets_for_uv_or_pip_is_not_meant(emptied, tmp_path, tool):
    emptied.add_wheel("fixed")
    strange = tmp_path / "strange"
    strange.mkdir()
    shutil.copy(emptied.add_wheel("fixed", version="2.0"), strange)
    next(emptied.wheels.glob("zoo_fixed-2.0*")).unlink()
    (strange / "uv.toml").write_text(f'find-links = ["{strange}"]\n')
    (strange / "pip.conf").write_text(f"[install]\nfind-links = {strange}\n")
    options = ["--find-links", emptied.wheels, "--no-index", "--dry-run", "--json"]
    planned = emptied.zoo("install", "zoo-fixed", *options, cwd=strange, **tool)
    assert planned.returncode == 0, planned.stderr
    assert [step["version"] for step in json.loads(planned.stdout)["plan"]] == ["1.0"]
