"""A spec that breaks its rules is refused when it is made."""

import dataclasses

import pytest

import zoo

GOOD = zoo.Backbone(
    name="some_net",
    modality="image",
    family="some",
    params=10,
    input=8,
    dim=4,
    features=("pooled",),
    licence="MIT",
    paper="https://example.org",
    build="package.module:function",
)
WEIGHTS = zoo.Weights(
    name="imagenet", source="https://example.org/some.h5", bytes=40, licence="MIT", trained_on="ImageNet-1k"
)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "Some Net"}, "lower case"),
        ({"modality": "Sound!"}, "'Sound!' must be lower case"),
        ({"features": ("log its",)}, "'log its' must be lower case"),
        ({"reads": ("",)}, "'' must be lower case"),
        ({"licence": " "}, "licence is blank"),
        ({"build": "package.module"}, "package.module:name"),
        ({"params": 0}, "params must be a positive number"),
        ({"weights": (WEIGHTS, WEIGHTS)}, "share a name"),
    ],
)
def test_a_backbone_with_a_wrong_fact_is_refused(change, said):
    with pytest.raises(ValueError, match=said):
        dataclasses.replace(GOOD, **change)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"source": "http://example.org/some.h5"}, "is not https"),
        ({"checksum": "sha256:123"}, "checksum"),
        ({"licence": ""}, "licence is blank"),
        ({"name": "default"}, "may not be called"),
    ],
)
def test_weights_with_a_wrong_fact_are_refused(change, said):
    with pytest.raises(ValueError, match=said):
        dataclasses.replace(WEIGHTS, **change)


def test_specs_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        GOOD.name = "other"
