"""How often the 95 % intervals hold the truth: 2,000 data sets of 50, 200 and 1,000 examples each.

python benchmarks/intervals.py [DATA-SETS]
"""

import sys
from multiprocessing import Pool

import numpy as np

from zoo.catalog import catalog
from zoo.compose.head import make_task
from zoo.runs.intervals import intervals

SETS = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
SIZES = (50, 200, 1_000)
LARGE = 400_000  # examples that stand for all there are


def classes(count, rng):
    """Four classes of unlike frequency, with probabilities that are right in eight of ten cases."""
    encoded = rng.choice(4, count, p=[0.4, 0.3, 0.2, 0.1])
    outputs = np.exp(rng.normal(size=(count, 4)) + 2 * np.eye(4)[encoded])
    return encoded, outputs / outputs.sum(axis=1, keepdims=True)


def labels(count, rng):
    """Three labels, of which one is rare."""
    encoded = (rng.random((count, 3)) < [0.5, 0.3, 0.15]).astype("float32")
    return encoded, 1 / (1 + np.exp(-rng.normal(size=(count, 3)) - 2.5 * encoded + 1.2))


def numbers(count, rng):
    """Numbers with an error that has heavy tails."""
    truth = rng.normal(size=(count, 1))
    return truth, 0.8 * truth + 0.4 * rng.standard_t(6, size=(count, 1))


KINDS = {
    "classification": (classes, ["a", "b", "c", "d"]),
    "multilabel": (labels, ["a|b|c"]),
    "regression": (numbers, []),
}


def task_of(head):
    task = make_task(catalog().head(head), {})
    task.learn(KINDS[head][1] or ["0.5", "1.25", "3"], ("label",))
    return task


def held(case):
    """Whether each metric's interval of one data set holds the truth."""
    head, count, seed, truth = case
    task = task_of(head)
    encoded, outputs = KINDS[head][0](count, np.random.default_rng((seed, count)))
    found = intervals(task, encoded, outputs, task.score(encoded, outputs))
    return {name: found[name][0] <= value <= found[name][1] for name, value in truth.items() if name in found}


def main() -> None:
    print(f"{'metric':32}" + "".join(f"{count:>8}" for count in SIZES) + "   examples")
    with Pool() as pool:
        for head, (draw, _) in KINDS.items():
            truth = task_of(head).score(*draw(LARGE, np.random.default_rng(0)))
            shares = []
            for count in SIZES:
                cases = [(head, count, seed, truth) for seed in range(SETS)]
                sets = pool.map(held, cases, chunksize=20)
                shares.append({name: np.mean([one[name] for one in sets if name in one]) for name in truth})
            for name in truth:
                print(f"{f'{head}: {name}':32}" + "".join(f"{share[name]:8.1%}" for share in shares), flush=True)


if __name__ == "__main__":
    main()
