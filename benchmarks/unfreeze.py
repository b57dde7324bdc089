"""The last stage trained too: seconds of an epoch after the first, the plain script beside `zoo train --unfreeze 1`.

ResNet50 with the same random weights, 500 + 100 pictures; the head for 4 epochs, then head and last stage for 4.
"""

import argparse
import csv
import json
import statistics
import tempfile
from pathlib import Path

from common import HERE, ZOO, alternate, draw_pictures, record, timed
from tutorial import SAVE

EPOCHS = 4
LAST_STAGE = "conv5_block1_1_conv"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=3)
    pairs = parser.parse_args().pairs
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        draw_pictures(folder / "data", {"train": 500, "val": 100})
        weights = folder / "resnet50.weights.h5"
        timed([ZOO[0], "-c", SAVE, "ResNet50", 224, weights], PYTHONPATH=str(HERE))
        script = HERE / "plain/tutorial.py"
        number = 0

        def plain() -> dict[str, float]:
            data, stage = folder / "data", LAST_STAGE
            whole, printed, _ = timed([ZOO[0], script, "ResNet50", 224, data, weights, EPOCHS, stage])
            done = json.loads(printed.splitlines()[-1])
            epoch = statistics.median(done["epochs"][1:])
            return {"seconds": epoch, "whole": whole, "accuracy": done["best_accuracy"]}

        def ours() -> dict[str, float]:
            nonlocal number
            number += 1
            out, cache = folder / f"run-{number}", folder / f"cache-{number}"
            command = [*ZOO, "train", "resnet50", folder / "data", "--weights", weights, "--epochs", EPOCHS]
            whole, printed, _ = timed([*command, "--unfreeze", 1, "--out", out, "--json"], ZOO_CACHE=str(cache))
            rows = list(csv.DictReader((out / "history.csv").open()))
            seconds = [float(row["seconds"]) for row in rows if row["phase"] == "fine-tuning"]
            accuracy = json.loads(printed)["metrics"]["accuracy"]
            return {"seconds": statistics.median(seconds[1:]), "whole": whole, "accuracy": accuracy}

        record("unfreeze", alternate({"plain": plain, "zoo": ours}, pairs))


if __name__ == "__main__":
    main()
