"""The backbones that need no hub, side by side: pictures by five seeds, and English learnt, other languages asked.

Each figure of the pictures is what `zoo train BACKBONE examples/data/clipart --seed N` prints, with the default recipe.
"First" is a run that converts the weights and computes the features; the others take these from the cache.
For the languages a head is trained on English reviews, without the 60 that are then asked in English, German and
Spanish: Pearson r with the ratings by people, and the share of the English one that is left.
"""

import csv
import json
import os
import subprocess
import tempfile
from pathlib import Path
from statistics import mean
from typing import Any

from common import CLIPART, HERE, ZOO, record

PICTURES = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")
TEXTS = ("minilm_l6", "use_multilingual")
SEEDS = 5
REVIEWS = HERE.parent / "examples/data/reviews/reviews.csv"
TRANSLATED = HERE.parent / "examples/data/reviews/translated.csv"


def zoo(*arguments: object) -> Any:
    done = subprocess.run([*ZOO, *map(str, arguments), "--json"], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def pictures(folder: Path) -> dict[str, Any]:
    result = {}
    for name in PICTURES:
        zoo("train", name, CLIPART, "--out", folder / f"{name}-first")
        runs = [
            zoo("train", name, CLIPART, "--seed", seed, "--out", folder / f"{name}-{seed}") for seed in range(SEEDS)
        ]
        first = json.loads((folder / f"{name}-first" / "metrics.json").read_text())["seconds"]
        figures = [run["metrics"]["accuracy"] for run in runs]
        result[name] = {
            "accuracy": mean(figures),
            "of": figures,
            "seconds_first": first,
            "seconds": runs[-1]["seconds"],
        }
        print(
            f"{mean(figures):.4f}  {name}  {' '.join(f'{one:.4f}' for one in figures)}  first {first:.0f} s", flush=True
        )
    return result


def languages(folder: Path) -> dict[str, Any]:
    with TRANSLATED.open(newline="", encoding="utf-8") as file:
        asked = list(csv.DictReader(file))
    with REVIEWS.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["text"] not in {one["en"] for one in asked}]
    tables = {"learnt": [(row["text"], row["rating"]) for row in rows]}
    tables |= {language: [(row[language], row["rating"]) for row in asked] for language in ("en", "de", "es")}
    for name, table in tables.items():
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("text", "rating"), *table])
    result = {}
    for name in TEXTS:
        run = folder / name
        zoo("train", name, folder / "learnt.csv", "--head", "regression", "--target", "rating", "--out", run)
        r = {at: zoo("evaluate", run, folder / f"{at}.csv")["metrics"]["pearson_r"] for at in ("en", "de", "es")}
        result[name] = r
        left = "  ".join(f"{at} {r[at]:.3f} ({r[at] / r['en']:.0%})" for at in r)
        print(f"{name}: {left}", flush=True)
    return result


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ZOO_CACHE"] = str(Path(folder, "cache"))
        subprocess.run([*ZOO, "pull", *PICTURES, *TEXTS], check=True, stdout=subprocess.DEVNULL)
        record("offline", {"pictures": pictures(Path(folder)), "languages": languages(Path(folder))})


if __name__ == "__main__":
    main()
