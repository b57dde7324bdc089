"""`zoo predict` on 1,000 files beside a script that loads the same model with Keras and calls `model.predict`."""

import argparse
import json
import tempfile
from pathlib import Path

from common import HERE, ZOO, alternate, draw_pictures, record, timed
from tutorial import SAVE

FILES = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    pairs = parser.parse_args().pairs
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        draw_pictures(folder / "data", {"": 60})
        draw_pictures(folder / "files", {"": FILES}, seed=1)
        run, cache = folder / "run", str(folder / "cache")
        weights = folder / "resnet50.weights.h5"
        timed([ZOO[0], "-c", SAVE, "ResNet50", 224, weights], PYTHONPATH=str(HERE))
        command = [*ZOO, "train", "resnet50", folder / "data", "--weights", weights, "--epochs", 1, "--out", run]
        timed(command, ZOO_CACHE=cache)
        labels: dict[str, str] = {}
        truth = {path.name: path.parent.name for path in (folder / "files").rglob("*.jpg")}

        def right(said: dict[str, str]) -> float:
            return sum(said[name] == label for name, label in truth.items()) / FILES

        def plain() -> dict[str, float]:
            script = HERE / "plain/predict.py"
            seconds, printed, memory = timed([ZOO[0], script, run / "model.keras", folder / "files"])
            labels.update(json.loads(printed.splitlines()[-1]))
            return {"seconds": seconds, "accuracy": right(labels), "megabytes": memory / 1e6}

        def ours(engine: str) -> dict[str, float]:
            command = [*ZOO, "predict", run, folder / "files", "--engine", engine, "--json"]
            seconds, printed, memory = timed(command, ZOO_CACHE=cache)
            said = {Path(answer["input"]).name: answer["label"] for answer in json.loads(printed)}
            same = sum(said[name] == label for name, label in labels.items()) / FILES
            return {"seconds": seconds, "accuracy": right(said), "same_answers": same, "megabytes": memory / 1e6}

        sides = {"plain": plain, "zoo tensorflow": lambda: ours("tensorflow"), "zoo openvino": lambda: ours("openvino")}
        record("predict", alternate(sides, pairs))


if __name__ == "__main__":
    main()
