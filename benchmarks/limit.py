"""The frozen forward pass of ResNet50 in GFLOP/s, as a share of what a matrix product of the same precision reaches.

A multiplication and an addition are two operations; ResNet50 without its classification layer does 3.86 billion of each
for a picture of 224 x 224 (He et al. 2015: 3.8).
"""

import argparse
import statistics
import time
from collections.abc import Callable

from common import record, with_statistics

OPERATIONS = 2 * 3.86e9
SIDE, BATCH = 4096, 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    from zoo import engine

    engine.start()
    import keras
    import tensorflow as tf

    from zoo.inference.options import Inference
    from zoo.inference.runner import Runner

    network = with_statistics(
        keras.applications.ResNet50(weights=None, include_top=False, input_shape=(224, 224, 3), pooling="avg")
    )
    pictures = tf.random.normal((BATCH, 224, 224, 3))
    multiply = tf.function(lambda x: tf.linalg.matmul(x, x))
    plain = tf.function(lambda x: network(x, training=False))
    result = {}
    for precision in ("bfloat16", "float32"):
        matrix = tf.cast(tf.random.normal((SIDE, SIDE)), precision)
        sides: dict[str, Callable[[], object]] = {"matrix product": lambda m=matrix: multiply(m)[0, 0].numpy()}
        for name in ("tensorflow", "openvino"):
            run = Runner(network, tf.TensorSpec((None, 224, 224, 3)), Inference(precision, name))
            run(pictures)
            assert (run.engine, run.precision) == (name, precision)
            sides[name] = lambda run=run: run(pictures)
        sides["keras in a tf.function, float32"] = lambda: plain(pictures)[0, 0].numpy()
        work = dict.fromkeys(sides, OPERATIONS * BATCH) | {"matrix product": 2.0 * SIDE**3}
        rates: dict[str, list[float]] = {name: [] for name in sides}
        for number in range(rounds + 2):
            for name, side in sides.items():
                start = time.perf_counter()
                side()
                if number >= 2:
                    rates[name].append(work[name] / (time.perf_counter() - start) / 1e9)
        for name, of_one in rates.items():
            pairs = zip(of_one, rates["matrix product"], strict=True)
            share = statistics.median(ours / product for ours, product in pairs)
            rate = statistics.median(of_one)
            result[f"{precision}: {name}"] = {"gflops": rate, "share_of_product": share}
            print(f"{precision:<9} {name:<32} {rate:7.0f} GFLOP/s  {share:5.0%}", flush=True)
    record("limit", {"rounds": rounds, **result})


if __name__ == "__main__":
    main()
