"""The conformance kit: plugins that keep their promises pass, and each promise that is broken is found."""

import json

import pytest

import zoo.testing

BROKEN = """
import zoo
from zoo import api

ZOO_API = ">=1.0,<2"
NAMES = "wrong_params wrong_dim no_map noisy loose_stage bad_gradient restless eager_stage fine".split()


@zoo.hookimpl
def zoo_backbones():
    facts = dict(modality="image", family="f", input=16, dim=8, features=("pooled", "map"), licence="MIT")
    changed = {"wrong_params": {"params": 7}, "wrong_dim": {"dim": 9}}
    return [
        zoo.Backbone(
            **{"name": n, "params": 224, "paper": "https://example.org", "build": "zoo_broken.build:build"}
            | facts | changed.get(n, {})
        )
        for n in NAMES
    ]


@zoo.hookimpl
def zoo_heads():
    facts = dict(summary="s", modalities=("image",), feature="pooled", licence="MIT")
    return [zoo.Head(name=n.lower(), build=f"zoo_broken.build:{n}", **facts) for n in ("Forgetful", "Stubborn")]
"""
BUILD = """
import keras
import numpy as np
import zoo


@keras.saving.register_keras_serializable("zoo_broken")
class Noise(keras.layers.Layer):
    def call(self, x):
        return x + keras.random.uniform(keras.ops.shape(x))


@keras.saving.register_keras_serializable("zoo_broken")
class Counter(keras.layers.Layer):
    def build(self, shape):
        self.seen = self.add_weight(name="seen", shape=(), initializer="zeros", trainable=False)

    def call(self, x, training=False):
        if training:
            self.seen.assign_add(1.0)
        return x


@keras.saving.register_keras_serializable("zoo_broken")
class Eager(keras.layers.Conv2D):
    @property
    def trainable(self):
        return True

    @trainable.setter
    def trainable(self, value):
        pass


@keras.saving.register_keras_serializable("zoo_broken")
class Root(keras.layers.Layer):
    def call(self, x):
        return x + keras.ops.sqrt(keras.ops.relu(x) * 0.0)


def build(backbone, weights, file):
    pixels = keras.Input((16, 16, 3))
    conv = (Eager if backbone.name == "eager_stage" else keras.layers.Conv2D)(8, 3, strides=4)
    x = conv(pixels)
    extra = {"noisy": Noise, "restless": Counter, "bad_gradient": Root}.get(backbone.name)
    layer = extra() if extra else keras.layers.Activation("relu")
    x = layer(x)
    outputs = {"pooled": keras.layers.GlobalAveragePooling2D()(x), "map": x}
    if backbone.name == "no_map":
        del outputs["map"]
    stages = ((layer,),) if backbone.name == "loose_stage" else ((conv, layer),)
    return zoo.Encoder(zoo.image_preprocess(16, zoo.Pixels()), keras.Model(pixels, outputs), stages)


from zoo_heads.classification import Classification


class Forgetful(Classification):
    def __init__(self):
        super().__init__(hidden=0, dropout=0.0, label_smoothing=0.0, class_weight="none")

    def state(self):
        return {"labels": self.labels[::-1]}

    @classmethod
    def restore(cls, state):
        task = cls()
        task.labels = state["labels"]
        return task


class Stubborn(Forgetful):
    def decode(self, outputs, raws):
        return [{"label": self.labels[0]} for _ in outputs]
"""


MANY_MODULES = """
    import importlib
    import pkgutil
    import encodings

    ZOO_API = ">=1.0,<2"
    for module in pkgutil.iter_modules(encodings.__path__):
        if module.name not in ("mbcs", "oem"):
            importlib.import_module(f"encodings.{module.name}")
    for name in ("asyncio", "sqlite3", "unittest.mock", "xmlrpc.client", "http.server", "multiprocessing.pool"):
        importlib.import_module(name)
"""


@pytest.fixture
def broken(environment):
    project = environment.write_plugin("broken", BROKEN)
    (project / "zoo_broken" / "build.py").write_text(BUILD)
    environment.install(project)
    return environment


def test_every_broken_promise_is_found_and_nothing_else(broken):
    checked = broken.zoo("check", "zoo-broken", "--all", "--json")
    assert checked.returncode == 1, checked.stderr
    rows = json.loads(checked.stdout)
    found = {}
    for row in rows:
        if row["state"] == "broken":
            found.setdefault(row["subject"].split()[1], set()).add(row["promise"])
    assert found == {
        "wrong_params": {"facts match what is built"},
        "wrong_dim": {"facts match what is built", "features have the promised shapes"},
        "no_map": {"features have the promised shapes"},
        "noisy": {"every way to ask gives the same", "preprocessing travels in the model"},
        "loose_stage": {"every stage unfreezes", "frozen means frozen"},
        "bad_gradient": {"gradients are finite"},
        "restless": {"facts match what is built", "frozen means frozen"},
        "eager_stage": {"frozen means frozen", "every stage unfreezes"},
        "forgetful": {"its state brings it back"},
        "stubborn": {"it decodes what it encodes", "its state brings it back"},
    }
    table = broken.zoo("check", "broken", "--backbone", "fine")
    assert "backbone fine" in table.stdout
    assert "wrong_params" not in table.stdout


def test_a_heavy_import_and_a_failing_one_are_found(environment):
    environment.install(
        environment.write_plugin("heavy", "import numpy\n" + BROKEN.replace("zoo_broken", "zoo_heavy")),
        environment.write_plugin("bulky", MANY_MODULES),
        environment.write_plugin("raises", "raise OSError('gone')"),
    )
    rows = json.loads(environment.zoo("check", "zoo-heavy", "--backbone", "fine", "--json").stdout)
    details = {row["promise"]: row["detail"] for row in rows if row["state"] == "broken"}
    assert "imports numpy" in details["importing it is light"]
    rows = json.loads(environment.zoo("check", "zoo-bulky", "--json").stdout)
    details = {row["promise"]: row["detail"] for row in rows if row["state"] == "broken"}
    assert "a bare interpreter has" in details["importing it is light"]
    rows = json.loads(environment.zoo("check", "zoo-raises", "--json").stdout)
    assert "gone" in rows[0]["detail"]
    unknown = environment.zoo("check", "zoo-nowhere")
    assert unknown.returncode == 1
    assert "zoo-heavy" in unknown.stderr


FIRST_PARTY = [
    *("tfzoo-heads", "tfzoo-efficientnet-lite", "tfzoo-keras-applications", "tfzoo-tfhub-bert"),
    "tfzoo-use-multilingual",
]
FETCHED = ["minilm_l6", "use_multilingual"]  # by pip


@pytest.mark.parametrize("promise", [p for name in FIRST_PARTY for p in zoo.testing.promises(name)], ids=str)
def test_first_party_plugins_keep_their_promises(promise):
    if (name := promise.subject.removeprefix("backbone ")) in FETCHED:
        zoo.pull(name)
    promise.check()
