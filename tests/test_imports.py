"""The imports tell the architecture, and starting is cheap."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import zoo

PACKAGE = Path(zoo.__file__).parent
STAGES = [
    "catalog",
    "weights",
    "registry",
    "diagnosis",
    "data",
    "inference",
    "features",
    "compose",
    "prediction",
    "plan",
    "runs",
    "training",
    "testing",
    "reports",
    "api",
    "cli",
]
GROUND = {"errors", "progress", "engine", "atomic", "places", "structs", "found", "web", "trust", "harmless", "filters"}
CLI_MAY_IMPORT = {"api", "errors", "progress", "harmless", "engine", "places", "structs", "cli"}
CLI_MAY_ALSO_IMPORT = {"main.py": {"catalog"}}  # for the hook `zoo_commands`
HEAVY = {"tensorflow", "keras", "numpy", "pyarrow", "PIL", "h5py", "requests"}


def _imports(path: Path) -> set[str]:
    """The parts of `zoo` that a module imports, other than for type checking only."""
    found = set()
    nodes = list(ast.parse(path.read_text()).body)
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            nodes += node.orelse
            continue
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "zoo":
            parts = node.module.split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        nodes += ast.iter_child_nodes(node)
    return found


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_imports_between_stages_go_one_way(path):
    part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if part in ("__init__", "__main__"):
        return
    allowed = GROUND if part in GROUND else GROUND | set(STAGES[: STAGES.index(part) + 1])
    assert _imports(path) <= allowed


@pytest.mark.parametrize("path", sorted((PACKAGE / "cli").glob("*.py")), ids=lambda path: path.name)
def test_the_command_line_reaches_everything_through_the_api(path):
    assert _imports(path) <= CLI_MAY_IMPORT | CLI_MAY_ALSO_IMPORT.get(path.name, set())


def test_the_host_never_imports_a_plugin():
    plugins = {p.parent.name for p in (PACKAGE.parent / "plugins").glob("*/*/__init__.py")}
    assert plugins
    for path in PACKAGE.rglob("*.py"):
        imported = re.findall(r"^\s*(?:import|from) (\w+)", path.read_text(), re.MULTILINE)
        assert not plugins & set(imported), path


@pytest.mark.parametrize(
    "arguments",
    [
        ["list"],
        ["list", "--json"],
        ["list", "--where", "params<10M"],
        ["info", "resnet50"],
        ["heads"],
        ["plugins"],
        ["doctor"],
        ["search", "electra"],
        ["registry", "list"],
        ["registry", "schema"],
        ["uninstall", "heads", "--dry-run"],
        ["cache"],
        ["install", "--help"],
        ["check", "--help"],
        ["--help"],
        ["train", "--help"],
        ["explain", "--help"],
    ],
    ids=" ".join,
)
def test_a_command_that_only_looks_things_up_imports_nothing_heavy(arguments):
    program = (
        "import sys, json\n"
        f"sys.argv = ['zoo', *{arguments!r}]\n"
        "from zoo.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "print('\\n' + json.dumps(sorted({name.split('.')[0] for name in sys.modules})))\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert not HEAVY & set(json.loads(result.stdout.splitlines()[-1]))


def test_importing_zoo_imports_none_of_its_stages():
    program = "import sys, zoo; dir(zoo); print([m for m in sys.modules if m.startswith('zoo.') and m != 'zoo.errors'])"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stdout.strip() == "[]"
