"""Which targets may be wrong: what a ridge regression on the features, fitted without an example, says of its target.

Leaving each example out in turn has a closed form, so one fit is enough, nothing is drawn by chance but the landmarks
of large sets, and each example is judged by all others.
"""

import hashlib

import numpy as np

EVEN = 0.5  # the probability from which a label is rather the other one
FAR = 2.0  # the usual deviations from which a number is corrected

_LANDMARKS = 1_000  # examples that the others are compared with: the features of the regression
_WIDTH_FROM = 500  # landmarks that the usual distance is measured on
_STRENGTHS = np.logspace(-4.5, -0.5, 9)  # of the penalty, as a share of the whole variance
_CHOOSING = 5_000  # examples used to choose it
_NUMBERS = 500_000  # and at most this many scores of them
_BLOCK = 4_000  # rows of scores in memory at once
_TINY = 1e-12


class LeftOut:
    """Kernel ridge regression of values (examples, columns) on features (examples, ...): each example by all others.

    groups  an integer for each example, (examples,): the same for copies of one thing. None: for the same features

    With an example, its copies that have the same values are left out, which would only repeat it. Copies that have
    other values stay: one of them is wrong. Features that are not finite count as the mean of the others.
    """

    def __init__(self, features: np.ndarray, values: np.ndarray, groups: np.ndarray | None = None) -> None:
        copies = _same(features) if groups is None else np.unique(groups, return_inverse=True)[1]
        numbers = _same(np.column_stack([copies, _same(values)]))
        order = np.argsort(numbers, kind="stable")
        parts = np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1)
        self.groups = [part for part in parts if len(part) > 1]
        self._values, self._mean = values, values.mean(axis=0, dtype="float64")
        self._basis, self._share = _basis(_kernel_features(_standardised(features)))
        self._projected = self._basis.T @ values

    def predicted(self, strength: float, rows: np.ndarray) -> np.ndarray:
        """The values of some rows by what the others say, float64 (rows, columns)."""
        count = len(self._values)
        shrunk = self._share / (self._share + strength)
        kernel = shrunk[:, None] * self._projected
        basis, given = self._basis[rows], self._values[rows]
        leverage = np.minimum(1 / count + np.square(basis) @ shrunk, 1 - 1e-6)[:, None]
        said: np.ndarray = given - (given - self._mean - basis @ kernel) / (1 - leverage)
        place = np.full(count, -1)
        place[rows] = np.arange(len(rows))
        for group in self.groups:
            wanted = place[group] >= 0
            if wanted.any():
                residuals = self._values[group] - self._mean - self._basis[group] @ kernel
                without = self._values[group] - self._without(group, shrunk, residuals)
                said[place[group[wanted]]] = without[wanted]
        return said

    def _without(self, group: np.ndarray, shrunk: np.ndarray, residuals: np.ndarray) -> np.ndarray:
        """The residuals (group, columns) of a fit without the whole group."""
        own = np.full(len(group), len(self._values) ** -0.5)
        part = np.column_stack([own, self._basis[group] * np.sqrt(shrunk)])
        large = 1 + 1e-9  # a group of all examples leaves nothing to fit
        if len(group) <= part.shape[1]:
            return np.linalg.solve(large * np.eye(len(group)) - part @ part.T, residuals)
        inner = large * np.eye(part.shape[1]) - part.T @ part
        return residuals + part @ np.linalg.solve(inner, part.T @ residuals)

    def sample(self) -> np.ndarray:
        """The rows on which strengths are compared."""
        most = max(min(_CHOOSING, _NUMBERS // self._values.shape[1]), 1)
        return np.sort(np.random.default_rng(0).permutation(len(self._values))[:most])


def of_classes(features: np.ndarray, classes: np.ndarray, count: int, groups: np.ndarray | None = None) -> np.ndarray:
    """The probability of each class for each example by what the others say: float32 (examples, count).

    classes  indices below `count`, (examples,)

    Nothing can be learnt of a class that only one example has; it gets all of that example's probability.
    """
    given = np.zeros((len(classes), count), "float32")
    given[np.arange(len(classes)), classes] = 1
    fit = LeftOut(features, given, groups)
    some = fit.sample()

    def tried(strength: float) -> tuple[float, float, float]:
        factor, loss = _sharpened(fit.predicted(strength, some), classes[some])
        return loss, strength, factor

    _, strength, factor = min(map(tried, _STRENGTHS))
    shares = np.empty_like(given)
    for block in _blocks(len(classes)):
        shares[block] = _softmax(factor * fit.predicted(strength, block))
    alone = _alone(fit, classes, count)
    shares[alone] = given[alone]
    return shares


def of_labels(features: np.ndarray, labels: np.ndarray, groups: np.ndarray | None = None) -> np.ndarray:
    """The probability that each label's value is the other one, float64 (examples, labels), for labels of 0 and 1."""
    given = labels.astype("float64")
    fit = LeftOut(features, given, groups)
    some = fit.sample()

    def tried(strength: float) -> tuple[float, float]:
        said = fit.predicted(strength, some)
        shares = _logistic(said, *_scaled(said, given[some]))
        return -float(np.log(np.maximum(np.abs(shares + given[some] - 1), _TINY)).mean()), strength

    _, strength = min(map(tried, _STRENGTHS))
    said = fit.predicted(strength, np.arange(len(given)))
    return np.abs(given - _logistic(said, *_scaled(said[some], given[some])))


def of_numbers(
    features: np.ndarray, values: np.ndarray, groups: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """What the others say of numbers (examples, columns), and by how many usual deviations each number differs."""
    middle, spread = values.mean(axis=0), values.std(axis=0)
    scale = np.where(spread > 0, spread, 1)
    given = (values - middle) / scale
    fit = LeftOut(features, given, groups)
    some = fit.sample()
    losses = [np.abs(fit.predicted(strength, some) - given[some]).mean() for strength in _STRENGTHS]
    said = fit.predicted(float(_STRENGTHS[int(np.argmin(losses))]), np.arange(len(given)))
    far = np.abs(given - said)
    usual = 1.4826 * np.median(far, axis=0)  # of a normal distribution: its standard deviation
    usual = np.where(usual > 1e-9, usual, far.std(axis=0))
    return said * scale + middle, far / np.where(usual > 1e-9, usual, np.inf)


def _alone(fit: LeftOut, classes: np.ndarray, count: int) -> np.ndarray:
    """Whether an example and its copies are the only ones of their class: bool (examples,)."""
    others = np.bincount(classes, minlength=count)[classes] - 1
    for group in fit.groups:
        others[group] -= len(group) - 1
    return others < 1


def _same(rows: np.ndarray) -> np.ndarray:
    """A number for each row, int (examples,); the same number for the same row."""
    seen: dict[bytes, int] = {}
    marks = (hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in rows)
    return np.array([seen.setdefault(mark, len(seen)) for mark in marks])


def _standardised(features: np.ndarray) -> np.ndarray:
    """Float32 (examples, dim) with mean 0 and standard deviation 1, or 0 where a feature is constant."""
    x = features.reshape(len(features), -1)
    if not np.isfinite(x).all():
        known = np.isfinite(x)
        mean = np.where(known, x, 0).sum(axis=0, dtype="float64") / np.maximum(known.sum(axis=0), 1)
        x = np.where(known, x, mean)
    mean, std = x.mean(axis=0, dtype="float64"), x.std(axis=0, dtype="float64")
    large = std > 1e-6 * (np.abs(mean) + _TINY)
    scaled: np.ndarray = ((x - mean) / np.where(large, std, np.inf)).astype("float32")
    return scaled


def _kernel_features(x: np.ndarray) -> np.ndarray:
    """Features whose products are a Gaussian kernel as wide as the usual distance: Nyström's, (examples, landmarks)."""
    chosen = x[np.sort(np.random.default_rng(0).permutation(len(x))[:_LANDMARKS])]
    some = _squares(chosen[:_WIDTH_FROM], chosen)
    width = np.median(some[some > 1e-6 * some.max(initial=0)]) if some.max(initial=0) > 0 else 1.0
    values, vectors = np.linalg.eigh(np.exp(-_squares(chosen, chosen) / width))
    keep = values > 1e-7 * values[-1]
    root = vectors[:, keep] / np.sqrt(values[keep])
    made = np.empty((len(x), root.shape[1]), "float64" if len(x) <= _CHOOSING else "float32")
    for rows in _blocks(len(x)):
        made[rows] = np.exp(-_squares(x[rows], chosen) / width) @ root
    return made


def _squares(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The squared distances between rows, float64 (len(a), len(b))."""
    of_a, of_b = (np.square(x, dtype="float64").sum(axis=1) for x in (a, b))
    found: np.ndarray = np.maximum(of_a[:, None] + of_b - 2 * (a @ b.T).astype("float64"), 0)
    return found


def _basis(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The principal directions of the rows, (examples, directions) with length 1, and their shares of the variance."""
    x = x - x.mean(axis=0, dtype="float64").astype(x.dtype)
    values, vectors = np.linalg.eigh((x.T @ x).astype("float64"))
    keep = values > 1e-9 * max(values[-1], _TINY)
    values, vectors = values[keep], vectors[:, keep]
    return x @ (vectors / np.sqrt(values)).astype(x.dtype), values / max(values.sum(), _TINY)


def _blocks(count: int) -> list[np.ndarray]:
    return np.array_split(np.arange(count), range(_BLOCK, count, _BLOCK))


def _softmax(scores: np.ndarray) -> np.ndarray:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: np.ndarray = raised / raised.sum(axis=1, keepdims=True)
    return shares


def _sharpened(scores: np.ndarray, classes: np.ndarray) -> tuple[float, float]:
    """The factor before a softmax with the lowest cross-entropy, and that cross-entropy."""
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(classes))

    def loss(power: float) -> float:
        shares = _softmax(np.exp(power) * scores)
        return -float(np.log(np.maximum(shares[rows, classes], _TINY)).mean())

    found = minimize_scalar(loss, bounds=(-3, 4), method="bounded", options={"xatol": 0.02})
    return float(np.exp(found.x)), float(found.fun)


def _scaled(scores: np.ndarray, given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each column, slope and offset of the logistic curve that best gives 0 and 1, with a weak pull to the mean."""
    rates = np.clip(given.mean(axis=0), 1e-3, 1 - 1e-3)
    slope, offset = np.full(scores.shape[1], 4.0), np.log(rates / (1 - rates))
    centred = scores - rates
    for _ in range(25):  # Newton's method, damped
        shares = _logistic(centred, slope, offset)
        wrong, weight = shares - given, np.maximum(shares * (1 - shares), 1e-6)
        of_slope = (wrong * centred).sum(axis=0) + 0.02 * (slope - 4)
        of_offset = wrong.sum(axis=0)
        a, b = (weight * centred**2).sum(axis=0) + 0.02, (weight * centred).sum(axis=0)
        c = weight.sum(axis=0) + 1e-3
        scale = np.maximum(a * c - b * b, _TINY)
        slope = slope - np.clip((c * of_slope - b * of_offset) / scale, -4, 4)
        offset = offset - np.clip((a * of_offset - b * of_slope) / scale, -2, 2)
    return np.clip(slope, 0, 60), offset - np.clip(slope, 0, 60) * rates


def _logistic(scores: np.ndarray, slope: np.ndarray, offset: np.ndarray) -> np.ndarray:
    shares: np.ndarray = 1 / (1 + np.exp(-np.clip(slope * scores + offset, -30, 30)))
    return shares
