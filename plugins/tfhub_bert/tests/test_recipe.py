"""The optimizer that texts are fine-tuned with, on the real variables of a text backbone."""

import keras
import numpy as np
import pytest

import zoo
from zoo.catalog import catalog
from zoo.compose.encoder import build_encoder
from zoo.compose.head import make_task
from zoo.compose.model import compose
from zoo.plan import Recipe
from zoo.training.optimizers import WarmUpAndDecay, make_optimizer
from zoo.training.recipe import phases


@pytest.fixture(scope="module")
def composed():
    head = catalog().head("regression")
    task = make_task(head, {})
    task.learn(["1", "2"], ("label",))
    made = compose(build_encoder(catalog().backbone("minilm_l6")), task, head.spec)
    made.encoder.unfreeze("all")
    return made


def _phase(**options):
    (phase,) = phases(catalog().backbone("minilm_l6").spec, Recipe(unfreeze="all", **options))
    return phase


def _steps(composed, phase, gradient):
    """How far each variable moves in one step with the same gradient everywhere, from ones."""
    variables = composed.from_prepared.trainable_variables
    for variable in variables:
        variable.assign(np.ones(variable.shape))
    optimizer = make_optimizer(phase, composed.encoder, 1, "float32")
    optimizer.build(variables)
    optimizer.apply([keras.ops.full(v.shape, gradient) for v in variables], variables)
    return {v.path: float(np.abs(v.numpy() - 1).max()) for v in variables}


def test_weights_are_decayed_but_not_biases_and_norms(composed):
    steps = _steps(composed, _phase(lr=0.1), 0.0)
    decayed = {path for path, step in steps.items() if step > 0}
    kept = {path for path, step in steps.items() if step == 0}
    assert {path.replace("/", ".").rsplit(".", 1)[-1] for path in decayed} == {"kernel", "embeddings"}
    assert {path.replace("/", ".").rsplit(".", 1)[-1] for path in kept} == {"bias", "beta", "gamma"}
    assert len(decayed) == 3 + 6 * 6 + 2


def test_layer_wise_decay_slows_each_stage_more_than_the_one_after_it(composed):
    steps = _steps(composed, _phase(lr=0.1, layer_decay=0.5), 1.0)
    steps = {path: step for path, step in steps.items() if path.endswith(("bias", "beta"))}  # not decayed
    by_stage = [max(steps.get(v.path, 0) for v in layer.trainable_variables) for layer, *_ in composed.encoder.stages]
    head = max(step for path, step in steps.items() if path.startswith("head") or "standardized" in path)
    ratios = np.array(by_stage[::-1]) / head
    assert ratios == pytest.approx(0.5 ** np.arange(1, len(by_stage) + 1), rel=0.001)


def test_the_gradient_is_clipped_to_its_norm(composed):
    assert make_optimizer(_phase(), composed.encoder, 10, "float32").global_clipnorm == 1.0


def test_the_rate_rises_linearly_and_falls_to_nothing():
    rates = [float(WarmUpAndDecay(1.0, 3, 13)(step)) for step in range(14)]
    assert rates[:4] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert rates[3:] == pytest.approx(np.linspace(1, 0, 11), abs=1e-6)
    assert [float(WarmUpAndDecay(1.0, 0, 2)(step)) for step in range(3)] == [1.0, 0.5, 0.0]


def test_large_backbones_learn_slower_and_pictures_have_no_layer_decay():
    (large,) = phases(catalog().backbone("bert_en_uncased_base").spec, Recipe(unfreeze="all"))
    assert large.learning_rate < _phase().learning_rate
    with pytest.raises(zoo.BadPlan, match=r"--layer-decay 0\.9: it is only for texts"):
        phases(catalog().backbone("efficientnet_lite0").spec, Recipe(unfreeze="all", layer_decay=0.9))
