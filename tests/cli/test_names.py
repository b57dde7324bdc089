"""Names at the limits of a file system: 255 bytes, bytes that are no UTF-8, and signs with a meaning elsewhere."""

import json
import os
import shutil

import pytest

LONG = "n" * 251 + ".png"  # 255 bytes
WIDE = "ζ" * 125 + ".png"  # 254 bytes
ODD = ["a\nb.png", "a'b\"c.png", "-rf.png", "$(id).png", "a b.png", "%s%n.png", "*.png", "a\\b.png", "~.png", "#.png"]


@pytest.fixture
def named(clipart, tmp_path):
    """Pictures under such names in folders of such names."""
    pictures = sorted((clipart / "birds").iterdir())[:14] + sorted((clipart / "music").iterdir())[:14]
    folder = tmp_path / "data"
    for label, some in (("l" * 255, pictures[:14]), ("-é ζ$", pictures[14:])):
        (folder / label).mkdir(parents=True)
        for name, picture in zip([LONG, WIDE, *ODD], some, strict=False):
            shutil.copy(picture, folder / label / name)
    return folder


def test_a_training_on_names_at_the_limits(named, zoo_here, tmp_path):
    out = tmp_path / ("r" * 255)
    status, printed, errors = zoo_here("train", "efficientnet_lite0", named, "--epochs", 1, "--out", out, "--json")
    assert status == 0, errors
    assert json.loads(printed)["examples"]["skipped"] == 0
    status, printed, errors = zoo_here("predict", out, named, "--json")
    assert status == 0, errors
    answers = json.loads(printed)
    assert len(answers) == 24
    assert {answer["label"] for answer in answers} <= {"l" * 255, "-é ζ$"}
    assert zoo_here("runs", tmp_path)[0] == 0
    status, printed, errors = zoo_here("evaluate", out, named, "--split", "all", "--json")
    assert status == 0, errors
    assert json.loads(printed)["examples"]["evaluated"] == 24


@pytest.mark.parametrize("where", ["class", "file", "run"])
def test_a_name_that_is_no_utf8(named, zoo_here, tmp_path, where):
    bad = os.fsdecode(b"bad-\xff\xfe")
    out = tmp_path / (bad if where == "run" else "run")
    if where == "class":
        (named / ("l" * 255)).rename(named / bad)
    if where == "file":
        (named / "-é ζ$" / LONG).rename(named / "-é ζ$" / f"{bad}.png")
    status, _, errors = zoo_here("train", "efficientnet_lite0", named, "--epochs", 1, "--out", out)
    assert "ZOO_DEBUG" not in errors
    if where == "file":
        assert status == 0, errors
        status, printed, errors = zoo_here("predict", out, named)
        assert status == 0, errors
        assert r"bad-\xff" in printed or r"bad-\udcff" in printed
    else:
        assert status == 1
        assert "UTF-8" in errors
        assert not out.exists()


TOO_LONG = ["r" * 256, "a/" * 2100 + "run"]
COMMANDS = [
    "predict X unseen",
    "resume X",
    "runs X",
    "diff X X",
    "evaluate X clipart",
    "train efficientnet_lite0 X",
    "train efficientnet_lite0 clipart --val X",
    "train efficientnet_lite0 clipart --weights X",
    "train efficientnet_lite0 clipart --out X",
    "train --plan X",
    "embed efficientnet_lite0 X --out x.parquet",
    "embed efficientnet_lite0 unseen --out X",
    "pull resnet50 --from X",
    "registry use X",
    "registry check X",
    "registry add heads --to X",
    "install X",
    "install X.whl",
    "install heads --registry X",
    "install ./heads --find-links X --no-index",
    "new X",
    "check X",
    "info X",
    "list X",
    "uninstall X",
]


@pytest.mark.parametrize("name", TOO_LONG, ids=["one name", "a path"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_name_that_no_file_can_have_is_a_sentence(clipart, unseen, zoo_here, tmp_path, monkeypatch, command, name):
    monkeypatch.chdir(tmp_path)
    words = {"X": name, "X.whl": f"{name}.whl", "clipart": clipart, "unseen": unseen}
    status, _, errors = zoo_here(*[words.get(word, word) for word in command.split()])
    assert status == 1
    assert "ZOO_DEBUG" not in errors
    assert errors.splitlines()[-1].startswith("zoo: ")
    assert list(tmp_path.iterdir()) == []
