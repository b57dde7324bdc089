"""The inference graph gives what the model gives, and bfloat16 is only used where it comes near that."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.errors import BadPlan
from zoo.inference import runner
from zoo.inference.folded import Folded, trace_constant, training_in
from zoo.inference.options import Inference
from zoo.inference.runner import BOUNDS, CHECKED, Runner, fastest
from zoo.structs import checked


def has_float16() -> bool:
    try:
        return bool(Inference("float16", "openvino").resolved())
    except BadPlan:
        return False


needs_bfloat16 = pytest.mark.skipif(
    Inference().resolved().precision != "bfloat16", reason="the processor has no bfloat16"
)
needs_float16 = pytest.mark.skipif(not has_float16(), reason="the processor has no float16")
EXACT, FAST = Inference("float32", "tensorflow"), Inference("bfloat16", "tensorflow")
SPEC = tf.TensorSpec((None, 32, 32, 3), "float32")


@pytest.fixture(scope="module")
def network() -> keras.Model:
    keras.utils.set_random_seed(1)
    entry = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(16, 3, use_bias=False)(entry)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.ReLU()(x)
    return keras.Model(entry, {"pooled": keras.layers.GlobalAveragePooling2D()(x), "map": x})


@pytest.fixture(scope="module")
def pictures() -> tf.Tensor:
    return tf.constant(np.random.default_rng(0).normal(size=(12, 32, 32, 3)), "float32")


def test_the_folded_graph_gives_what_the_model_gives(network: keras.Model, pictures: tf.Tensor) -> None:
    made = Runner(network, SPEC, EXACT)(pictures)
    expected = network(pictures, training=False)
    assert set(made) == {"pooled", "map"}
    for name, array in made.items():
        np.testing.assert_allclose(array, expected[name], rtol=1e-4, atol=1e-5)


@needs_bfloat16
def test_bfloat16_stays_within_the_bound_and_gives_float32(network: keras.Model, pictures: tf.Tensor) -> None:
    run = Runner(network, SPEC, FAST)
    made, exact = run(pictures)["pooled"], network(pictures)["pooled"].numpy()
    assert run.precision == "bfloat16"
    assert made.dtype == "float32"
    distance = np.linalg.norm(made - exact, axis=1) / np.linalg.norm(exact, axis=1)
    assert 0 < distance.max() <= BOUNDS["bfloat16"]


@needs_bfloat16
def test_a_network_that_bfloat16_spoils_runs_in_float32_and_says_so(
    pictures: tf.Tensor, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(1, 3, kernel_initializer="ones", bias_initializer=keras.initializers.Constant(-27e4))(entry)
    network = keras.Model(entry, x)  # what is left of 27 large numbers after their sum is taken off again
    run = Runner(network, SPEC, FAST)
    made = run(pictures + 1e4)
    assert run.precision == "float32"
    assert "float32 is used" in capsys.readouterr().err
    np.testing.assert_allclose(made, Runner(network, SPEC, EXACT)(pictures + 1e4), rtol=1e-5)


def test_fewer_examples_than_are_checked(network: keras.Model, pictures: tf.Tensor) -> None:
    assert Runner(network, SPEC, FAST)(pictures[: CHECKED - 5])["pooled"].shape == (3, 16)


@pytest.mark.parametrize(
    ("precision", "name"),
    [("bfloat16", "auto_mixed_precision_onednn_bfloat16"), ("float16", "auto_mixed_precision")],
)
def test_the_setting_holds_for_the_block_alone(precision: str, name: str) -> None:
    with training_in(precision):
        assert tf.config.optimizer.get_experimental_options()[name]
    after = tf.config.optimizer.get_experimental_options()
    assert not after.get(name, False)
    assert after.get("arithmetic_optimization", True)


@needs_bfloat16
def test_running_a_network_leaves_the_process_as_it_was_and_many_threads_agree(network, pictures) -> None:
    run = Runner(network, SPEC, FAST)
    alone, before = run(pictures)["pooled"], network(pictures)["pooled"].numpy()
    options = tf.config.optimizer.get_experimental_options()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: run(pictures)["pooled"], range(24)))
        after = list(pool.map(lambda _: network(pictures)["pooled"].numpy(), range(8)))
    assert all(np.array_equal(answer, alone) for answer in answers)
    assert all(np.array_equal(answer, before) for answer in after)  # in float32 as before, in every thread
    assert tf.config.optimizer.get_experimental_options() == options


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(BadPlan, match=r"--precision int8: it must be auto or bfloat16 or float16 or float32\."):
        checked({"precision": "int8"}, Inference)


@pytest.mark.skipif(bool(tf.config.list_physical_devices("GPU")), reason="a GPU computes in float16")
def test_float16_is_refused_where_nothing_computes_in_it() -> None:
    with pytest.raises(BadPlan, match=r"--precision float16: tensorflow computes in it only on a GPU\. Give bfloat16"):
        Inference("float16", "tensorflow").resolved()


def test_of_several_ways_to_run_the_fastest_is_taken_and_starting_does_not_count(monkeypatch) -> None:
    clock = [0.0]

    def way(first: float, later: float) -> Callable[[object], None]:
        costs = iter([first])

        def run(batch: object) -> None:
            clock[0] += next(costs, later)

        return run

    monkeypatch.setattr(runner.time, "perf_counter", lambda: clock[0])
    ways = [way(1, 3), way(100, 1), way(1, 2)]
    assert fastest(ways, None) is ways[1]


def test_a_graph_for_xla_gives_what_the_model_gives(network: keras.Model, pictures: tf.Tensor) -> None:
    compiled = Folded(trace_constant(network, SPEC), "float32", xla=True)
    np.testing.assert_allclose(compiled(pictures)["pooled"], network(pictures)["pooled"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("precision", ["float32", "bfloat16", pytest.param("float16", marks=needs_float16)])
def test_openvino_gives_what_the_model_gives(network: keras.Model, pictures: tf.Tensor, precision: str) -> None:
    run = Runner(network, SPEC, Inference(precision, "openvino"))
    made, expected = run(pictures), network(pictures, training=False)
    assert run.engine == "openvino"
    for name, array in made.items():
        assert array.dtype == "float32"
        error = np.linalg.norm(array - expected[name]) / np.linalg.norm(expected[name])
        assert error < BOUNDS[precision]


def test_what_openvino_does_not_know_runs_in_tensorflow_and_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    entry = keras.Input((5,))
    network = keras.Model(
        entry, keras.layers.Lambda(lambda x: tf.numpy_function(np.cbrt, [x], tf.float32), (5,))(entry)
    )
    numbers = tf.constant([[1.0, 8, 27, 64, 125]])
    run = Runner(network, tf.TensorSpec((None, 5)), Inference("float32", "openvino"))
    np.testing.assert_allclose(run(numbers), [[1, 2, 3, 4, 5]], rtol=1e-6)
    assert run.engine == "tensorflow"
    assert "OpenVINO cannot run this network" in capsys.readouterr().err


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(BadPlan, match=r"--engine onnx: it must be auto or openvino or tensorflow\."):
        checked({"engine": "onnx"}, Inference)
