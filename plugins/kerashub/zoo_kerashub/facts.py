"""The facts about every preset, read from `facts.json`, which `make_facts.py` generates from KerasHub."""

import json
from pathlib import Path
from typing import Any

import zoo

MAX_TOKENS = 512  # longer texts are cut off


def backbones() -> list[zoo.Backbone]:
    content = json.loads(Path(__file__).with_name("facts.json").read_text(encoding="utf-8"))
    return [_backbone(facts) for facts in content["presets"]]


def _backbone(facts: dict[str, Any]) -> zoo.Backbone:
    image = facts["modality"] == "image"
    return zoo.Backbone(
        name=facts["name"],
        modality=facts["modality"],
        family=facts["family"],
        params=facts["params"],
        input=facts["input"] if image else MAX_TOKENS,
        dim=None,
        features=tuple(facts["features"]),
        reads=("single",) if image else ("single", "pair"),
        licence="Apache-2.0",
        paper=facts["paper"],
        build=f"zoo_kerashub.build:{'build_image' if image else 'build_text'}",
        weights=(
            zoo.Weights(
                name="kerashub",
                source=facts["source"],
                bytes=0,
                licence="NOASSERTION",  # stated on the model's page, but not in KerasHub's catalogue
                trained_on=facts["trained_on"],
                fetch="zoo_kerashub.fetch:fetch",
            ),
        ),
    )
