"""Freezing, unfreezing, preprocessing, and local weights."""

import keras
import numpy as np
import pytest

import zoo
from zoo.catalog import catalog
from zoo.compose.encoder import build_encoder, image_preprocess


@pytest.fixture(scope="module")
def encoder():
    return build_encoder(catalog().backbone("efficientnet_lite0"))


def _trainable(encoder) -> set[str]:
    return {weight.path for weight in encoder.network.trainable_weights}


def _weights_of(stages) -> set[str]:
    return {
        weight.path
        for stage in stages
        for layer in stage
        if not isinstance(layer, keras.layers.BatchNormalization)
        for weight in layer.trainable_weights
    }


@pytest.mark.parametrize("last", [0, 1, 3, 9, "all", 2])
def test_exactly_the_last_stages_are_trainable_and_no_batch_normalization(encoder, last):
    encoder.unfreeze("all")
    stages = encoder.stages if last == "all" else encoder.stages[len(encoder.stages) - last :]
    expected = _weights_of(stages)
    encoder.unfreeze(last)
    assert _trainable(encoder) == expected
    assert bool(expected) == bool(last)


def test_too_many_stages_is_a_sentence(encoder):
    with pytest.raises(zoo.BadPlan, match="this backbone has 9 stages"):
        encoder.unfreeze(10)


def test_unfrozen_batch_normalization_uses_its_stored_statistics_even_in_training(encoder):
    encoder.unfreeze("all")
    pixels = np.random.default_rng(0).uniform(-1, 1, (4, 224, 224, 3)).astype("float32")
    before = [w.numpy() for w in encoder.network.non_trainable_weights]
    training = encoder.network(pixels, training=True)["pooled"]
    assert np.allclose(training, encoder.network(pixels, training=False)["pooled"], atol=1e-6)
    after = [w.numpy() for w in encoder.network.non_trainable_weights]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_preprocessing_keeps_the_range_and_the_order_of_channels():
    pixels = np.zeros((1, 5, 7, 3), "float32")
    pixels[..., 0] = 255
    raw = np.asarray(image_preprocess(4, zoo.Pixels())(pixels))
    assert raw.shape == (1, 4, 4, 3)
    assert np.allclose(raw[0, 0, 0], [255, 0, 0], atol=1e-3)
    turned = zoo.Pixels(mean=(1.0, 2.0, 3.0), std=(1.0, 1.0, 2.0), order="BGR")
    assert np.allclose(np.asarray(image_preprocess(4, turned)(pixels))[0, 0, 0], [-1, -2, 126], atol=1e-3)


def test_integers_and_floats_are_the_same_pixels():
    preprocess = image_preprocess(8, zoo.Pixels(mean=(127.0,) * 3, std=(128.0,) * 3))
    pixels = np.random.default_rng(0).integers(0, 256, (1, 20, 30, 3), "uint8")
    assert np.array_equal(
        preprocess.predict(pixels, verbose=0), preprocess.predict(pixels.astype("float32"), verbose=0)
    )


def test_a_local_file_gives_the_weights_it_holds(tmp_path, encoder):
    other = build_encoder(catalog().backbone("efficientnet_lite0"), "none")
    other.network.save_weights(tmp_path / "own.weights.h5")
    loaded = build_encoder(catalog().backbone("efficientnet_lite0"), str(tmp_path / "own.weights.h5"))
    for saved, read in zip(other.network.weights, loaded.network.weights, strict=True):
        assert np.array_equal(saved.numpy(), read.numpy())


@pytest.mark.parametrize("name", ["efficientnet_lite0", "mobilenet_v3_small"])
def test_a_file_for_another_network_is_a_sentence(tmp_path, name):
    for file in ("wrong.weights.h5", "wrong.h5", "wrong.txt"):
        (tmp_path / file).write_bytes(b"no weights at all")
        with pytest.raises(zoo.BadWeights, match=f"{file} does not contain weights for {name}"):
            build_encoder(catalog().backbone(name), str(tmp_path / file))
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save_weights(tmp_path / "other.weights.h5")
    with pytest.raises(zoo.BadWeights, match="does not contain weights"):
        build_encoder(catalog().backbone(name), str(tmp_path / "other.weights.h5"))
    with pytest.raises(zoo.UnknownName, match="neither a file nor one of default, none, imagenet"):
        build_encoder(catalog().backbone(name), str(tmp_path / "missing.h5"))
