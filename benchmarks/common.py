"""What the benchmarks share: pictures, processes, two sides in turn, medians of ratios, and results.json."""

import json
import os
import platform
import random
import statistics
import subprocess
import sys
import sysconfig
import time
import venv
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CLIPART = HERE.parent / "examples/data/clipart"
RESULTS = HERE / "results.json"
ZOO = [sys.executable, "-P", "-m", "zoo", "-q"]


def draw_pictures(folder: Path, counts: dict[str, int], seed: int = 0) -> None:
    """JPEGs of 400 x 300 pixels: a piece of clip art on a ground of its own colour. `counts`: pictures by split.

    Below `folder/split/class/`, the classes in turn; "" for a split leaves the folder out.
    """
    from PIL import Image

    chance = random.Random(seed)
    classes = {path.name: sorted(path.iterdir()) for path in sorted(CLIPART.iterdir()) if path.is_dir()}
    for split, count in counts.items():
        for number in range(count):
            name = list(classes)[number % len(classes)]
            art = Image.open(chance.choice(classes[name])).convert("RGBA")
            side = chance.randint(120, 280)
            art = art.resize((side, side)).rotate(chance.uniform(-20, 20), expand=False)
            ground = Image.new("RGB", (400, 300), tuple(chance.randint(120, 255) for _ in range(3)))
            ground.paste(art, (chance.randint(0, 400 - side), chance.randint(0, 300 - side)), art)
            target = folder / split / name
            target.mkdir(parents=True, exist_ok=True)
            ground.save(target / f"{number:05}.jpg", quality=90)


def with_statistics(network: Any) -> Any:
    """The network with batch normalization as after training: with means of 0 and scales of 1 a graph is simpler."""
    import keras
    import numpy as np

    chance = np.random.default_rng(0)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            for weight in layer.weights:
                around_one = "gamma" in weight.name or "variance" in weight.name
                values = chance.uniform(0.8, 1.2, weight.shape) if around_one else chance.normal(0, 0.1, weight.shape)
                weight.assign(values)
    return network


def project_file(name: str) -> str:
    """The pyproject.toml of a plugin `zoo-NAME` in a module or package `zoo_NAME`."""
    return f"""
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "zoo-{name}"
version = "1.0"
[project.entry-points."zoo.plugins"]
{name} = "zoo_{name}"
"""


def build_wheel(project: Path, folder: Path) -> Path:
    """The wheel of a project, made by its own build backend."""
    program = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", program, folder], cwd=project, check=True, capture_output=True, text=True
    )
    return folder / done.stdout.strip().splitlines()[-1]


def environment(folder: Path, wheels: Sequence[Path]) -> Path:
    """The Python of a new virtual environment with these wheels, which also sees the packages of this one."""
    venv.create(folder, symlinks=True)
    (library,) = (folder / "lib").glob("python*/site-packages")
    (library / "outer.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    python = folder / "bin" / "python"
    pip = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
    subprocess.run([*pip, *wheels], check=True)
    return python


def timed(command: Sequence[object], **variables: str) -> tuple[float, str, int]:
    """Run a process: seconds, what it printed, and its peak memory in bytes."""
    start = time.perf_counter()
    process = subprocess.Popen(
        list(map(str, command)),
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"} | variables,
    )
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed")
    return time.perf_counter() - start, printed, usage.ru_maxrss * 1024


def alternate(sides: dict[str, Callable[[], dict[str, float]]], pairs: int) -> dict[str, Any]:
    """Run all sides in turn, `pairs` times. The first is what the others are compared with, by their "seconds".

    Each side returns figures. Gives, by side, the median of each figure, and the median of the ratios of seconds.
    """
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in sides}
    for number in range(pairs):
        for name, run in sides.items():
            rows[name].append(figures := run())
            text = "  ".join(f"{key} {value:.4g}" for key, value in figures.items())
            print(f"  {number + 1}/{pairs}  {name:<24} {text}", flush=True)
    first = next(iter(sides))
    result: dict[str, Any] = {}
    for name, figures_of in rows.items():
        result[name] = {key: statistics.median(row[key] for row in figures_of) for key in figures_of[0]}
        if name != first:
            ratios = [a["seconds"] / b["seconds"] for a, b in zip(rows[first], figures_of, strict=True)]
            result[name]["times_faster"] = statistics.median(ratios)
            print(f"{name}: {result[name]['times_faster']:.2f} times as fast as {first}", flush=True)
    return {"pairs": pairs, **result}


def record(name: str, result: dict[str, Any]) -> None:
    """Put a benchmark's result into results.json, with machine and versions."""
    content = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    content[name] = {**result, "machine": _machine()}
    RESULTS.write_text(json.dumps(content, indent=1) + "\n")


def _machine() -> dict[str, Any]:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    versions = {}
    for package in ("tensorflow", "keras", "openvino", "numpy"):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "none"
    numbers = [flag for flag in flags if flag.endswith("bf16")]
    python = platform.python_version()
    return {"processor": model, "cores": os.cpu_count(), "bfloat16": numbers, "python": python, **versions}
