"""What the conformance kit itself must not get wrong: numbers that are none, and other processes."""

import subprocess
import sys
import types

import numpy as np
import pytest

from zoo.testing import BrokenPromise, backbone, elsewhere
from zoo.testing.helper import Helper


@pytest.mark.parametrize(
    ("value", "expected", "said"),
    [
        ([1.0, np.nan], [1.0, 2.0], "has numbers that are not finite"),
        ([1.0, 2.0], [1.0, np.nan], "has numbers that are not finite"),
        ([1.0, 2.0], [1.0, np.inf], "has numbers that are not finite"),
        ([1.0, 2.0], [[1.0, 2.0]], r"has the shape \(2,\), not \(1, 2\)"),
        ([1.0, 2.1], [1.0, 2.0], r"differs by 0\.1"),
        ([True, False], [True, True], "differs by 1"),
    ],
)
def test_what_differs_is_found(value, expected, said):
    with pytest.raises(BrokenPromise, match=f"called again, pooled {said}"):
        backbone._compare("called again", "pooled", np.array(value), np.array(expected))


def test_what_is_nearly_the_same_is_the_same():
    assert backbone._compare("called again", "pooled", np.array([100.0]), np.array([100.001])) == pytest.approx(0.001)
    assert backbone._compare("called again", "mask", np.array([], "uint8"), np.array([], "uint8")) == 0


@pytest.mark.parametrize("promise", ["answers_agree", "neighbours_do_not_matter", "preprocessing_travels"])
def test_no_promise_is_kept_with_what_is_no_number(monkeypatch, promise):
    import tensorflow as tf

    class Model:
        """Gives a number the first time, and none after that."""

        called = False

        def __call__(self, *_):
            first, self.called = not self.called, True
            return {"pooled": np.full((3, 4), 1.0 if first else np.nan, "float32")}

        def predict(self, raw, verbose):
            return self(raw)

        def save(self, path):
            pass

    def load(name, path, given, out):
        np.savez(out, pooled=np.full((3, 4), np.nan, "float32"))
        return ""

    class Prepared:
        one_by_one = False

        def __init__(self, *_):
            pass

        def __call__(self, examples):
            return examples

    model = Model()
    offer = types.SimpleNamespace(name="b", spec=types.SimpleNamespace(modality="text"))
    monkeypatch.setattr(backbone, "_built", lambda _: types.SimpleNamespace(network=model, preprocess=None))
    monkeypatch.setattr(backbone, "features_from_raw", lambda _: model)
    monkeypatch.setattr(backbone, "Preprocessing", Prepared)
    monkeypatch.setattr(backbone, "load_elsewhere", load)
    monkeypatch.setattr(backbone, "_raw", lambda _: tf.zeros((3, 8)).numpy())
    with pytest.raises(BrokenPromise, match="not finite"):
        getattr(backbone, promise)(types.SimpleNamespace(name="b", offer=offer))


def test_what_a_model_prints_while_it_loads_is_no_answer(tmp_path):
    """With stand-ins for TensorFlow and for what loads a model."""
    (tmp_path / "zoo" / "runs").mkdir(parents=True)
    (tmp_path / "zoo" / "__init__.py").write_text("")
    (tmp_path / "zoo" / "runs" / "__init__.py").write_text("")
    loader = "import os\n\ndef load_model(path, name):\n    print('loading')\n    os.write(1, b'native\\n')\n"
    (tmp_path / "zoo" / "runs" / "model_file.py").write_text(f"{loader}    return lambda value: {{'pooled': value}}\n")
    (tmp_path / "tensorflow.py").write_text("def constant(value):\n    return value\n")
    np.save(tmp_path / "given.npy", np.ones(3))
    helper = Helper(sys.executable, elsewhere._LOADER, PYTHONPATH=str(tmp_path))
    for number in range(2):
        out = tmp_path / f"{number}.npz"
        assert helper.ask("some_net", "model.keras", tmp_path / "given.npy", out) == ""
        assert np.load(out)["pooled"].tolist() == [1, 1, 1]
    helper._process.kill()


@pytest.mark.parametrize("answer", ["print('no answer', flush=True)", "os.close(1)"])
def test_a_process_that_gives_no_answer_is_ended(answer):
    helper = Helper(sys.executable, f"import os, time\n{answer}\ntime.sleep(600)")
    with pytest.raises(EOFError):
        helper.ask("job")
    assert helper._process.poll() is not None


def test_where_weights_are_missing_tensorflow_is_not_started_with_all_its_messages():
    program = """
import sys
from zoo.catalog import catalog
from zoo.testing import backbone, outcomes, promises
backbone.build_encoder = lambda *_: (_ for _ in ()).throw(backbone.WeightsUnavailable("none"))
made = [one for one in promises("tfhub_bert", ["minilm_l6"]) if one.subject.startswith("backbone")]
assert {outcome.verdict for outcome in outcomes(made)} == {"not checked"}
sys.exit("tensorflow" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
