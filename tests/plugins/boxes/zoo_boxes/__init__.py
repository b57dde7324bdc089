"""A third party's head whose targets, outputs and answers have shapes of their own."""

import zoo

ZOO_API = ">=1.1,<2"


@zoo.hookimpl
def zoo_heads():
    return [
        zoo.Head(
            name="box",
            summary="where the one thing in a picture is: [left, top, right, bottom], as shares of its sides",
            modalities=("image",),
            feature="map",
            licence="Apache-2.0",
            build="zoo_boxes.box:Box",
        )
    ]
