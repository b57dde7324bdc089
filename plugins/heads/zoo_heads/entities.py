"""Entities from the tags of words (IOB1, IOB2, IOBES, BILOU, BMES), and metrics over whole entities.

Counts like the CoNLL shared tasks (Tjong Kim Sang and De Meulder 2003): an entity is right if both of its ends and its
type are right. The metrics are the same as those of the package seqeval, with which the tests compare them.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

Entity = tuple[str, int, int]  # type, first word, one after the last word
_PREFIXES = frozenset("BIESLU")
_SYNONYMS = {"M": "I", "W": "S"}  # of BMES and BMEWO; other tags may well begin with these letters
Counts = Mapping[str, tuple[int, int, int]]  # by type: numbers of right, predicted and true entities


def entities_of(tags: Sequence[str]) -> list[Entity]:
    """The entities in a sentence, in order: runs of tags that belong together by their prefixes and types.

    The type of the tags B and I is "_", as in seqeval. A tag without a known prefix, such as LOC, is like I-LOC.
    """
    found: list[Entity] = []
    begin, before, kind = 0, "O", ""
    for number, tag in enumerate([*tags, "O"]):
        prefix, of = _parts(tag)
        ended = before in ("E", "S", "L", "U") or prefix in ("B", "S", "U", "O") or of != kind
        if before != "O" and ended:
            found.append((kind, begin, number))
        if prefix != "O" and (ended or before == "O"):
            begin = number
        before, kind = prefix, of
    return found


def forms_entities(tags: Iterable[str]) -> bool:
    """Whether these are the tags of entities: some begin with B- or I-, or with E-, S-, L- or U- beside the tag O.

    >>> forms_entities(["O", "U-PER"]), forms_entities(["NN", "S-bar"])
    (True, False)
    """
    known = set(tags)
    prefixes = {tag[0] for tag in known if tag[1:2] == "-"}
    return bool(prefixes & {"B", "I"}) or ("O" in known and bool(prefixes & _PREFIXES))


def _parts(tag: str) -> tuple[str, str]:
    """The prefix of a tag, and its type; the tag O has none."""
    prefix, _, kind = tag.partition("-")
    if prefix == "O":
        return "O", ""
    if kind:
        prefix = _SYNONYMS.get(prefix, prefix)
    return (prefix, kind or "_") if prefix in _PREFIXES else ("I", tag)


def counts_by_type(truth: Sequence[Sequence[str]], said: Sequence[Sequence[str]]) -> Counts:
    """Count the entities of all sentences: `truth` and `said` have the true and predicted tags of each sentence."""
    counts: dict[str, list[int]] = {}
    for true_tags, said_tags in zip(truth, said, strict=True):
        true_ones, said_ones = set(entities_of(true_tags)), set(entities_of(said_tags))
        for column, entities in enumerate((true_ones & said_ones, said_ones, true_ones)):
            for kind, _, _ in entities:
                counts.setdefault(kind, [0, 0, 0])[column] += 1
    return {kind: (right, given, true) for kind, (right, given, true) in sorted(counts.items())}


def figures_of(counts: Counts) -> dict[str, float]:
    """F1, precision and recall over all types together; 0 instead of a division by zero."""
    sums = (sum(column) for column in zip((0, 0, 0), *counts.values(), strict=True))
    return {name: float(value) for name, value in f1_of(*map(np.asarray, sums)).items()}


def f1_of(right: np.ndarray, given: np.ndarray, true: np.ndarray) -> dict[str, np.ndarray]:
    """The same from the numbers of right, given and true entities, arrays of any shape."""
    precision, recall = right / np.maximum(given, 1), right / np.maximum(true, 1)
    f1 = 2 * precision * recall / np.where(right > 0, precision + recall, 1)
    return {"f1": f1, "precision": precision, "recall": recall}
