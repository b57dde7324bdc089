"""The main job, as a person would do it at the command line: fine-tune by name, then ask about new pictures."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ZOO = Path(sys.executable).with_name("zoo")
RUN = Path("runs/demo")


def zoo(*arguments: str) -> None:
    """Show a command, and run it."""
    print(f"$ zoo {' '.join(arguments)}", flush=True)
    subprocess.run([ZOO, *arguments], cwd=ROOT, check=True)


def main() -> None:
    os.chdir(ROOT)
    if (RUN / "metrics.json").exists():
        print(f"{RUN} is there already; remove it to train again.")
    else:
        if RUN.exists():  # a run that was broken off; nothing of a person's is ever removed
            RUN.rename(next(p for i in range(1000) if not (p := RUN.with_name(f"demo-unfinished-{i}")).exists()))
        zoo("train", "efficientnet_lite0", "examples/data/clipart", "--out", str(RUN))
    print()
    zoo("predict", str(RUN), "examples/data/unseen")
    summary = json.loads((RUN / "metrics.json").read_text())
    accuracy, examples = summary["metrics"]["accuracy"], summary["examples"]
    print(
        f"""
A classifier for six kinds of clip art, from {examples["train"]} pictures in {summary["seconds"]:.0f} seconds.
  accuracy    {accuracy:.3f} on {examples["validation"]} pictures kept out of training (chance: 0.167)
  run folder  {RUN}
  above       its answers for six more pictures it was not trained on; each file is named after what it shows

Three commands to try next:
  {".venv/bin/zoo list":<56}all backbones, by name
  {".venv/bin/zoo train efficientnet_lite0 PHOTOS/":<56}your own pictures, a sub-folder for each class
  {f".venv/bin/zoo predict {RUN} PICTURE --json":<56}an answer for a program
"""
    )


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
