"""The two parts of a model together are the model, wherever it is divided."""

import keras
import numpy as np
import pytest

from zoo.catalog import catalog
from zoo.compose.encoder import build_encoder
from zoo.compose.head import make_task
from zoo.compose.model import compose
from zoo.compose.partition import partition


def _composed(name: str):
    head = catalog().head("classification")
    task = make_task(head, {})
    task.learn(["a", "b", "c"], ("label",))
    return compose(build_encoder(catalog().backbone(name), "none"), task, head.spec)


@pytest.fixture(scope="module", params=["efficientnet_lite0", "mobilenet_v2", "densenet121", "inception_v3"])
def composed(request):
    return _composed(request.param)


@pytest.mark.parametrize("unfreeze", [0, 1, 3])
def test_front_and_tail_make_the_model(composed, unfreeze):
    composed.encoder.unfreeze(unfreeze)
    size = composed.encoder.network.input.shape[1]
    pictures = np.random.default_rng(0).normal(size=(2, size, size, 3)).astype("float32")
    divided = partition(composed)
    together = divided.tail(divided.front(pictures, training=False), training=False)
    np.testing.assert_allclose(together, composed.from_prepared(pictures, training=False), rtol=1e-5, atol=1e-6)
    assert divided.front.trainable_weights == []
    assert {w.path for w in divided.tail.trainable_weights} == {
        w.path for w in composed.from_prepared.trainable_weights
    }
    assert divided.work > 1e6


def test_further_back_there_is_less_to_keep_ready(composed):
    works = []
    for unfreeze in (0, 1, 2):
        composed.encoder.unfreeze(unfreeze)
        works.append(partition(composed).work)
    assert works == sorted(works, reverse=True)


def test_the_work_is_the_published_one(composed):
    """Multiply-adds of the papers, in millions, without the classification layer."""
    published = {"efficientnet_lite0": 385, "mobilenet_v2": 300, "densenet121": 2834, "inception_v3": 5690}
    composed.encoder.unfreeze(0)
    expected = published[composed.encoder.network.name] * 1e6
    assert partition(composed).work == pytest.approx(expected, rel=0.1)


def test_with_everything_unfrozen_there_is_no_front(composed):
    composed.encoder.unfreeze("all")
    assert partition(composed) is None


def test_a_network_inside_of_a_network_is_cut_too():
    inner_in = keras.Input((8,))
    first = keras.layers.Dense(4, name="first", trainable=False)
    inner = keras.Model(inner_in, keras.layers.Dense(4, name="second")(first(inner_in)), name="inner")
    from zoo.compose.partition import _edge, _flat

    outer_in = keras.Input((8,))
    outer = keras.Model(outer_in, {"pooled": inner(outer_in)})
    flat, steps = _flat(outer)
    assert [step.operation.name for step in steps] == ["first", "second"]
    (edge,) = _edge(flat, steps)
    assert edge is steps[0].outputs[0]
    numbers = np.ones((1, 8), "float32")
    np.testing.assert_allclose(flat(numbers)["pooled"], outer(numbers)["pooled"])


def test_a_network_is_not_cut_where_the_cache_would_change_the_numbers(composed):
    class Small:
        head, network = composed.head, None

    entry = keras.Input((8,))
    wide = keras.layers.Dense(4, trainable=False)(entry)
    codes = keras.ops.cast(wide > 0, "uint8")
    dim = composed.head.input["pooled"].shape[-1]
    last = keras.ops.mean(keras.layers.Embedding(2, dim)(codes), axis=1)
    Small.network = keras.Model(entry, {"pooled": last})
    assert partition(Small) is None
