"""The task heads that come with `zoo`."""

import zoo

ZOO_API = ">=1.0,<2"


@zoo.hookimpl
def zoo_heads() -> list[zoo.Head]:
    return [
        zoo.Head(
            name="classification",
            summary="one of several classes for each example (softmax)",
            modalities=("image",),
            feature="pooled",
            licence="Apache-2.0",
            build="zoo_heads.classification:Classification",
            options=(
                zoo.Option(name="hidden", default=128, summary="units of a dense layer before the last one; 0: none"),
                zoo.Option(name="dropout", default=0.2, summary="share of features dropped in training"),
                zoo.Option(name="label_smoothing", default=0.0, summary="share of the target spread over all classes"),
                zoo.Option(
                    name="class_weight",
                    default="none",
                    choices=("none", "balanced"),
                    summary="balanced: examples of rare classes count more, so that all classes count the same",
                ),
            ),
        )
    ]
