"""Multi-label classification: any number of labels for each example."""

import functools
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from natsort import natsorted

import zoo
from zoo.progress import say
from zoo_heads import separators, suspects
from zoo_heads.closed_form import installed, logistic_of_labels
from zoo_heads.drawn import calibration, of_each
from zoo_heads.evidence import log_odds, place_of
from zoo_heads.layers import check_options, dense, ranked
from zoo_heads.scores import Scores, average_precision, average_precision_of_samples, best_threshold, weights_of
from zoo_heads.states import list_of_texts
from zoo_heads.strata import by_rarest

Target = str | list[str] | tuple[str, ...]

_MOST_RANKED = 20_000  # probabilities of which thousands of samples are ranked
_YES, _NO = {"1", "1.0", "true", "yes"}, {"0", "0.0", "false", "no"}


class Multilabel(zoo.Task):
    """Dense sigmoid for each label, on `pooled` (batch, dim); the outputs are probabilities (batch, labels).

    A target consists of labels in one cell (a list, or a text in which a separator is between them; "|" alone: no
    label), or of a column of 0 and 1 for each label.
    """

    def __init__(self, *, hidden: int | str, dropout: float, threshold: float, separator: str = "") -> None:
        check_options(hidden=hidden, dropout=dropout)
        if not 0 < threshold < 1:
            raise zoo.BadPlan(f"--set threshold={threshold}: it must be above 0 and below 1.")
        self.options = {"hidden": hidden, "dropout": dropout, "threshold": threshold, "separator": separator}
        self.columns: list[str] = []
        self.labels: list[str] = []
        self._separator = separators.named(separator or separators.USUAL)
        self._found = separator != ""
        self._learnt = False

    def read_target(self, cells: Sequence[Any], raw: Any) -> Target:
        """A list of labels, or the text of the cell; or a tuple of the texts in several columns."""
        if len(cells) > 1:
            return super().read_target(cells, raw)
        cell = [part for part in cells[0] if part is not None] if isinstance(cells[0], (list, tuple)) else cells[0]
        labels = zoo.list_of(cell)
        if labels is not None:
            return [label.strip() for label in labels if label.strip()]
        text: str = super().read_target([cell], raw)
        if re.fullmatch(r"\{.*:.*\}", text.strip(), re.DOTALL):
            raise zoo.BadData("an object, where labels were expected")
        return text

    def write_target(self, target: Target) -> str:
        """Labels from a list as in red|round, or as JSON where that would be unclear."""
        if not isinstance(target, list):
            return super().write_target(target)
        plain = not any("|" in label for label in target)
        return ("|".join(target) or "|") if plain else json.dumps(target, ensure_ascii=False)

    def describe(self, targets: Sequence[Target], unit: str = "labels") -> str:
        return str(super().describe([label for target in targets for label in self._labels_of(target)], unit))

    def learn(self, targets: Sequence[Target], columns: Sequence[str]) -> None:
        self.columns = list(columns)
        self._find_separator(targets)
        given = {label for target in targets for label in self._labels_of(target)}
        self.labels = list(columns) if len(columns) > 1 else natsorted(given)
        if len(self.labels) < 2:
            raise zoo.BadData(
                f"Number of labels: {len(self.labels)}. Give two or more, separated by '|' as in 'red|round', or "
                "several columns of 0 and 1 with --target A,B,C."
            )
        if never := [label for label in self.labels if label not in given]:
            raise zoo.BadData(f"No training example has the label {never[0]!r}. Leave its column out of --target.")
        if len(columns) == 1:
            self._refuse_vectors(targets)
        elif not self._learnt:
            self._refuse_columns_of_ones(targets)
        self._learnt = True

    def _find_separator(self, targets: Sequence[Target]) -> None:
        """Find out once what separates labels, from all targets; it stays the same for the training ones alone."""
        texts = [target for target in targets if isinstance(target, str)]
        if self._separator is not None:
            separators.refuse_bare_lists(texts)
            if self.options["separator"]:
                separators.refuse_unused(texts, self._separator)
        if self._found or len(self.columns) > 1:
            return
        listed = {label for target in targets if isinstance(target, list) for label in target}
        self._separator = separators.find(texts, listed)
        self._found = True
        labels = (label for text in sorted(set(texts)) for label in separators.split(text, self._separator))
        separators.refuse_halves(labels, self._separator)
        if self._separator != separators.USUAL:
            say(f"Labels are separated by {separators.shown(self._separator)}.")

    def _refuse_vectors(self, targets: Sequence[Target]) -> None:
        """Raise `BadData` if each cell says 0 or 1 for each of several labels, whose names are not there."""
        if {label.lower() for label in self.labels} <= _YES | _NO:
            sizes = {len(self._parts_of(target)) for target in targets}
            if len(sizes) == 1 and sizes.pop() > 1:
                raise zoo.BadData(
                    f"The labels are only {' and '.join(self.labels)}. Give the names of the labels that an example "
                    "has, or a column of 0 and 1 for each label with --target A,B,C."
                )

    def _refuse_columns_of_ones(self, targets: Sequence[Target]) -> None:
        """Raise `BadData` for a label of all examples: an empty cell may have meant that a label is absent."""
        always = set(self.labels).intersection(*map(self._labels_of, targets))
        if label := next((label for label in self.labels if label in always), ""):
            raise zoo.BadData(
                f"Every example that is left has the label {label!r}. Rows with an empty cell are left out: write 0 "
                "where a label is absent. If nothing is empty, leave the column out of --target."
            )

    def strata(self, targets: Sequence[Target]) -> Sequence[str | None]:
        return by_rarest([self._labels_of(target) for target in targets])

    def encode(self, targets: Sequence[Target]) -> np.ndarray:
        """0 or 1 for each label, float32 (examples, labels)."""
        index = {label: i for i, label in enumerate(self.labels)}
        encoded = np.zeros((len(targets), len(index)), "float32")
        for row, target in enumerate(targets):
            for label in self._labels_of(target):
                if label not in index:
                    known = ", ".join(self.labels)
                    raise zoo.BadData(f"{label!r} is not a label that the model was trained on. Its labels: {known}.")
                encoded[row, index[label]] = 1
        return encoded

    def _parts_of(self, target: str | list[str]) -> list[str]:
        return target if isinstance(target, list) else separators.split(target, self._separator)

    def _labels_of(self, target: Target) -> list[str]:
        if not isinstance(target, tuple):
            return list(dict.fromkeys(self._parts_of(target)))
        for column, cell in zip(self.columns, target, strict=True):
            if cell.strip().lower() not in _YES | _NO:
                raise zoo.BadData(f"The column {column!r} has {cell!r}. Several target columns must each have 0 or 1.")
        return [c for c, cell in zip(self.columns, target, strict=True) if cell.strip().lower() in _YES]

    def outputs(self, features: Mapping[str, keras.KerasTensor]) -> keras.KerasTensor:
        return dense(features["pooled"], len(self.labels), self.options, name="probabilities", activation="sigmoid")

    def solve(
        self, head: keras.Model, features: Mapping[str, np.ndarray], encoded: np.ndarray, weights: np.ndarray
    ) -> str | None:
        """Logistic regression for each label."""
        fit = functools.partial(logistic_of_labels, features["pooled"], encoded)
        return installed(head, "probabilities", len(self.labels), "labels", fit)

    def suspect(
        self, features: Mapping[str, np.ndarray], encoded: np.ndarray, groups: np.ndarray | None = None
    ) -> tuple[np.ndarray, list[str]]:
        """The probability that the most doubtful label is missing or superfluous; the labels without such errors."""
        wrong = suspects.of_labels(features["pooled"], encoded, groups)
        doubtful = wrong > suspects.EVEN
        better = [
            self._written(np.where(change, 1 - row, row)) if change.any() else ""
            for row, change in zip(encoded, doubtful, strict=True)
        ]
        return wrong.max(axis=1), better

    def _written(self, row: np.ndarray) -> str:
        """0 or 1 for each label as `write_target` writes it, in the way that the targets were given."""
        if len(self.columns) > 1:
            return self.write_target(tuple(str(int(value)) for value in row))
        labels = [label for label, value in zip(self.labels, row, strict=True) if value]
        if labels and self._separator not in (None, separators.USUAL):
            return self._separator.join(labels)
        return self.write_target(labels)

    def loss(self) -> keras.losses.Loss:
        return keras.losses.BinaryCrossentropy()

    def metrics(self) -> list[keras.metrics.Metric]:
        return [keras.metrics.F1Score("micro", self.options["threshold"], name="micro_f1")]

    def score(self, encoded: np.ndarray, outputs: np.ndarray) -> dict[str, float]:
        """Mean average precision over the labels that occur; F1 over all decisions, and mean F1 over those labels."""
        true, said = encoded > 0, outputs >= self.options["threshold"]
        occur = np.flatnonzero(true.any(axis=0))
        if not len(occur):
            return {"mean_average_precision": 0.0, "micro_f1": 0.0, "macro_f1": 0.0}
        precisions = [average_precision(true[:, label], outputs[:, label]) for label in occur]
        right, decided = (true & said).sum(axis=0), true.sum(axis=0) + said.sum(axis=0)
        return {
            "mean_average_precision": float(np.mean(precisions)),
            "micro_f1": float(2 * right.sum() / decided.sum()),
            "macro_f1": float(np.mean(2 * right[occur] / decided[occur])),
        }

    def decode(self, outputs: np.ndarray, raws: Sequence[Any]) -> list[dict[str, Any]]:
        """`labels` whose probability reaches the threshold, and all `probabilities`, the likeliest first."""
        answers = []
        for row in outputs:
            shares = ranked(self.labels, row)
            chosen = [label for label, share in shares.items() if share >= self.options["threshold"]]
            answers.append({"labels": chosen, "probabilities": shares})
        return answers

    def in_words(self, answer: dict[str, Any]) -> str:
        return f"{' | '.join(answer['labels']) or 'no label'}  ({super().in_words(answer)})"

    def scores(self, encoded: np.ndarray, outputs: np.ndarray) -> Scores:
        true, said = encoded > 0, outputs >= self.options["threshold"]
        both, decided = (true & said).astype("float64"), true + said.astype("float64")
        ranked_too = outputs.size <= _MOST_RANKED

        def of_samples(rows: np.ndarray) -> dict[str, np.ndarray]:
            weights = weights_of(rows, len(encoded))
            right, counted = weights @ both, weights @ decided
            f1 = np.divide(2 * right, counted, out=np.zeros_like(right), where=counted > 0)
            f1[weights @ true == 0] = np.nan  # the label does not occur
            labels = zip(true.T, outputs.T, strict=True) if ranked_too else ()
            precisions = [average_precision_of_samples(*label, weights) for label in labels]
            none = np.full(len(rows), np.nan)  # it would take minutes
            return {
                "mean_average_precision": _mean_of_numbers(np.stack(precisions, axis=1)) if ranked_too else none,
                "micro_f1": 2 * right.sum(axis=1) / np.maximum(counted.sum(axis=1), 1),
                "macro_f1": _mean_of_numbers(f1),
            }

        return of_samples

    def constant(self, encoded: np.ndarray) -> tuple[np.ndarray, str]:
        """The shares of the labels, so that the answer is those that most examples have."""
        shares = encoded.mean(axis=0, dtype="float64")
        said = [label for label, share in zip(self.labels, shares, strict=True) if share >= self.options["threshold"]]
        return shares[np.newaxis], f"always {' | '.join(said) or 'no label'}"

    def report_figures(self, encoded: np.ndarray, outputs: np.ndarray) -> list[dict[str, Any]]:
        """How often each label is true and given; precision and recall, and the threshold that would be best."""
        true, said = encoded > 0, outputs >= self.options["threshold"]
        counts = (true & said).sum(axis=0), said.sum(axis=0), true.sum(axis=0)
        best = [best_threshold(true[:, label], outputs[:, label]) for label in range(len(self.labels))]
        more = {
            "average precision": [
                average_precision(true[:, label], outputs[:, label]) if true[:, label].any() else None
                for label in range(len(self.labels))
            ],
            "best threshold": [threshold for threshold, _ in best],
            "f1 there": [f1 for _, f1 in best],
        }
        bars = {"true": counts[2].tolist(), "given": counts[1].tolist()}
        note = "The best thresholds were found on these examples, so the F1 there is a little too good."
        return [
            {"kind": "bars", "title": "Examples with each label", "labels": self.labels, "values": bars},
            of_each("Each label", self.labels, *counts, **more) | {"note": note},
            calibration(np.where(said, outputs, 1 - outputs).ravel(), (said == true).ravel(), "decision"),
        ]

    def mistakes(self, encoded: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        """The probability of the worst label that is wrong: one that is given, or lacks the rest to 1."""
        true, said = encoded > 0, outputs >= self.options["threshold"]
        return np.where(true == said, 0.0, np.where(said, outputs, 1 - outputs)).max(axis=1)

    def parse_target(self, text: str) -> Target:
        """The labels, if they are known; otherwise the cell as it was.

        Raises `zoo.BadData` where the cells of several columns cannot be told apart.
        """
        if len(self.columns) > 1:
            cells = tuple(text.split(" "))
            if len(cells) != len(self.columns):
                raise zoo.BadData(f"{text!r} is not one value for each of {', '.join(self.columns)}")
            return cells
        for labels in (zoo.list_of(text), text.split(separators.USUAL), self._parts_of(text)):
            known = [label for label in labels or () if label]
            if labels is not None and set(known) <= set(self.labels):
                return known
        return text

    def from_columns(
        self, targets: Sequence[str], columns: Mapping[str, Sequence[Any]]
    ) -> tuple[np.ndarray, np.ndarray]:
        outputs = np.stack([columns[f"probability {label}"] for label in self.labels], axis=1)
        return self.encode(list(map(self.parse_target, targets))), outputs

    def explained(self, output: np.ndarray, raw: Any, target: str = "") -> tuple[str, Any]:
        """The log-odds of the likeliest label, or of one that is named."""
        place = place_of(target, self.labels, "label") if target else int(output.argmax())
        return self.labels[place], lambda outputs: log_odds(outputs[:, place])

    def state(self) -> dict[str, Any]:
        return {
            "options": self.options,
            "columns": self.columns,
            "labels": self.labels,
            "separator": self._separator,
        }

    @classmethod
    def restore(cls, state: dict[str, Any]) -> "Multilabel":
        task = cls(**state["options"])
        task.columns, task.labels = list_of_texts(state, "columns"), list_of_texts(state, "labels")
        separator = state.get("separator", separators.USUAL)
        if not isinstance(separator, str | None):
            raise ValueError(f"separator is {separator!r}; it must be a text")
        task._separator, task._found = separator, True
        return task


def _mean_of_numbers(values: np.ndarray) -> np.ndarray:
    """The mean over the labels, (samples,), without those that are NaN; 0 if all are."""
    known = ~np.isnan(values)
    return np.where(known, values, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
