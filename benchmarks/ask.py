"""One picture asked of one run again and again, beside the bare network's forward; and eight threads asking at once.

The run is made here, on the clip art, by `efficientnet_lite0`. The bare forward is the Keras model in a `tf.function`
in float32, on a picture that is prepared already. Both sides in turn, in one process.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from common import CLIPART, record

THREADS = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    rounds = parser.parse_args().rounds
    os.environ["ZOO_QUIET"] = "1"
    import tensorflow as tf

    import zoo

    picture = sorted((CLIPART / "birds").iterdir())[0]
    with tempfile.TemporaryDirectory() as temporary:
        run = zoo.train("efficientnet_lite0", CLIPART, out=Path(temporary) / "run")
        start = time.perf_counter()
        run = zoo.load_run(Path(temporary) / "run")
        run.predict([picture])
        first = time.perf_counter() - start
        layers = {part: run.model.get_layer(about["layer"]) for part, about in run.card.parts.items()}
        network = layers["network"]
        prepared = layers["preprocess"](tf.constant(run.predictor._reader.read(picture)[None], tf.float32))
        bare = tf.function(lambda x: network(x, training=False)["pooled"])
        sides: dict[str, Callable[[], object]] = {
            "the bare network": lambda: bare(prepared).numpy(),
            "one picture of a run": lambda: run.predict([picture]),
        }
        seconds: dict[str, list[float]] = {name: [] for name in sides}
        for number in range(rounds + 5):
            for name, side in sides.items():
                start = time.perf_counter()
                side()
                if number >= 5:
                    seconds[name].append(time.perf_counter() - start)
        pairs = zip(*seconds.values(), strict=True)
        ratio = statistics.median(ours / theirs for theirs, ours in pairs)
        medians = {name: statistics.median(times) for name, times in seconds.items()}
        for name, median in medians.items():
            print(f"{name:<22} {1000 * median:6.1f} ms")
        print(
            f"one picture takes {ratio:.2f} times the bare network's forward (the first: {first:.1f} s, with loading)"
        )
        with ThreadPoolExecutor(THREADS) as pool:
            start = time.perf_counter()
            answers = list(pool.map(lambda _: run.predict([picture]), range(rounds)))
            rate = rounds / (time.perf_counter() - start)
        assert all(answer == answers[0] for answer in answers)
        print(f"{THREADS} threads: {rate:.0f} pictures a second, all answers the same")
    record("ask", {"rounds": rounds, "milliseconds": {n: 1000 * s for n, s in medians.items()}, "ratio": ratio})


if __name__ == "__main__":
    main()
