"""What augmentation is worth on a frozen backbone: no changed views, a few kept ones, and new ones in every epoch.

`zoo train efficientnet_lite0 DATA` (231 pictures of clip art, or --data), with one split and head for each seed, and an
empty cache. Seconds of the whole process; accuracy and cross-entropy on the fifth that is kept aside.
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from common import CLIPART, ZOO, record, timed

WAYS = {
    "none": [],
    "light, 4 kept views": ["--augment", "light"],
    "strong, 4 kept views": ["--augment", "strong"],
    "light, new in every epoch": ["--augment", "light", "--cache", "off"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data", type=Path, default=CLIPART)
    options = parser.parse_args()
    rows: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as temporary:
        for seed in range(options.seeds):
            for number, (way, arguments) in enumerate(WAYS.items()):
                place = Path(temporary) / f"{seed}-{number}"
                command: list[Any] = [*ZOO, "train", "efficientnet_lite0", options.data, "--seed", seed, *arguments]
                seconds, printed, _ = timed(
                    [*command, "--out", place / "run", "--json"], ZOO_CACHE=str(place / "cache")
                )
                metrics = json.loads(printed)["metrics"]
                figures = {name: metrics[name] for name in ("accuracy", "cross_entropy")}
                rows[way].append({"seconds": seconds, **figures})
                print(f"  seed {seed}  {way:<26} {rows[way][-1]}", flush=True)
    result = {}
    for way, of_one in rows.items():
        result[way] = {key: statistics.mean(row[key] for row in of_one) for key in of_one[0]}
        print(way, {key: round(value, 3) for key, value in result[way].items()}, flush=True)
    record("augment", {"seeds": options.seeds, "mean of": result})


if __name__ == "__main__":
    main()
