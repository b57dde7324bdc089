"""How long the commands that only look things up take, as whole processes that alternate; prints medians and ratios.

1. `zoo list --json` beside a bare typer program that imports what such a program needs anyway (wanted: at most 1.5).
2. `zoo list`, `zoo info` and `zoo --help` with 100 plugins and 5,000 backbones, beside the same with 3 plugins
   (wanted: at most 1.5). The plugins are generated, built as wheels, and installed by pip into virtual environments.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import build_wheel, environment, project_file, record

FIRST_PARTY = "efficientnet_lite,heads,kerashub,keras_applications,tfhub_bert,use_multilingual"
BARE = """
import pluggy
import rich
import rich.table
import typer

app = typer.Typer()


@app.command("list")
def list_(json: bool = typer.Option(False, "--json")) -> None:
    print("[]")


@app.command()
def other() -> None:
    pass


app()
"""
PLUGIN = """
import zoo

ZOO_API = ">=1.0,<2"
PIXELS = zoo.Pixels(mean=(127.5, 127.5, 127.5), std=(127.5, 127.5, 127.5))
FACTS = dict(modality="image", family="net_{number}", input=224, dim=64, features=("pooled", "map"), licence="MIT")
WEIGHTS = dict(name="imagenet", bytes=4_000_000, licence="MIT", trained_on="ImageNet", top1=70.0, pixels=PIXELS)


@zoo.hookimpl
def zoo_backbones():
    backbones = []
    for size in range(50):
        name = f"net_{number}_{{size}}"
        source = f"https://example.org/{{name}}.weights.h5"
        weights = zoo.Weights(source=source, checksum="sha256:" + "0" * 64, **WEIGHTS)
        facts = dict(params=1_000_000 + size, build="zoo_bench_{number}:build", **FACTS)
        backbones.append(zoo.Backbone(name=name, paper="https://example.org/net", weights=(weights,), **facts))
    return backbones
"""


def build_wheels(count: int, folder: Path) -> list[Path]:
    """Wheels of plugins with 50 backbones each."""
    wheels = []
    for number in range(count):
        project = folder / f"project_{number}"
        project.mkdir()
        (project / f"zoo_bench_{number}.py").write_text(PLUGIN.format(number=number))
        (project / "pyproject.toml").write_text(project_file(f"bench_{number}"))
        wheels.append(build_wheel(project, folder))
    return wheels


def seconds(command: list[object], **variables: str) -> float:
    start = time.perf_counter()
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL, env=os.environ | variables)
    return time.perf_counter() - start


def compare(name: str, ours: list[object], theirs: list[object], pairs: int, **variables: str) -> dict[str, object]:
    """Run two commands in turn; three times before, as what is younger than two seconds is not remembered."""
    for _ in range(3):
        seconds(theirs, **variables)
        seconds(ours, **variables)
        time.sleep(2.5)
    times = [(seconds(theirs, **variables), seconds(ours, **variables)) for _ in range(pairs)]
    median_theirs, median_ours = (statistics.median(column) for column in zip(*times, strict=True))
    ratio = statistics.median(ours / theirs for theirs, ours in times)
    print(f"{name:<42} {median_theirs:.3f} s   {median_ours:.3f} s   ratio {ratio:.2f}", flush=True)
    return {"name": name, "theirs": median_theirs, "ours": median_ours, "ratio": ratio}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=15)
    pairs = parser.parse_args().pairs
    results = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        program = folder / "bare.py"
        program.write_text(BARE)
        zoo: list[object] = [sys.executable, "-P", "-m", "zoo"]
        bare: list[object] = [sys.executable, program]
        own = {"ZOO_CACHE": str(folder / "cache"), "ZOO_CONFIG": str(folder / "config")}
        arguments: tuple[str, ...] = ("list", "--json")
        results.append(compare("bare typer | zoo list --json", [*zoo, *arguments], [*bare, *arguments], pairs, **own))
        wheels = build_wheels(100, folder)
        few = environment(folder / "few", wheels[:3])
        many = environment(folder / "many", wheels)
        own["ZOO_DISABLE"] = FIRST_PARTY
        for arguments in (("list",), ("list", "--json"), ("info", "net_0_7"), ("--help",)):
            commands = [[python, "-P", "-m", "zoo", *arguments] for python in (many, few)]
            results.append(compare(f"3 | 100 plugins: zoo {' '.join(arguments)}", *commands, pairs, **own))
    about = {"pairs": pairs, "python": sys.version.split()[0], "cores": os.cpu_count()}
    record("startup", {"commands": results, **about})


if __name__ == "__main__":
    main()
