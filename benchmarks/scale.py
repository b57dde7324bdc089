"""1,000 against 10,000 pictures: `zoo train efficientnet_lite0` with an empty cache, time per picture and peak memory.

The time per picture is that of reading, running the backbone and training; starting TensorFlow is left out.
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path

from common import ZOO, draw_pictures, record, timed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=3)
    pairs = parser.parse_args().pairs
    counts = (1_000, 10_000)
    rows: dict[int, list[tuple[float, int]]] = {count: [] for count in counts}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for count in counts:
            draw_pictures(folder / str(count), {"": count})
        for number in range(pairs):
            for count in counts:
                out, cache = folder / f"run-{count}-{number}", folder / f"cache-{count}-{number}"
                command = [*ZOO, "train", "efficientnet_lite0", folder / str(count), "--epochs", 5, "--out", out]
                _, _, memory = timed(command, ZOO_CACHE=str(cache))
                steps = json.loads((out / "provenance.json").read_text())["seconds"]
                each = (steps["data"] + steps["features"] + steps["head"]) / count
                rows[count].append((each, memory))
                print(f"  {count:>6}  {each * 1e3:.2f} ms a picture  {memory / 1e6:.0f} MB  {steps}", flush=True)
    result = {
        str(count): {
            "ms_per_picture": 1e3 * statistics.median(each for each, _ in rows[count]),
            "peak_megabytes": statistics.median(memory for _, memory in rows[count]) / 1e6,
        }
        for count in counts
    }
    few, many = (result[str(count)] for count in counts)
    ratios = {f"ratio_{key}": many[key] / few[key] for key in few}
    print(ratios)
    record("scale", {"pairs": pairs, **result, **ratios})


if __name__ == "__main__":
    main()
