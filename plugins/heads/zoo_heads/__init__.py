"""The task heads that come with `zoo`."""

import zoo

ZOO_API = ">=1.0,<2"

_LAYERS = (
    zoo.Option(name="hidden", default=128, summary="units of a dense layer before the last one; 0: none"),
    zoo.Option(name="dropout", default=0.2, summary="share of features dropped in training"),
)
_CLASSES = (
    zoo.Option(name="label_smoothing", default=0.0, summary="share of the target spread over all classes"),
    zoo.Option(
        name="class_weight",
        default="none",
        choices=("none", "balanced"),
        summary="balanced: examples of rare classes count more, so that all classes count the same",
    ),
)


@zoo.hookimpl
def zoo_heads() -> list[zoo.Head]:
    return [
        zoo.Head(
            name="classification",
            summary="one of several classes for each example (softmax)",
            modalities=("image", "text"),
            feature="pooled",
            licence="Apache-2.0",
            build="zoo_heads.classification:Classification",
            options=_LAYERS + _CLASSES,
        ),
        zoo.Head(
            name="regression",
            summary="a number for each example, in the units of the target",
            modalities=("image", "text"),
            feature="pooled",
            licence="Apache-2.0",
            build="zoo_heads.regression:Regression",
            options=_LAYERS,
        ),
        zoo.Head(
            name="pair_classification",
            summary="one of several classes for two texts (softmax)",
            modalities=("text",),
            feature="pooled",
            reads="pair",
            licence="Apache-2.0",
            build="zoo_heads.classification:Classification",
            options=_LAYERS + _CLASSES,
        ),
        zoo.Head(
            name="pair_regression",
            summary="a number for two texts, in the units of the target",
            modalities=("text",),
            feature="pooled",
            reads="pair",
            licence="Apache-2.0",
            build="zoo_heads.regression:Regression",
            options=_LAYERS,
        ),
    ]
