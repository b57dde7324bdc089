"""A third party's modality: recordings, and a small backbone for them."""

import zoo

ZOO_API = ">=1.1,<2"


@zoo.hookimpl
def zoo_modalities():
    return [zoo.Modality(name="audio", summary="recordings, WAV files", build="zoo_audio.recordings:Recordings")]


@zoo.hookimpl
def zoo_backbones():
    facts = {"modality": "audio", "family": "spectrum", "params": 4_704, "input": None, "dim": 32}
    source = {"features": ("pooled",), "licence": "Apache-2.0", "paper": "https://example.org/spectrum"}
    return [zoo.Backbone(name="spectrum_small", build="zoo_audio.network:build", **facts, **source)]


@zoo.hookimpl
def zoo_heads():
    return [
        zoo.Head(
            name="audio_classes",
            summary="one of several classes for each recording",
            modalities=("audio",),
            feature="pooled",
            licence="Apache-2.0",
            build="zoo_audio.classes:Classes",
        )
    ]
