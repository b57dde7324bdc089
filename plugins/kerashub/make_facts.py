"""Writes `zoo_kerashub/facts.json` from the catalogue of the installed KerasHub: python plugins/kerashub/make_facts.py

What is there: every preset of a backbone that reads pictures alone or texts alone. Left out, by class: what reads
sound, video, or two kinds at once, what needs a decoder's input besides, detectors and generators of pictures, and
proteins.
"""

import datetime
import inspect
import json
import re
from importlib import metadata
from pathlib import Path

import keras_hub.models

ARXIV = "https://arxiv.org/abs/"
CNN, TRANSFORMER, TEXT = ["pooled", "map"], ["pooled"], ["pooled", "sequence"]
FAMILIES = {
    "CSPNet": ("image", CNN, "1911.11929"),
    "DINOV2": ("image", TRANSFORMER, "2304.07193"),
    "DINOV3": ("image", TRANSFORMER, "2508.10104"),
    "DeiT": ("image", TRANSFORMER, "2012.12877"),
    "DenseNet": ("image", CNN, "1608.06993"),
    "EfficientNet": ("image", CNN, "1905.11946"),
    "HGNetV2": ("image", CNN, "2304.08069"),
    "MiT": ("image", CNN, "2105.15203"),
    "MobileNet": ("image", CNN, "1905.02244"),
    "ResNet": ("image", CNN, "1512.03385"),
    "SwinTransformer": ("image", TRANSFORMER, "2103.14030"),
    "VGG": ("image", CNN, "1409.1556"),
    "ViT": ("image", TRANSFORMER, "2010.11929"),
    "Xception": ("image", CNN, "1610.02357"),
    "Albert": ("text", TEXT, "1909.11942"),
    "Bert": ("text", TEXT, "1810.04805"),
    "Bloom": ("text", TEXT, "2211.05100"),
    "DebertaV3": ("text", TEXT, "2111.09543"),
    "DistilBert": ("text", TEXT, "1910.01108"),
    "Electra": ("text", TEXT, "2003.10555"),
    "FNet": ("text", TEXT, "2105.03824"),
    "Falcon": ("text", TEXT, "2306.01116"),
    "GPT2": ("text", TEXT, ""),
    "Gemma": ("text", TEXT, "2403.08295"),
    "Gemma3": ("text", TEXT, "2503.19786"),
    "GptOss": ("text", TEXT, "2508.10925"),
    "Llama": ("text", TEXT, "2307.09288"),
    "Llama3": ("text", TEXT, "2407.21783"),
    "Mistral": ("text", TEXT, "2310.06825"),
    "Mixtral": ("text", TEXT, "2401.04088"),
    "OPT": ("text", TEXT, "2205.01068"),
    "Phi3": ("text", TEXT, "2404.14219"),
    "Qwen": ("text", TEXT, "2309.16609"),
    "Qwen3": ("text", TEXT, "2505.09388"),
    "Qwen3Moe": ("text", TEXT, "2505.09388"),
    "QwenMoe": ("text", TEXT, "2309.16609"),
    "Roberta": ("text", TEXT, "1907.11692"),
    "SmolLM3": ("text", TEXT, ""),
    "XLMRoberta": ("text", TEXT, "1911.02116"),
}
SEVERAL_KINDS = re.compile(r"vision|multimodal|image|audio|medgemma_1\.5", re.IGNORECASE)


def presets() -> list[dict[str, object]]:
    """The facts of every preset, each under the most special class that lists it."""
    found: dict[str, dict[str, object]] = {}
    classes = [getattr(keras_hub.models, f"{family}Backbone") for family in FAMILIES]
    for family, kind in sorted(zip(FAMILIES, classes, strict=True), key=lambda pair: len(inspect.getmro(pair[1]))):
        modality, features, paper = FAMILIES[family]
        for name, preset in kind.presets.items():
            about = preset["metadata"]
            said = re.sub(r"\s+", " ", about["description"]).strip()
            if modality == "text" and SEVERAL_KINDS.search(f"{name} {said}") and "text-only" not in said:
                continue
            sides = re.search(r"(\d{2,4})x\1", said) or re.search(r"_(224|256|288|320|384|448|512)(?:_|$)", name)
            data = re.search(
                r"[Tt]rained (?:for [^.]*? )?(?:on|using) (?:the )?(.+?)(?: at a | with image|\.\s|\.$|$)", said
            )
            handle = preset["kaggle_handle"]
            page = "https://www.kaggle.com/models/" + handle.removeprefix("kaggle://").split("/keras/")[0]
            found[name] = {
                "name": name.lower(),
                "modality": modality,
                "family": re.sub(r"(?<=[a-z])(?=[A-Z])", "_", family).lower(),
                "params": about["params"],
                "input": int(sides[1]) if sides and modality == "image" else None,
                "features": features,
                "paper": ARXIV + paper if paper else page,
                "source": handle,
                "trained_on": data[1][:120] if data else "stated on the page of the model",
            }
    return [found[name] for name in sorted(found)]


def main() -> None:
    rows = presets()
    about = {"generated": datetime.date.today().isoformat(), "keras_hub": metadata.version("keras-hub")}
    lines = ",\n".join(json.dumps(row) for row in rows)
    text = json.dumps(about)[:-1] + f', "presets": [\n{lines}\n]}}\n'
    path = Path(__file__).parent / "zoo_kerashub" / "facts.json"
    path.write_text(text, encoding="utf-8")
    print(f"{path.name}: {len(rows)} presets of KerasHub {about['keras_hub']}, {about['generated']}")


if __name__ == "__main__":
    main()
