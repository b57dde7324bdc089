"""Linear models on the features of a frozen backbone, fitted in a second or two: the baseline for training a head.

The regularisation is chosen by cross-validation on some of the training examples; no other examples are used.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from zoo.filters import filtered
from zoo.progress import say
from zoo_heads.layers import MOST_OF_BASELINE

_STRENGTHS = np.logspace(-4, 1, 6)  # scikit-learn's C, for standardised features
_CHOOSING = 1_000  # examples used to choose the regularisation
_FOLDS = 3
_CHOOSING_COLUMNS = 5


@dataclass(frozen=True)
class Linear:
    """`x @ kernel + bias`: kernel (dim, units), bias (units,); and the name of the method."""

    kernel: np.ndarray
    bias: np.ndarray
    name: str


def logistic(features: np.ndarray, classes: np.ndarray, count: int, weights: np.ndarray) -> Linear | None:
    """Logistic regression: features (examples, dim), class indices (examples,) below `count`, example weights.

    None if there are too few examples of a class for cross-validation.
    """
    if np.bincount(classes, minlength=count).min() < _FOLDS:
        return None
    space = _Space(features)
    strength = _choose(space.x, classes, weights)
    kernel, bias = _fit(space.x, classes, weights, strength)
    if count == 2:  # scikit-learn has one column for two classes
        kernel, bias = np.hstack([-kernel, kernel]) / 2, np.concatenate([-bias, bias]) / 2
    return space.linear(kernel, bias, f"logistic regression (C = {strength:g})")


def logistic_of_labels(features: np.ndarray, labels: np.ndarray) -> Linear | None:
    """Logistic regression for each column of 0 and 1: features (examples, dim), labels (examples, columns).

    None if there are too few examples with or without a label for cross-validation.
    """
    fewest = np.minimum(labels.sum(axis=0), len(labels) - labels.sum(axis=0))
    if fewest.min() < _FOLDS:
        return None
    space, even = _Space(features), np.ones(len(labels))
    columns = labels.T.astype("int32")
    strength = float(np.median([_choose(space.x, column, even) for column in columns[:_CHOOSING_COLUMNS]]))
    fitted = [_fit(space.x, column, even, strength) for column in columns]
    kernel = np.hstack([kernel for kernel, _ in fitted])
    bias = np.concatenate([bias for _, bias in fitted])
    return space.linear(kernel, bias, f"logistic regression of each label (C = {strength:g})")


def ridge(features: np.ndarray, values: np.ndarray) -> Linear:
    """Ridge regression: features (examples, dim), values (examples, columns); alpha is chosen by leave-one-out."""
    from sklearn.linear_model import RidgeCV

    space = _Space(features)
    fitted = RidgeCV(np.logspace(-1, 5, 13)).fit(space.x, values)
    kernel = np.reshape(fitted.coef_, (values.shape[1], -1)).T
    bias = np.broadcast_to(fitted.intercept_, values.shape[1:])
    return space.linear(kernel, bias, f"ridge regression (alpha = {fitted.alpha_:.3g})")


def installed(head: keras.Model, last: str, units: int, of: str, fit: Callable[[], Linear | None]) -> str | None:
    """Fit a linear model and turn a head into it; returns the method's name. Says so where there is no such model.

    last   the name of the head's last layer, a dense one of `units` units
    of     what the units stand for, in a word
    """
    if units > MOST_OF_BASELINE:
        why = f"there are {units} {of}, and it is fitted to at most {MOST_OF_BASELINE}"
    elif (room := _room(head)) is not None and room < 2 * units:
        why = f"the hidden layer has {room} units, and it needs {2 * units}"
    elif (found := fit()) is None:
        why = f"it needs {_FOLDS} training examples of each of the {of}"
    else:
        _install(head, last, found)
        return found.name
    say(f"There is no linear baseline to compare with: {why}.")
    return None


def _room(head: keras.Model) -> int | None:
    """The units of the hidden layer; None if there is none."""
    return next((int(layer.units) for layer in head.layers if layer.name == "hidden"), None)


def _install(head: keras.Model, last: str, linear: Linear) -> None:
    """Set the weights of a head (a dense layer `last`, perhaps after one called `hidden`) so that it is a linear model.

    In a hidden layer, two units for each output carry the model, one for its positive and one for its negative part;
    the other units keep their initial weights but have no effect yet.
    """
    end = head.get_layer(last)
    if _room(head) is None:
        end.set_weights([linear.kernel, linear.bias])
        return
    hidden = head.get_layer("hidden")
    kernel, bias = hidden.get_weights()
    units = linear.kernel.shape[1]
    kernel[:, : 2 * units] = np.hstack([linear.kernel, -linear.kernel])
    bias[: 2 * units] = 0
    out = np.zeros((kernel.shape[1], units))
    out[:units], out[units : 2 * units] = np.eye(units), -np.eye(units)
    hidden.set_weights([kernel, bias])
    end.set_weights([out, linear.bias])


class _Space:
    """Standardised features `x`, reduced to the span of the examples if there are more dimensions than examples.

    That changes nothing: a linear model with a quadratic penalty is the same in every rotation of its features.
    """

    def __init__(self, features: np.ndarray) -> None:
        x = features.astype("float64")
        self._mean, std = x.mean(axis=0), x.std(axis=0)
        self._std = np.where(std > 1e-6 * (np.abs(self._mean) + 1e-12), std, 1.0)
        self.x = (x - self._mean) / self._std
        self._basis = None
        if self.x.shape[1] > self.x.shape[0]:
            self._basis = np.linalg.qr(self.x.T)[0]
            self.x = self.x @ self._basis

    def linear(self, kernel: np.ndarray, bias: np.ndarray, name: str) -> Linear:
        """The same model on the original features."""
        kernel = (kernel if self._basis is None else self._basis @ kernel) / self._std[:, np.newaxis]
        return Linear(kernel, bias - self._mean @ kernel, name)


def _fit(x: np.ndarray, classes: np.ndarray, weights: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
    fitted = _model(x, classes, weights, strength)
    return fitted.coef_.T, fitted.intercept_


def _model(x: np.ndarray, classes: np.ndarray, weights: np.ndarray, strength: float) -> Any:
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    # Many small products: on two threads, besides TensorFlow's, they take 7 times as long
    with filtered("ignore"), threadpool_limits(1):  # if it has not converged, it is close enough
        return LogisticRegression(C=strength, max_iter=100, tol=1e-3).fit(x, classes, weights)


def _choose(x: np.ndarray, classes: np.ndarray, weights: np.ndarray) -> float:
    """The strength with the lowest cross-entropy, by cross-validation on some of the examples."""
    from sklearn.metrics import log_loss
    from sklearn.model_selection import StratifiedKFold

    some = np.random.default_rng(0).permutation(len(x))[:_CHOOSING]
    if np.unique(classes[some], return_counts=True)[1].min() < _FOLDS:
        some = np.arange(len(x))
    with filtered("ignore"):  # it changes filters, too
        folds = list(StratifiedKFold(_FOLDS, shuffle=True, random_state=0).split(some, classes[some]))

    def loss(strength: float) -> float:
        losses = []
        for rows, others in folds:
            train, judge = some[rows], some[others]
            model = _model(x[train], classes[train], weights[train], strength)
            with filtered("ignore"):
                losses.append(log_loss(classes[judge], model.predict_proba(x[judge]), labels=model.classes_))
        return float(np.mean(losses))

    return float(min(_STRENGTHS, key=loss))
