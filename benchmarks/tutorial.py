"""The script of the tutorial beside `zoo train`: whole processes, 500 + 100 pictures, 10 epochs.

Both start from the same file of random weights, so that both learn from the same features. The second run of
`zoo train` is on the same data with another head.
"""

import argparse
import json
import tempfile
from pathlib import Path

from common import HERE, ZOO, alternate, draw_pictures, record, timed

NETWORKS = {"resnet50": ("ResNet50", 224), "inception_v3": ("InceptionV3", 299)}
SAVE = """
import sys, keras
from common import with_statistics
keras.utils.set_random_seed(0)
size = int(sys.argv[2])
base = getattr(keras.applications, sys.argv[1])(weights=None, include_top=False, input_shape=(size, size, 3))
with_statistics(base).save_weights(sys.argv[3])
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--network", choices=NETWORKS, action="append", help="this one alone; repeatable")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        draw_pictures(folder / "data", {"train": 500, "val": 100})
        for name in options.network or NETWORKS:
            function, size = NETWORKS[name]
            weights = folder / f"{name}.weights.h5"
            timed([ZOO[0], "-c", SAVE, function, size, weights], PYTHONPATH=str(HERE))
            print(name, flush=True)
            sides = {"plain": Plain(folder, function, size, weights, options.epochs)}
            sides |= {
                f"zoo {engine}{', second run' if second else ''}": Ours(
                    folder, name, weights, options.epochs, engine, second
                )
                for engine in ("tensorflow", "openvino")
                for second in (False, True)
            }
            record(f"tutorial {name}", alternate(sides, options.pairs))


class Plain:
    def __init__(self, folder: Path, function: str, size: int, weights: Path, epochs: int) -> None:
        self.command = [ZOO[0], HERE / "plain/tutorial.py", function, size, folder / "data", weights, epochs]

    def __call__(self) -> dict[str, float]:
        seconds, printed, memory = timed(self.command)
        done = json.loads(printed.splitlines()[-1])
        return {"seconds": seconds, "accuracy": done["accuracy"], "megabytes": memory / 1e6}


class Ours:
    """`zoo train` with an empty cache, or with what the last one left."""

    def __init__(self, folder: Path, name: str, weights: Path, epochs: int, engine: str, second: bool) -> None:
        self.folder, self.second, self.engine, self.number = folder, second, engine, 0
        data = folder / "data"
        self.command = [
            *ZOO,
            "train",
            name,
            data,
            "--weights",
            weights,
            "--epochs",
            epochs,
            "--engine",
            engine,
            "--json",
        ]

    def __call__(self) -> dict[str, float]:
        self.number += 1
        label = f"{self.command[6]}-{self.engine}"
        cache = self.folder / f"cache-{label}-{self.number}"
        out = self.folder / f"run-{label}-{self.second}-{self.number}"
        head = ["--set", "hidden=64"] if self.second else []
        seconds, printed, memory = timed([*self.command, "--out", out, *head], ZOO_CACHE=str(cache))
        accuracy = json.loads(printed)["metrics"]["accuracy"]
        return {"seconds": seconds, "accuracy": accuracy, "megabytes": memory / 1e6}


if __name__ == "__main__":
    main()
