"""Changed views of pictures: the same key gives the same view, and a picture stays a picture."""

import numpy as np
import pytest
import tensorflow as tf

from zoo.data.augment import PictureAugmentation


def _picture() -> tf.Tensor:
    ramp = np.linspace(0, 255, 64, dtype="float32")
    return tf.constant(np.stack(np.broadcast_arrays(ramp[:, None], ramp[None, :], np.float32(90)), axis=-1))


def _key(number: int) -> tf.Tensor:
    return tf.constant([number, 7], tf.int32)


@pytest.mark.parametrize("level", ["light", "strong"])
def test_the_key_decides_the_view(level):
    change, picture = PictureAugmentation(level, (64, 64)), _picture()
    views = [change(picture, _key(number)).numpy() for number in (0, 0, 1, 2)]
    assert np.array_equal(views[0], views[1])
    assert not np.array_equal(views[0], views[2])
    assert not np.array_equal(views[2], views[3])
    for view in views:
        assert view.shape == (64, 64, 3)
        assert view.min() >= 0
        assert view.max() <= 255
        assert not np.array_equal(view, picture)


def test_views_are_the_same_in_a_graph_and_outside_of_one():
    change, picture = PictureAugmentation("light", (64, 64)), _picture()
    traced = tf.function(change)
    for number in range(3):
        np.testing.assert_allclose(traced(picture, _key(number)), change(picture, _key(number)), atol=0.05)


def test_strong_goes_further_than_light():
    picture = _picture()

    def distance(level: str) -> float:
        change = PictureAugmentation(level, (64, 64))
        return float(np.mean([np.abs(change(picture, _key(n)) - picture).mean() for n in range(20)]))

    assert distance("strong") > distance("light") > 1
