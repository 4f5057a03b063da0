"""Explanations of models that are understood already."""

import json

import numpy as np
import pytest

from tenfold.digits import Digits
from tenfold.errors import DataError, UsageError
from tenfold.evaluation.explanations import (
    Neighbourhood,
    explain_each,
    input_slopes,
    map_of,
    occlusion,
    smooth_slopes,
)
from tenfold.evaluation.whitebox import WhiteBox
from tenfold.layers import Dense, ReLU
from tenfold.network import Network
from tenfold.randomness import stream
from tenfold.weights import Member, initial_weights


class OnePixel:
    """Looks at row 10, column 20 alone: a 4 where there is ink, a 9 where there is none."""

    def predict_proba(self, images):
        ink = images[:, 10, 20] / np.float32(255)
        table = np.zeros((len(images), 10), np.float32)
        table[:, 4], table[:, 9] = ink, 1 - ink
        return table


@pytest.fixture
def picture():
    pixels = stream(0, "ink").integers(0, 256, (1, 28, 28)).astype(np.uint8)
    pixels[0, 10, 20] = 204
    return pixels


@pytest.fixture(scope="module")
def linear():
    network = Network(Dense(10))
    return WhiteBox([Member(network, initial_weights(network, 0))])


@pytest.mark.parametrize(("side", "reached"), [(1, 1), (5, 25)])
def test_occlusion_of_who_looks_at_one_pixel(side, reached, picture):
    fall = occlusion(OnePixel(), picture, np.array([4], np.uint8), side=side)[0]
    half = side // 2
    # 204 / 255 = 0.8 is lost by every patch that covers the pixel, nothing by any other.
    near = fall[10 - half : 11 + half, 20 - half : 21 + half]
    assert near == pytest.approx(0.8, abs=1e-6)
    assert np.count_nonzero(fall) == reached
    against = occlusion(OnePixel(), picture, np.array([9], np.uint8), side=side)[0]
    assert np.allclose(against, -fall, atol=1e-6)


def test_a_patch_larger_than_the_frame_is_refused(picture):
    with pytest.raises(UsageError, match=r"occlusion.side"):
        occlusion(OnePixel(), picture, np.array([4], np.uint8), side=28)
    with pytest.raises(UsageError, match="an odd number of pixels, received 4"):
        occlusion(OnePixel(), picture, np.array([4], np.uint8), side=4)


def test_slopes_of_a_linear_model_are_its_weights(linear, picture):
    kernel = linear.members[0].weights["dense_1/kernel"].astype(float)
    p = linear.predict_proba(picture)[0].astype(float)
    # d log p_3 / dx = w_3 - sum of p_k w_k, in the scale of pixels 0..1.
    expected = (kernel[:, 3] - kernel @ p).reshape(28, 28) / 255
    found = input_slopes(linear, picture, np.array([3], np.uint8))[0]
    assert np.allclose(found, expected, rtol=1e-4, atol=1e-8)


def test_smoothing_is_a_mean_over_noise(linear, picture):
    label = np.array([3], np.uint8)
    one = smooth_slopes(linear, picture, label, chance=stream(5, "n"), samples=1)
    noise = 0.15 * 255 * stream(5, "n").standard_normal((1, 28, 28), np.float32)
    assert np.allclose(one, -linear.loss_gradient(picture + noise, label), rtol=1e-6)
    again = smooth_slopes(linear, picture, label, chance=stream(5, "n"), samples=1)
    assert np.array_equal(one, again)
    many = smooth_slopes(linear, picture, label, chance=stream(6, "n"), samples=40)
    others = smooth_slopes(linear, picture, label, chance=stream(7, "n"), samples=40)
    ones = smooth_slopes(linear, picture, label, chance=stream(8, "n"), samples=1)
    assert np.abs(many - others).mean() < 0.5 * np.abs(one - ones).mean()


def test_a_training_picture_is_its_own_nearest(small_digits):
    network = Network(Dense(16), ReLU(), Dense(10))
    box = WhiteBox([Member(network, initial_weights(network, 0))])
    neighbourhood = Neighbourhood(box, small_digits)
    found = neighbourhood.nearest(small_digits.images[40:43], count=5)
    assert [of_one[0].row for of_one in found] == [40, 41, 42]
    assert [of_one[0].label for of_one in found] == small_digits.labels[40:43].tolist()
    hidden = box.hidden(small_digits.images)
    by_hand = np.sort(np.linalg.norm(hidden - hidden[41], axis=1))[:5]
    # Distances by scikit-learn come from squares, whose rounding is 1e-3 near 0 in float32.
    assert [n.distance for n in found[1]] == pytest.approx(by_hand.tolist(), abs=5e-3)


def test_pictures_of_one_digit_lie_together_on_the_map(small_digits):
    network = Network(Dense(10))
    pictures = small_digits.images.reshape(-1, 784) / 255
    means = np.stack([pictures[small_digits.labels == d].mean(axis=0) for d in range(10)])
    weights = {"dense_1/kernel": means.T, "dense_1/bias": -0.5 * (means**2).sum(axis=1)}
    box = WhiteBox([Member(network, {k: v.astype(np.float32) for k, v in weights.items()})])
    digits = small_digits.take(np.arange(200))
    found = map_of(box, digits, seed=0)
    assert found.places.shape == (200, 2)
    apart = np.linalg.norm(found.places[:, None] - found.places[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    nearest = digits.labels[apart.argmin(axis=1)]
    # By chance 10 % of the nearest would have the same label; raw pixels give some 80 %.
    assert (nearest == digits.labels).mean() > 0.6
    assert "t-SNE" in found.method
    assert "seed 0" in found.method
    assert np.array_equal(found.places, map_of(box, digits, seed=0).places)
    with pytest.raises(DataError, match="at least 90 pictures for a map, received 50"):
        map_of(box, digits.take(np.arange(50)), seed=0)


def test_an_explanation_says_what_it_shows(picture):
    (found,) = explain_each(OnePixel(), picture, labels=[9])
    first, second = found.sentences()
    assert (
        first == "The model tells a 4 (80.0%), next a 9 (20.0%); the label says 9, so it is wrong."
    )
    assert "loses 80.0% of probability" in second
    value = json.loads(json.dumps(found.json()))
    assert (value["told"], value["label"]) == (4, 9)
    assert value["most_costly_patch"]["fall"] == pytest.approx(0.8, abs=1e-6)
    assert (found.slopes, found.neighbours) == (None, ())


def test_where_no_patch_matters_it_says_so(linear, small_digits):
    class Sure:
        def predict_proba(self, images):
            return np.tile(np.eye(10, dtype=np.float32)[2], (len(images), 1))

    (found,) = explain_each(Sure(), small_digits.images[:1], labels=[None])
    assert found.sentences()[1].startswith("No single 5x5 patch matters")


def test_neighbours_are_counted_by_what_they_show(linear, small_digits):
    neighbourhood = Neighbourhood(linear, Digits(small_digits.images, small_digits.labels, "some"))
    (found,) = explain_each(
        linear, small_digits.images[:1], labels=[0], box=linear, neighbourhood=neighbourhood
    )
    assert len(found.neighbours) == 8
    assert found.slopes.shape == found.smooth.shape == (28, 28)
    shown = sum(n.label == found.neighbours[0].label for n in found.neighbours)
    assert f"{shown} of digit {found.neighbours[0].label}" in found.sentences()[2]
