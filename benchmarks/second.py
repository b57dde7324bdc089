"""A first and a second `zoo train efficientnet_lite0` on the same 10,000 pictures: the time up to the first step.

That of starting TensorFlow and building the network is left out. In the first run every picture is decoded once, and in
the second none.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

from common import ZOO, draw_pictures, record, timed

PARTS = ("data", "features")  # of provenance.json: between the start of TensorFlow and the first step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=1)
    parser.add_argument("--pictures", type=int, default=10_000)
    options = parser.parse_args()
    seconds: dict[str, list[float]] = {"first": [], "second": []}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        draw_pictures(folder / "pictures", {"": options.pictures})
        time.sleep(3)  # a file that has just been written is not remembered
        for number in range(options.pairs):
            for run in seconds:
                out = folder / f"{run}-{number}"
                command = [*ZOO, "train", "efficientnet_lite0", folder / "pictures", "--epochs", 1, "--out", out]
                timed(command, ZOO_CACHE=str(folder / f"cache-{number}"))
                steps = json.loads((out / "provenance.json").read_text())["seconds"]
                seconds[run].append(sum(steps[part] for part in PARTS))
                print(f"  {run:>6}  {seconds[run][-1]:.2f} s to the first step  {steps}", flush=True)
    result = {f"{run}_seconds": statistics.median(some) for run, some in seconds.items()}
    ratio = statistics.median(a / b for a, b in zip(seconds["first"], seconds["second"], strict=True))
    print(result, f"first / second: {ratio:.1f}")
    record("second", {"pictures": options.pictures, "pairs": options.pairs, **result, "ratio": ratio})


if __name__ == "__main__":
    main()
