"""The task heads that come with `zoo`."""

import functools
from dataclasses import replace

import zoo

ZOO_API = ">=1.1,<2"

_LAYERS = (
    zoo.Option(
        name="hidden",
        default="auto",
        summary="units of a dense layer before the last one; auto: 128, for 65 to 200 outputs twice as many; 0: none",
    ),
    zoo.Option(name="dropout", default=0.2, summary="share of features dropped during training"),
)
_CLASSES = (
    zoo.Option(name="label_smoothing", default=0.0, summary="share of the target spread over all classes"),
    zoo.Option(
        name="class_weight",
        default="none",
        choices=("none", "balanced"),
        summary="balanced: examples of rare classes count more, so that all classes count equally",
    ),
)

_head = functools.partial(zoo.Head, modalities=("image", "text"), feature="pooled", licence="Apache-2.0")

_CLASSIFICATION = _head(
    name="classification",
    summary="one of several classes for each example (softmax)",
    build="zoo_heads.classification:Classification",
    options=_LAYERS + _CLASSES,
)
_REGRESSION = _head(
    name="regression",
    summary="one or several numbers for each example, in the units of the target",
    build="zoo_heads.regression:Regression",
    options=(
        *_LAYERS,
        zoo.Option(
            name="decimal",
            default="",
            summary="the decimal mark, . or , (then thousands may be separated, too); otherwise numbers are plain",
        ),
    ),
    targets="many",
)
_MULTILABEL = _head(
    name="multilabel",
    summary="any number of labels for each example (sigmoid); lists, red|round, or columns of 0 and 1",
    build="zoo_heads.multilabel:Multilabel",
    options=(
        *_LAYERS,
        zoo.Option(name="threshold", default=0.5, summary="lowest probability of a label in answers"),
        zoo.Option(
            name="separator",
            default="",
            summary="what separates labels in a cell: a text, tab, newline, space, or none; otherwise it is found out",
        ),
    ),
    targets="many",
)
_TOKEN_CLASSIFICATION = _head(
    name="token_classification",
    summary="a tag for each word, as for named entities; CoNLL, or JSONL with tokens and tags",
    modalities=("text",),
    feature="sequence",
    build="zoo_heads.token_classification:TokenClassification",
    options=_LAYERS,
    reads="words",
)
_EMBEDDING = _head(
    name="embedding",
    summary="a vector for each example, for search and clustering; untrained: zoo embed BACKBONE DATA",
    build="zoo_heads.embedding:Embedding",
    options=(zoo.Option(name="normalize", default=True, summary="scale each vector to length 1"),),
    trained=False,
)


def _of_pairs(head: zoo.Head, summary: str) -> zoo.Head:
    return replace(head, name=f"pair_{head.name}", summary=summary, modalities=("text",), reads="pair")


@zoo.hookimpl
def zoo_heads() -> list[zoo.Head]:
    return [
        _CLASSIFICATION,
        _MULTILABEL,
        _REGRESSION,
        _of_pairs(_CLASSIFICATION, "one of several classes for two texts (softmax)"),
        _of_pairs(_REGRESSION, "one or several numbers for two texts, in the units of the target"),
        _TOKEN_CLASSIFICATION,
        _EMBEDDING,
    ]
