"""Makes reports of four kinds of runs and a comparison, photographs them, and asks axe what is wrong with them.

    python tests/look_at_pages.py FOLDER [--axe axe.min.js]

FOLDER gets the runs, the pages, and of each page pictures 1280 and 390 pixels wide, light and dark. Runs that are there
already are used again. Needs Chromium; `npm pack axe-core` fetches what --axe names. Then look at each picture.
"""

import argparse
import csv
import html
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageStat

import zoo

ROOT = Path(__file__).parents[1]
CLIPART, REVIEWS = ROOT / "examples/data/clipart", ROOT / "examples/data/reviews/reviews.csv"
WIDTHS = (1280, 390)
TALL = 6_000  # pixels
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = [
    f"--{name}" for name in ["headless", "no-sandbox", "disable-gpu", "disable-background-networking", "no-first-run"]
]
PEOPLE = ["Ada Lovelace", "Grace Hopper", "Alan Turing", "Emmy Noether", "Niels Bohr", "Marie Curie"]
PLACES = ["Paris", "New York", "Berlin", "Cape Town", "Oslo", "San Francisco"]
FIRMS = ["Acme Corp", "Royal Society", "Globex", "Bell Labs"]
SENTENCES = (
    "{PER} visited {LOC} last spring .",
    "{ORG} hired {PER} in {LOC} .",
    "{PER} works for {ORG} .",
    "The board of {ORG} meets in {LOC} .",
    "Nobody knew where {PER} was .",
    "It rained all day .",
)


def pictures_with_labels(folder: Path) -> Path:
    """A table of the example pictures, each with its class and how it looks."""
    path = folder / "labels.csv"
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "label"])
        for picture in sorted(CLIPART.glob("*/*.*")):
            with Image.open(picture) as image:
                _, saturation, value = ImageStat.Stat(image.convert("RGB").convert("HSV")).mean
                wide = image.width > 1.2 * image.height
            looks = [("colourful", saturation > 60), ("dark", value < 200), ("wide", wide)]
            table.writerow([picture, "|".join([picture.parent.name, *(name for name, holds in looks if holds)])])
    return path


def tagged_sentences(folder: Path) -> Path:
    """Sentences with people, places and firms, in CoNLL's format; one in twenty-five has a wrong tag."""
    path, draw = folder / "names.conll", random.Random(0)
    names = {"PER": PEOPLE, "LOC": PLACES, "ORG": FIRMS}
    with path.open("w") as file:
        for _ in range(300):
            for word in draw.choice(SENTENCES).split():
                kind = word.strip("{}")
                if kind not in names:
                    file.write(f"{word} O\n")
                    continue
                tag = draw.choice(list(names)) if draw.random() < 0.04 else kind
                for place, part in enumerate(draw.choice(names[kind]).split()):
                    file.write(f"{part} {'I' if place else 'B'}-{tag}\n")
            file.write("\n")
    return path


def pages(folder: Path) -> Iterator[Path]:
    """The pages, of runs that are made where they are lacking."""
    made = {
        "image": ("efficientnet_lite0", CLIPART, {}),
        "image-linear": ("efficientnet_lite0", CLIPART, {"options": {"hidden": "0"}}),
        "text": ("minilm_l6", REVIEWS, {"head": "regression", "target_column": "rating"}),
        "labels": ("efficientnet_lite0", pictures_with_labels(folder), {"head": "multilabel"}),
        "tags": ("minilm_l6", tagged_sentences(folder), {"head": "token_classification"}),
    }
    for name, (backbone, data, settings) in made.items():
        if not (folder / name / "metrics.json").exists():
            zoo.train(backbone, data, out=folder / name, report=False, **settings)
        if name != "image-linear":
            yield zoo.report(folder / name, out=folder / f"{name}.html")
    zoo.compare(folder / "image", folder / "image-linear", out=folder / "compare.html")
    yield folder / "compare.html"


def browse(*arguments: str) -> str:
    """What Chromium prints."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        sys.exit("Chromium is needed for this.")
    with tempfile.TemporaryDirectory() as own:
        command = [browser, *QUIET, "--hide-scrollbars", f"--user-data-dir={own}", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


SCHEMES = {"light": [], "dark": ["--blink-settings=preferredColorScheme=0"]}
ASK = """axe.run().then(found => {
  const pre = document.createElement('pre');
  pre.id = 'found';
  pre.textContent = JSON.stringify(
    found.violations.map(v => [v.id, v.impact, v.help, v.nodes.length, v.nodes[0].html.slice(0, 200)]));
  document.body.append(pre);
})"""


def photograph(page: Path) -> None:
    for width in WIDTHS:
        for scheme, preferred in SCHEMES.items():
            out = page.with_name(f"{page.stem}-{width}-{scheme}.png")
            browse(*preferred, f"--window-size={width},{TALL}", f"--screenshot={out}", page.as_uri())
            print(out)


def audit(page: Path, axe: Path, scheme: str) -> list[dict[str, object]]:
    """What axe finds wrong with a page: id, impact, help, how many elements, and the first of them."""
    source = re.sub(r"<meta http-equiv=\"Content-Security-Policy\"[^>]*>", "", page.read_text(encoding="utf-8"))
    copy = page.with_name(f"{page.stem}.audited.html")
    script = f"<script>{axe.read_text(encoding='utf-8')}</script><script>{ASK}</script>"
    copy.write_text(source.replace("</body>", f"{script}</body>"), encoding="utf-8")
    dom = browse(*SCHEMES[scheme], "--virtual-time-budget=30000", "--dump-dom", copy.as_uri())
    copy.unlink()
    found = re.search(r'<pre id="found">(.*?)</pre>', dom, re.DOTALL)
    if found is None:
        sys.exit(f"axe gave no answer for {page}.")
    names = ("id", "impact", "help", "elements", "first")
    return [dict(zip(names, one, strict=True)) for one in json.loads(html.unescape(found[1]))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--axe", type=Path)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    serious = 0
    for page in pages(given.folder.resolve()):
        photograph(page)
        for scheme in SCHEMES if given.axe else ():
            for one in audit(page, given.axe, scheme):
                print(page.name, scheme, json.dumps(one))
                serious += one["impact"] in ("serious", "critical")
    sys.exit(f"axe: {serious} serious faults" if serious else 0)


if __name__ == "__main__":
    main()
