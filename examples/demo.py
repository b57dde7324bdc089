"""The main job, as a person would do it: fine-tune by name on pictures, then on sentences, and ask."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ZOO = Path(sys.executable).with_name("zoo")
PICTURES, SENTENCES = Path("runs/demo"), Path("runs/demo-sentences")
QUESTIONS = ("It broke after two days.", "The battery is the best I ever had!", "It is a camera.")


def zoo(*arguments: str) -> None:
    """Show a command, and run it."""
    shown = [f'"{argument}"' if " " in argument else argument for argument in arguments]
    print(f"$ zoo {' '.join(shown)}", flush=True)
    subprocess.run([ZOO, *arguments], cwd=ROOT, check=True)


def train(run: Path, *arguments: str) -> dict:
    """Train, unless the run is there already; returns what its metrics.json holds."""
    if (run / "metrics.json").exists():
        print(f"{run} is there already; remove it to train again.")
    elif (run / "plan.toml").exists():  # it was broken off
        zoo("resume", str(run))
    else:
        zoo("train", *arguments, "--out", str(run))
    print()
    return json.loads((run / "metrics.json").read_text())


def main() -> None:
    os.chdir(ROOT)
    pictures = train(PICTURES, "efficientnet_lite0", "examples/data/clipart")
    zoo("predict", str(PICTURES), "examples/data/unseen")
    print()
    reviews = ("minilm_l6", "examples/data/reviews/reviews.csv", "--head", "regression", "--target", "rating")
    sentences = train(SENTENCES, *reviews)
    zoo("predict", str(SENTENCES), *QUESTIONS)
    accuracy, seen = pictures["metrics"]["accuracy"], pictures["examples"]
    pearson_r, read = sentences["metrics"]["pearson_r"], sentences["examples"]
    print(
        f"""
A classifier for six kinds of clip art, from {seen["train"]} pictures in {pictures["seconds"]:.0f} seconds.
  accuracy    {accuracy:.3f} on {seen["validation"]} pictures kept out of training (chance: 0.167)
  run folder  {PICTURES}; its answers are for pictures it was not trained on, each named after what it shows

A judge of product reviews, from -4 to 4, from {read["train"]} sentences in {sentences["seconds"]:.0f} seconds.
  Pearson r   {pearson_r:.3f} on {read["validation"]} sentences kept out of training (a single human: 0.911)
  run folder  {SENTENCES}; with --unfreeze all, in minutes, it gets nearer to the humans

Four commands to try next:
  {".venv/bin/zoo list":<58}all backbones, by name
  {".venv/bin/zoo train efficientnet_lite0 PHOTOS/":<58}your own pictures, a sub-folder for each class
  {".venv/bin/zoo train minilm_l6 TABLE.csv --target COLUMN":<58}your own texts, in a column `text`
  {f".venv/bin/zoo predict {PICTURES} PICTURE --json":<58}an answer for a program
"""
    )


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
