"""How many labels that were flipped on purpose are found: `suspect` of the head beside cleanlab, on frozen features.

A share of the labels becomes another class, drawn evenly, in 20 draws. A list as long as the flipped ones are many is
taken from the top: which share of it was flipped? cleanlab ranks the same probabilities in three ways. A list of a
logistic regression's (five folds) is what one would do without `zoo`. "looks wrong" is cleanlab's own estimate of how
many are wrong (the confident joint), for the probabilities of `suspect`, with 0, 5, 10 and 20 % flipped.
"""

import argparse
import csv
import importlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from common import CLIPART, HERE, ZOO, record, timed

from zoo_heads import suspects

REVIEWS = HERE.parent / "examples/data/reviews/reviews.csv"
CLEANLAB = "cleanlab==2.9.0"
HOW = ("self_confidence", "normalized_margin")
SHARES = (0.0, 0.05, 0.1, 0.2)


def vectors(out: Path, *arguments: object) -> tuple[np.ndarray, list[str]]:
    """The pooled features that `zoo embed` writes, and where each is from."""
    timed([*ZOO, "embed", *arguments, "--set", "normalize=false", "--out", out])
    table = pq.read_table(out)
    return np.stack(table["vector"].to_numpy()), table["input"].to_pylist()


def data_sets(folder: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Features and class indices of each data set; on quarters of the rating nothing was chosen."""
    from sklearn.datasets import load_digits

    pictures, names = vectors(folder / "clipart.parquet", "efficientnet_lite0", CLIPART)
    texts, _ = vectors(folder / "reviews.parquet", "minilm_l6", REVIEWS, "--input", "text")
    with REVIEWS.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    ratings = np.array([float(row["rating"]) for row in rows])
    digits, numbers = load_digits(return_X_y=True)
    return {
        "clip art": (pictures, _numbered([Path(name).parent.name for name in names])),
        "reviews, label": (texts, _numbered([row["label"] for row in rows])),
        "reviews, quarters of rating": (texts, np.digitize(ratings, np.quantile(ratings, [0.25, 0.5, 0.75]))),
        "digits, 600": (digits[:600].astype("float32"), numbers[:600]),
    }


def _numbered(names: list[str]) -> np.ndarray:
    return np.unique(names, return_inverse=True)[1]


def flipped(classes: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The classes with a share of them changed, and which: int32 and bool (examples,)."""
    chance, given, wrong = np.random.default_rng(seed), classes.astype("int32"), np.zeros(len(classes), bool)
    wrong[chance.choice(len(classes), round(share * len(classes)), replace=False)] = True
    count = int(classes.max()) + 1
    given[wrong] = (given[wrong] + chance.integers(1, count, wrong.sum())) % count
    return given, wrong


def folds(features: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Out-of-fold probabilities of a logistic regression on standardised features (examples, classes)."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=200))
    shares: np.ndarray = cross_val_predict(model, features, given, cv=5, method="predict_proba")
    return shares


def lists(cleanlab: Any, shares: np.ndarray, given: np.ndarray) -> dict[str, np.ndarray]:
    """By name, the examples in cleanlab's order; that of find_label_issues may be shorter."""
    rank, find = cleanlab.rank.get_label_quality_scores, cleanlab.filter.find_label_issues
    made = {f"cleanlab, {how}": np.argsort(rank(given, shares, method=how), kind="stable") for how in HOW}
    return made | {"cleanlab, find_label_issues": find(given, shares, return_indices_ranked_by="self_confidence")}


def measured(cleanlab: Any, features: np.ndarray, classes: np.ndarray, draws: range) -> dict[str, float]:
    """Means over the draws, with a twentieth flipped, and the estimates for each share."""
    figures: dict[str, list[float]] = {}
    count = int(classes.max()) + 1
    for seed in draws:
        for share in SHARES:
            given, wrong = flipped(classes, share, seed)
            start = time.perf_counter()
            shares = suspects.of_classes(features, given, count).astype("float64")
            seconds = time.perf_counter() - start
            shares /= shares.sum(axis=1, keepdims=True)
            joint = cleanlab.count.num_label_issues(given, shares)
            figures.setdefault(f"looks wrong, of {wrong.sum()}", []).append(joint)
            if share != SHARES[1]:
                continue
            orders = {"suspect": np.argsort(shares[np.arange(len(given)), given], kind="stable")}
            orders |= lists(cleanlab, shares, given)
            by_folds = lists(cleanlab, folds(features, given), given)
            orders |= {f"logistic regression; {name}": order for name, order in by_folds.items()}
            for name, order in orders.items():
                figures.setdefault(name, []).append(wrong[order[: wrong.sum()]].sum() / wrong.sum())
            right = shares[wrong].argmax(axis=1) == classes[wrong]
            figures.setdefault("suspect names the true class", []).append(right.mean())
            figures.setdefault("seconds", []).append(seconds)
    return {name: float(np.mean(some)) for name, some in figures.items()}


def numbers_found(features: np.ndarray, ratings: np.ndarray, draws: range) -> float:
    """For a twentieth of the ratings exchanged for others' ratings, the share found by their differences."""
    shares = []
    for seed in draws:
        chance = np.random.default_rng(seed)
        wrong = chance.choice(len(ratings), round(0.05 * len(ratings)), replace=False)
        given = ratings.copy()
        given[wrong] = chance.permutation(ratings)[: len(wrong)]
        _, deviations = suspects.of_numbers(features, given[:, None])
        shares.append(np.isin(np.argsort(-deviations[:, 0])[: len(wrong)], wrong).mean())
    return float(np.mean(shares))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="the seed of the first draw")
    parser.add_argument("--cleanlab", type=Path, help="a folder with cleanlab; otherwise pip brings it")
    options = parser.parse_args()
    draws = range(options.first, options.first + options.draws)
    result: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        library = options.cleanlab or Path(temporary, "cleanlab")
        if options.cleanlab is None:
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", library]
            subprocess.run([*pip, CLEANLAB], check=True)
        sys.path.append(str(library))
        cleanlab = importlib.import_module("cleanlab")
        for part in ("rank", "filter", "count"):
            importlib.import_module(f"cleanlab.{part}")
        sets = data_sets(Path(temporary))
        for name, (features, classes) in sets.items():
            result[name] = measured(cleanlab, features, classes, draws)
            print(name)
            for what, figure in result[name].items():
                print(f"  {figure:8.3f}  {what}", flush=True)
        features, _ = sets["reviews, label"]
        with REVIEWS.open(newline="", encoding="utf-8") as file:
            ratings = np.array([float(row["rating"]) for row in csv.DictReader(file)])
        found = numbers_found(features, ratings, draws)
        print(f"  {found:8.3f}  of exchanged ratings are found by their differences")
    record("label_errors", {"draws": options.draws, **result, "ratings": found})


if __name__ == "__main__":
    main()
