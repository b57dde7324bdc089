"""What `zoo doctor` says about accelerators and about the places that weights come from."""

import json
import platform

import pytest

from zoo import diagnosis

VAULT = """
import zoo

ZOO_API = ">=1.0,<2"


@zoo.hookimpl
def zoo_backbones():
    facts = {"modality": "image", "family": "f", "params": 1, "input": 8, "dim": 1, "features": ("pooled",)}
    facts |= {"licence": "MIT", "paper": "https://example.org"}
    source = {"source": "vault://owner/model/1", "fetch": "zoo_vault:fetch", "licence": "MIT", "trained_on": "x"}
    weights = zoo.Weights(name="own", bytes=0, pixels=zoo.Pixels(mean=(0, 0, 0), std=(1, 1, 1)), **source)
    return [zoo.Backbone(name="kept", build="zoo_vault:build", weights=(weights,), **facts)]
"""


def test_a_source_that_only_a_library_reads_is_not_asked_and_is_no_fault(environment):
    environment.install(environment.write_plugin("vault", VAULT))
    doctor = environment.zoo("doctor", "--json")
    report = json.loads(doctor.stdout)
    assert doctor.returncode == 0, report["problems"]
    assert report["facts"]["source vault"] == "not asked, because a library fetches from it (weights of 1 backbone)"
    assert not any("vault" in note for note in report["notes"])


@pytest.mark.parametrize("present", [True, False])
def test_on_a_mac_the_package_for_its_gpu_comes_with_a_warning(monkeypatch, present):
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    monkeypatch.setattr(diagnosis, "_installed", lambda name: present and name == "tensorflow-metal")
    report = diagnosis.diagnose()
    assert report["facts"]["accelerators"].startswith("Apple Metal" if present else "none")
    (note,) = [note for note in report["notes"] if "tensorflow-metal" in note]
    assert "may not start" in note
    assert "pip uninstall tensorflow-metal" in note
    assert ("pip install tensorflow-metal" in note) is not present
