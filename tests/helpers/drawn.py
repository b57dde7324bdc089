"""Small pictures that tests draw."""

from pathlib import Path

from PIL import Image


def picture(path: Path, colour: int = 0) -> Path:
    """A picture of one colour, as a PNG file whatever its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 30), (colour % 256, colour * 7 % 256, colour * 31 % 256)).save(path, format="PNG")
    return path


def classes(folder: Path, *names: str, each: int = 4) -> Path:
    """A folder of classes, no two pictures alike."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        for one in range(each):
            picture(folder / "data" / name / f"{one}.png", 1 + number * each + one)
    return folder / "data"
