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
    from zoo.compose.flat import flattened
    from zoo.compose.partition import _frozen

    outer_in = keras.Input((8,))
    outer = keras.Model(outer_in, {"pooled": inner(outer_in)})
    flat = flattened(outer)
    assert [step.operation.name for step in flat.steps] == ["first", "second"]
    _, (edge,) = _frozen(flat)
    assert edge is flat.steps[0].outputs[0]
    numbers = np.ones((1, 8), "float32")
    made = keras.Model(flat.entry, flat.outputs)(numbers)
    np.testing.assert_allclose(made["pooled"], outer(numbers)["pooled"])


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


def _dense(units, name, trainable=False):
    return keras.layers.Dense(units, name=name, trainable=trainable)


def _two_inputs(structure):
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    inputs = {"list": [b, a], "dict": {"b": b, "a": a}}[structure]
    return keras.Model(inputs, _dense(4, "sum")(a) + 2 * _dense(4, "other")(b), name="two")


def _nested(kind):
    """Networks with models inside, however they are connected."""
    entry = keras.Input((4,), name="entry")
    first = keras.Model(i := keras.Input((4,)), _dense(4, "deep")(i), name="first")
    second = keras.Model(i := keras.Input((4,)), first(_dense(4, "before")(i)), name="second")
    if kind == "after a layer":
        end = first(keras.layers.Rescaling(2.0)(entry))
    elif kind == "one after the other":
        end = second(first(entry))
    elif kind == "the same twice":
        end = first(first(entry))
    elif kind == "in one another":
        end = keras.Model(i := keras.Input((4,)), second(keras.layers.Rescaling(0.5)(i)))(entry)
    elif kind == "by keyword":
        end = first(inputs=keras.layers.Rescaling(2.0)(entry))
    elif kind == "of a rank that Keras adapts":
        end = first(keras.ops.expand_dims(entry, -1))
    else:
        structure, given = kind.split(" from ")
        p, q = keras.layers.Rescaling(3.0)(entry), keras.layers.Rescaling(5.0)(entry)
        parts = {"list": [p, q], "dict": {"a": p, "b": q}, "more": {"a": p, "b": q, "c": entry}}[given]
        end = _two_inputs(structure)(parts)
    return keras.Model(entry, {"pooled": _dense(3, "last", trainable=True)(end)})


@pytest.mark.parametrize(
    "kind",
    [
        "after a layer",
        "one after the other",
        "the same twice",
        "in one another",
        "by keyword",
        "of a rank that Keras adapts",
        "list from list",
        "list from dict",
        "dict from dict",
        "dict from more",
    ],
)
def test_models_inside_are_flattened_as_keras_calls_them(kind):
    from zoo.compose.flat import flattened
    from zoo.compose.partition import _frozen

    network = _nested(kind)
    flat = flattened(network)
    numbers = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    made = keras.Model(flat.entry, flat.outputs)(numbers)
    np.testing.assert_allclose(made["pooled"], network(numbers)["pooled"], rtol=1e-6)
    _, (edge,) = _frozen(flat)
    assert edge is flat.steps[-1].inputs[0]


@pytest.mark.parametrize("computed", [False, True])
def test_what_is_an_output_without_being_trained_is_kept_beside_the_features(computed):
    """Features of words, and the mask that came in with them or was computed of it, as for tags."""

    class Words:
        ids, mask = keras.Input((None,), dtype="int32", name="ids"), keras.Input((None,), dtype="int32", name="mask")
        between = _dense(4, "between")(keras.layers.Embedding(9, 4, trainable=False)(ids))
        passed = keras.ops.cast(mask >= 1, "int32") if computed else mask
        network = keras.Model(
            {"ids": ids, "mask": mask}, {"sequence": _dense(3, "last", True)(between), "mask": passed}
        )
        given = keras.Input((None, 3), name="sequence"), keras.Input((None,), dtype="int32", name="mask")
        weighed = keras.layers.Dense(2)(given[0]) * keras.ops.cast(given[1], "float32")[..., None]
        head = keras.Model({"sequence": given[0], "mask": given[1]}, weighed)

    divided = partition(Words)
    batch = {"ids": np.array([[1, 2, 3]], "int32"), "mask": np.array([[1, 1, 0]], "int32")}
    expected = Words.head(Words.network(batch))
    np.testing.assert_allclose(divided.tail(divided.front(batch)), expected, rtol=1e-6)
