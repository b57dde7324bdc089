"""Completion of names, asked for as a shell asks for it."""

import os
import subprocess
import sys

import pytest

from zoo import api
from zoo.cli import complete


def completed(typed, *options, folder=None, **variables):
    """What is offered for the last word of a line."""
    words = {"_ZOO_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split(" ")) - 1)}
    command = [sys.executable, *options, "-m", "zoo"]
    return subprocess.run(
        command, env=os.environ | words | variables, cwd=folder, capture_output=True, text=True, check=True
    )


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("zoo in", ["info", "install"]),
        ("zoo info incep", ["inception_resnet_v2", "inception_v3"]),
        ("zoo pull vgg1", ["vgg16", "vgg19"]),
        ("zoo train incep", ["inception_resnet_v2", "inception_v3"]),
        ("zoo list resnet50", ["resnet50", "resnet50_v2"]),
        ("zoo list --plugin ker", ["keras_applications", "kerashub"]),
        ("zoo list --modality ", ["image", "text"]),
        ("zoo list --sort tr", ["trained_on"]),
        ("zoo list --where p", ["params", "paper", "plugin"]),
        ("zoo list --where para", ["params=", "params!=", "params<", "params<=", "params>", "params>="]),
        ("zoo list --where params<", ["params<", "params<="]),
        ("zoo list --where licence", ["licence=", "licence!="]),
        ("zoo list --where off", ["offline", "offline=no"]),
        ("zoo plugins --disable hea", ["heads"]),
        ("zoo plugins --enable hea", ["heads"]),
        ("zoo install keras", ["keras_applications", "kerashub"]),
        ("zoo uninstall tf", ["tfhub_bert"]),
        ("zoo upgrade eff", ["efficientnet_lite"]),
        ("zoo check tfzoo-h", ["tfzoo-heads"]),
        ("zoo check hea", ["heads"]),
        ("zoo check heads --backbone vgg1", ["vgg16", "vgg19"]),
        ("zoo registry add tfzoo-h", ["tfzoo-heads"]),
        ("zoo train resnet50 photos --weights ", ["default", "none", "imagenet"]),
        ("zoo train resnet50 photos --set label", ["label_smoothing="]),
        ("zoo train resnet50 photos --set class_weight=", ["class_weight=none", "class_weight=balanced"]),
        ("zoo train resnet50 photos --set hidden=", []),
        ("zoo embed resnet50 photos --set n", ["normalize="]),
        ("zoo embed resnet50 photos --set normalize=", ["normalize=true", "normalize=false"]),
        ("zoo train resnet50 photos --augment ", ["none", "light", "strong"]),
        ("zoo train resnet50 photos --device ", ["auto", "cpu", "gpu"]),
        ("zoo embed resnet50 photos --device g", ["gpu"]),
        ("zoo train resnet50 photos --unfreeze ", ["all"]),
        ("zoo train resnet50 photos --cache ", ["auto", "on", "off"]),
        ("zoo train resnet50 photos --head pair_", ["pair_classification", "pair_regression"]),
        ("zoo predict runs/x --engine o", ["openvino"]),
    ],
)
def test_names_are_completed(typed, names):
    assert completed(typed).stdout.split() == names


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["--set", "class_weight", "=", "b"], ["balanced"]),
        (["--set", "class_weight", "="], ["none", "balanced"]),
        (["--set", "class_weight", "=", ""], ["none", "balanced"]),
        (["--seed", "=", "3", "--augment", "st"], ["strong"]),
        (["--head", "=", "pair_c"], ["pair_classification"]),
        (["--set", "class_weight", "=", "balanced", "--augment", "l"], ["light"]),
    ],
)
def test_words_that_bash_cuts_at_an_equals_sign_are_completed(words, names):
    words = ["zoo", "train", "resnet50", "photos", *words]
    as_bash = {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1)}
    assert completed("", **as_bash).stdout.split() == names


def test_registries_are_completed_without_asking_them(zoo_command, tmp_path):
    own = {"ZOO_CONFIG": str(tmp_path), "ZOO_CACHE": str(tmp_path)}
    (tmp_path / "mine.toml").write_text("format = 1\n")
    assert zoo_command("registry", "use", tmp_path / "mine.toml", **own).returncode == 0
    assert completed("zoo registry forget /", **own).stdout.split() == [str(tmp_path / "mine.toml")]
    (tmp_path / "mine.toml").unlink()
    unreachable = own | {"ZOO_REGISTRY": "https://registry.invalid/registry.toml"}
    offered = completed("zoo install keras", **unreachable)
    assert offered.stdout.split() == ["keras_applications", "kerashub"]
    assert offered.stderr == ""


@pytest.mark.parametrize("typed", ["zoo info res", "zoo install keras", "zoo list --where para"])
def test_completing_imports_nothing_heavy(typed):
    imported = completed(typed, "-X", "importtime").stderr
    assert " zoo.api" in imported
    for module in ("tensorflow", "keras", "numpy", "pyarrow", "PIL", "requests", "rich"):
        assert f" {module}\n" not in imported


def test_run_folders_are_completed(tmp_path, monkeypatch):
    for name in ("runs/photos", "runs/photos-2", "runs/reviews", "elsewhere/deep", "single"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "plan.toml").touch()
    (tmp_path / "runs" / "phantom").mkdir()
    monkeypatch.chdir(tmp_path)
    assert complete.runs("") == ["elsewhere/deep", "runs/photos", "runs/photos-2", "runs/reviews", "single"]
    assert complete.runs("ph") == ["runs/photos", "runs/photos-2"]
    assert complete.runs("runs/r") == ["runs/reviews"]
    assert complete.runs("./elsewhere/") == ["./elsewhere/deep"]
    assert complete.runs(f"{tmp_path}/si") == [f"{tmp_path}/single"]
    assert complete.runs("nowhere/at/all") == []


def test_heads_are_completed():
    assert complete.heads("reg") == ["regression"]


def test_whatever_goes_wrong_nothing_is_offered_and_nothing_raised(monkeypatch):
    def fail():
        raise OSError("the disk is gone")

    for name in ("backbone_names", "plugin_names", "listed_plugin_names", "fact_comparisons", "registry_names"):
        monkeypatch.setattr(api, name, fail)
    for offered in (complete.backbones, complete.plugins, complete.listed_plugins, complete.conditions):
        assert offered("") == []
    assert complete.registries("") == []


def test_the_labels_of_a_run_are_completed(finished_run):
    assert "fruit" in completed(f"zoo explain {finished_run} x.png --target fr").stdout.split()
    assert api.target_names(finished_run)[0] == "birds"
    assert completed("zoo explain nowhere x.png --target ").stdout.split() == []
