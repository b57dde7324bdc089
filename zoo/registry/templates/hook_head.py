

@zoo.hookimpl
def zoo_heads() -> list[zoo.Head]:
    return [
        zoo.Head(
            name="${plugin}_classes",
            summary="one of several classes for each example, by a single softmax layer",
            modalities=("image", "text"),
            feature="pooled",
            licence="MIT",
            build="$package.head:Classes",
            options=(zoo.Option(name="dropout", default=0.2, summary="share of the features to drop in training"),),
        )
    ]
