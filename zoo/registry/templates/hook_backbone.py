

@zoo.hookimpl
def zoo_backbones() -> list[zoo.Backbone]:
    return [
        zoo.Backbone(
            name="${plugin}_small",
            modality="image",
            family="$plugin",
            params=24_352,
            input=64,
            dim=64,
            features=("pooled", "map"),
            licence="MIT",
            paper="https://example.org/put-the-paper-here",
            build="$package.backbone:build",
            # weights=(zoo.Weights(name="imagenet", source="https://...", checksum="sha256:...", bytes=..., ...),),
        )
    ]
