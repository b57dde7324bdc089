"""How long `zoo list --json` takes, beside a bare typer program that imports what such a program needs anyway.

Both are whole processes of this Python, alternating; prints the median of each and their ratio (to be at most 1.5).
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

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


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=15)
    pairs = parser.parse_args().pairs
    zoo = [str(Path(sys.executable).with_name("zoo")), "list", "--json"]
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "bare.py")
        program.write_text(BARE)
        bare = [sys.executable, str(program), "list", "--json"]
        for command in (bare, zoo):
            seconds(command)  # once to fill the caches of the disk and of compiled modules
        times = [(seconds(bare), seconds(zoo)) for _ in range(pairs)]
    bare_median, zoo_median = (statistics.median(column) for column in zip(*times, strict=True))
    ratio = statistics.median(ours / theirs for theirs, ours in times)
    print(f"bare typer program  {bare_median:.3f} s\nzoo list --json     {zoo_median:.3f} s")
    print(f"ratio               {ratio:.2f}  (median of {pairs} pairs; at most 1.5 is wanted)")
    result = {"benchmark": "startup", "bare_seconds": bare_median, "zoo_seconds": zoo_median, "ratio": ratio}
    result |= {"pairs": pairs, "python": sys.version.split()[0], "cores": os.cpu_count()}
    Path(__file__).with_name("results.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
