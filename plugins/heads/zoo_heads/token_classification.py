"""Token classification: a tag for each word of a text, as for named entities and parts of speech."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from natsort import natsorted

import zoo
from zoo.progress import say
from zoo_heads.drawn import calibration, of_each
from zoo_heads.entities import Counts, counts_by_type, entities_of, f1_of, figures_of, forms_entities
from zoo_heads.evidence import log_odds, place_of
from zoo_heads.layers import check_options, dense
from zoo_heads.scores import Scores, macro_f1, weights_of
from zoo_heads.states import list_of_texts
from zoo_heads.strata import by_rarest

_PADDING = -1
_ENOUGH = 10  # examples of one word that are no chance
_NEARLY_ALL = 0.9
_SEPARATORS = (",", "|", ";", "/")


class TokenClassification(zoo.Task):
    """Dense softmax over the tags for each word, on `sequence` (batch, words, dim): probabilities (batch, words, tags).

    A word's vector is the vector of its first token. A word without tokens (it is beyond the most tokens that the
    backbone reads) has no vector, and so gets the most frequent tag.
    Tags with prefixes such as B- and I- (IOB1, IOB2, IOBES, BILOU, BMES) form entities; then whole entities are scored.
    """

    def __init__(self, *, hidden: int | str, dropout: float) -> None:
        check_options(hidden=hidden, dropout=dropout)
        self.options = {"hidden": hidden, "dropout": dropout}
        self.labels: list[str] = []
        self._learnt = False

    @property
    def _entities(self) -> bool:
        return forms_entities(self.labels)

    def describe(self, targets: Sequence[tuple[str, ...]], unit: str = "tags") -> str:
        return str(super().describe([tag for tags in targets for tag in tags], unit))

    def learn(self, targets: Sequence[tuple[str, ...]], columns: Sequence[str]) -> None:
        if not self._learnt:
            _question_single_words(targets)
        self._learnt = True
        self.labels = natsorted({tag for tags in targets for tag in tags})
        if len(self.labels) < 2:
            raise zoo.BadData(f"Number of different tags: {len(self.labels)}. There must be at least two.")

    def strata(self, targets: Sequence[tuple[str, ...]]) -> Sequence[str | None]:
        return by_rarest(targets)

    def encode(self, targets: Sequence[tuple[str, ...]]) -> np.ndarray:
        """Indices into `labels`, int32 (examples, words), padded with -1 to the longest."""
        index = {label: i for i, label in enumerate(self.labels)}
        encoded = np.full((len(targets), max(map(len, targets), default=0)), _PADDING, "int32")
        for row, tags in enumerate(targets):
            if unknown := natsorted(set(tags) - set(index)):
                known = ", ".join(self.labels)
                raise zoo.BadData(f"{unknown[0]!r} is not a tag that the model was trained on. Its tags: {known}.")
            encoded[row, : len(tags)] = [index[tag] for tag in tags]
        return encoded

    def outputs(self, features: Mapping[str, keras.KerasTensor]) -> keras.KerasTensor:
        vectors = features["sequence"]
        known = keras.ops.expand_dims(keras.ops.cast(features["mask"], vectors.dtype), -1)
        x = keras.layers.Multiply(name="known")([vectors, known])
        return dense(x, len(self.labels), self.options, name="probabilities", activation="softmax")

    def loss(self) -> keras.losses.Loss:
        return _WordCrossEntropy()

    def metrics(self) -> list[keras.metrics.Metric]:
        return [keras.metrics.MeanMetricWrapper(_share_of_right_words, name="accuracy")]

    def score(self, encoded: np.ndarray, outputs: np.ndarray) -> dict[str, float]:
        """For tags that form entities: F1, precision and recall of whole entities (right ends and right type).

        For other tags: macro-averaged F1. For both: accuracy, the share of words whose tag is right.
        """
        truth, said = self._tags(encoded, outputs)
        every, guess = (np.array([tag for tags in some for tag in tags]) for some in (truth, said))
        accuracy = {"accuracy": float(np.mean(every == guess))}
        if not self._entities:
            return accuracy | {"macro_f1": macro_f1(every, guess)}
        return figures_of(counts_by_type(truth, said)) | accuracy

    def scores(self, encoded: np.ndarray, outputs: np.ndarray) -> Scores:
        """From counts of each text, which add up."""
        tags, shares = self._words(encoded, outputs)
        known, said = tags != _PADDING, shares.argmax(-1)
        words = np.stack([known.sum(axis=1), ((said == tags) & known).sum(axis=1)], axis=1)
        each = self._entities_of_each(encoded, outputs) if self._entities else self._words_of_each(tags, said)

        def of_samples(rows: np.ndarray) -> dict[str, np.ndarray]:
            weights = weights_of(rows, len(encoded))
            every, right_ones = (weights @ words).T
            accuracy = {"accuracy": right_ones / every}
            right, given, true = (weights @ counts for counts in each)
            if self._entities:
                return f1_of(right[:, 0], given[:, 0], true[:, 0]) | accuracy
            both = given + true
            f1 = np.divide(2 * right, both, out=np.zeros_like(right), where=both > 0)
            return accuracy | {"macro_f1": f1.sum(axis=1) / (both > 0).sum(axis=1)}

        return of_samples

    def _entities_of_each(self, encoded: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        """How many entities of each text are right, given and true: (3, texts, 1)."""
        pairs = zip(*self._tags(encoded, outputs), strict=True)
        counts = [[sum(column) for column in _columns(counts_by_type([truth], [said]))] for truth, said in pairs]
        return np.array(counts, "float64").T[:, :, np.newaxis]

    def _words_of_each(self, tags: np.ndarray, said: np.ndarray) -> np.ndarray:
        """How many words of each text are right, given and true, by tag: (3, texts, tags)."""
        each = np.zeros((3, len(tags), len(self.labels)))
        rows, places = np.nonzero(tags != _PADDING)
        true, given = tags[rows, places], said[rows, places]
        np.add.at(each[0], (rows[true == given], true[true == given]), 1)
        np.add.at(each[1], (rows, given), 1)
        np.add.at(each[2], (rows, true), 1)
        return each

    def constant(self, encoded: np.ndarray) -> tuple[np.ndarray, str]:
        """The shares of the tags for one word."""
        counts = np.bincount(encoded[encoded != _PADDING], minlength=len(self.labels))
        return (counts / counts.sum())[np.newaxis, np.newaxis], f"always {self.labels[counts.argmax()]}"

    def report_figures(self, encoded: np.ndarray, outputs: np.ndarray) -> list[dict[str, Any]]:
        """Precision, recall and F1 of each type of entity, or of each tag; and whether the probabilities are right."""
        truth, said = self._tags(encoded, outputs)
        if self._entities:
            counts = counts_by_type(truth, said)
            columns = np.array(list(counts.values())).reshape(-1, 3).T
            figures = [of_each("Each type of entity", list(counts), *columns)]
        else:
            every, guess = (np.array([tag for tags in some for tag in tags]) for some in (truth, said))
            sums = [[np.sum(x == tag) for tag in self.labels] for x in (every[every == guess], guess, every)]
            figures = [of_each("Each tag", self.labels, *map(np.array, sums))]
        tags, shares = self._words(encoded, outputs)
        known = tags != _PADDING
        best = shares[known]
        return [*figures, calibration(best.max(-1), best.argmax(-1) == tags[known])]

    def mistakes(self, encoded: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        """The probability of the likeliest wrong tag in each text."""
        tags, shares = self._words(encoded, outputs)
        wrong = (shares.argmax(-1) != tags) & (tags != _PADDING)
        return np.where(wrong, shares.max(-1), 0.0).max(axis=1, initial=0.0)

    def _words(self, encoded: np.ndarray, outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Targets and outputs of the same number of words."""
        words = min(encoded.shape[1], outputs.shape[1])
        return encoded[:, :words], outputs[:, :words]

    def _tags(self, encoded: np.ndarray, outputs: np.ndarray) -> tuple[list[list[str]], list[list[str]]]:
        """The true tags of each example, and the same number of predicted ones."""
        names = np.array(self.labels)
        truth = [names[row[row != _PADDING]].tolist() for row in encoded]
        said = [names[row[: len(tags)].argmax(-1)].tolist() for row, tags in zip(outputs, truth, strict=True)]
        return truth, said

    def decode(self, outputs: np.ndarray, raws: Sequence[str]) -> list[dict[str, Any]]:
        """`words`, their `tags`, and `entities`: type, text, and its words from `start` to before `end`."""
        answers = []
        for row, text in zip(outputs, raws, strict=True):
            words = zoo.words_of(text)
            tags = [self.labels[i] for i in row[: len(words)].argmax(-1)]
            answer: dict[str, Any] = {"words": words, "tags": tags}
            if self._entities:
                answer["entities"] = [
                    {"label": kind, "text": " ".join(words[start:end]), "start": start, "end": end}
                    for kind, start, end in entities_of(tags)
                ]
            answers.append(answer)
        return answers

    def in_words(self, answer: dict[str, Any]) -> str:
        if "entities" in answer:
            return "  ".join(f"{one['text']} ({one['label']})" for one in answer["entities"]) or "no entity"
        return " ".join(f"{word}/{tag}" for word, tag in zip(answer["words"], answer["tags"], strict=True))

    def as_columns(self, answers: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
        return {name: [answer[name] for answer in answers] for name in ("words", "tags")}

    def as_rows(self, answer: dict[str, Any]) -> list[dict[str, Any]]:
        """A row for each word."""
        return [{"word": word, "tag": tag} for word, tag in zip(answer["words"], answer["tags"], strict=True)]

    def parse_target(self, text: str) -> tuple[str, ...]:
        return tuple(text.split(" "))

    def from_columns(
        self, targets: Sequence[str], columns: Mapping[str, Sequence[Any]]
    ) -> tuple[np.ndarray, np.ndarray]:
        """The outputs are 1 for the tag that was given."""
        encoded = self.encode(list(map(self.parse_target, targets)))
        given = self.encode([tuple(tags) for tags in columns["tags"]])
        words = max(encoded.shape[1], given.shape[1])
        outputs = np.zeros((len(given), words, len(self.labels)), "float32")
        rows, places = np.nonzero(given != _PADDING)
        outputs[rows, places, given[rows, places]] = 1
        return encoded, outputs

    def explained(self, output: np.ndarray, raw: str, target: str = "") -> tuple[str, Any]:
        """The log-odds of the tags of the most certain entity, or of the most certain one of a type that is named.

        Where tags form no entities: of the word that most certainly has the tag that is named.
        """
        words = zoo.words_of(raw)
        output = output[: len(words)]
        if not self._entities:
            if not target:
                raise zoo.BadPlan(f"Each word has its own answer. Name a tag with --target: {self.labels[0]}, ...")
            tag = place_of(target, self.labels, "tag")
            start = int(output[:, tag].argmax())
            return f"{words[start]}/{target}", lambda outputs: log_odds(outputs[:, start, tag])
        kinds = sorted({kind for tag in self.labels for kind, _, _ in entities_of([tag])})
        if target:
            place_of(target, kinds, "type of entity")
        tags = output.argmax(-1)
        found = [one for one in entities_of([self.labels[tag] for tag in tags]) if target in ("", one[0])]
        if not found:
            raise zoo.BadData(f"no entity{f' of the type {target}' if target else ''} was found in it")
        kind, start, end = max(found, key=lambda one: float(np.log(output[one[1] : one[2]].max(-1)).mean()))
        chosen = keras.ops.one_hot(tags[start:end], len(self.labels))
        return (
            f"{' '.join(words[start:end])} ({kind})",
            lambda outputs: keras.ops.mean(log_odds(keras.ops.sum(outputs[:, start:end] * chosen, -1)), -1),
        )

    def state(self) -> dict[str, Any]:
        return {"options": self.options, "labels": self.labels}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> "TokenClassification":
        task = cls(**state["options"])
        task.labels = list_of_texts(state, "labels")
        return task


def _columns(counts: Counts) -> Any:
    """Right, given and true numbers of all types of entities; zeros where there are none."""
    return zip((0, 0, 0), *counts.values(), strict=True)


def _question_single_words(targets: Sequence[tuple[str, ...]]) -> None:
    """Raise `BadData` if each example is one word, and say it if nearly each is: the words may stand in many rows."""
    single = [tags[0] for tags in targets if len(tags) == 1]
    if len(single) == len(targets):
        for separator in _SEPARATORS:
            several = [tag for tag in single if len([part for part in tag.split(separator) if part]) > 1]
            if 2 * len(several) > len(single):
                raise zoo.BadData(
                    f"Each example has one word, with tags such as {several[0]!r}. If {separator!r} separates words "
                    "and tags, write spaces there, or lists as in ['red', 'house']."
                )
    if len(single) < max(_ENOUGH, _NEARLY_ALL * len(targets)):
        return
    advice = "Put the words of a sentence into one row, as lists or with spaces between them, or use CoNLL"
    if len(single) == len(targets):
        raise zoo.BadData(
            f"Each of the {len(targets)} rows has one word, but a row must be a sentence. {advice}. If each word has "
            "its tag without any sentence: --head classification"
        )
    say(f"Warning: {len(single)} of {len(targets)} rows have one word, but a row should be a sentence. {advice}.")


def _known_words(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """The indices of the tags (batch, words), cut or padded to the predictions, and 1.0 for each word with a tag."""
    words = keras.ops.shape(y_pred)[1]
    room = keras.ops.full((keras.ops.shape(y_pred)[0], words), _PADDING, "int32")
    tags = keras.ops.concatenate([keras.ops.cast(y_true, "int32"), room], axis=1)[:, :words]
    return keras.ops.maximum(tags, 0), keras.ops.cast(tags >= 0, "float32")


def _share_of_right_words(y_true: Any, y_pred: Any) -> Any:
    """The share of words with the right tag, for each example (batch,)."""
    tags, known = _known_words(y_true, y_pred)
    right = keras.ops.cast(keras.ops.cast(keras.ops.argmax(y_pred, -1), "int32") == tags, "float32")
    return keras.ops.sum(right * known, -1) / keras.ops.maximum(keras.ops.sum(known, -1), 1.0)


class _WordCrossEntropy(keras.losses.Loss):
    """Mean cross-entropy over all words, of probabilities (batch, words, tags) against indices (batch, words)."""

    def __init__(self) -> None:
        super().__init__(name="cross_entropy")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        tags, known = _known_words(y_true, y_pred)
        losses = keras.losses.sparse_categorical_crossentropy(tags, y_pred) * known
        words_each = keras.ops.maximum(keras.ops.mean(keras.ops.sum(known, -1)), 1.0)
        return keras.ops.sum(losses, -1) / words_each
