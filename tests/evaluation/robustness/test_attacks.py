"""Attacks on a linear model, whose worst case is known in closed form; and laws that any attack keeps."""

import numpy as np
import pytest

from tenfold.evaluation.robustness.attacks import fgsm, pgd, reach
from tenfold.evaluation.whitebox import WhiteBox
from tenfold.layers import Conv2D, Dense, ReLU
from tenfold.network import Network
from tenfold.randomness import stream
from tenfold.weights import Member, initial_weights

LINEAR = Network(Dense(10))


def linear():
    """Only digits 0 and 1 have a chance: logits w_0 x and w_1 x, all others 80 below."""
    weights = initial_weights(LINEAR, 0)
    weights["dense_1/kernel"][:, 2:] = 0
    weights["dense_1/bias"][2:] = -80
    return Member(LINEAR, weights)


def margin(images):
    kernel = linear().weights["dense_1/kernel"].astype(float)
    return images.reshape(len(images), -1) / 255 @ (kernel[:, 0] - kernel[:, 1])


def test_both_attacks_reach_the_worst_case_of_a_linear_model():
    # Grey enough that nothing within reach is cut off at black or white.
    images = stream(0, "grey").integers(100, 156, (5, 28, 28)).astype(np.uint8)
    labels = np.zeros(5, np.uint8)
    kernel = linear().weights["dense_1/kernel"].astype(float)
    # eps |w_0 - w_1|_1 is the most that the margin can lose; 0.2 is 51 steps of 255.
    worst = margin(images) - 51 / 255 * np.abs(kernel[:, 0] - kernel[:, 1]).sum()
    box = WhiteBox([linear()])
    for attacked in (
        fgsm(box, images, labels, eps=0.2),
        pgd(box, images, labels, eps=0.2, chance=stream(0, "start")),
    ):
        assert margin(attacked) == pytest.approx(worst, rel=1e-9)


@pytest.fixture(scope="module")
def box():
    network = Network(Conv2D(4, stride=3), ReLU(), Dense(10))
    return WhiteBox([Member(network, initial_weights(network, s)) for s in (0, 1)])


@pytest.mark.parametrize("eps", [0.0, 0.05, 0.3, 1.0])
def test_no_pixel_goes_further_than_allowed(box, eps, small_digits):
    images, labels = small_digits.images[:40], small_digits.labels[:40]
    for attacked in (
        fgsm(box, images, labels, eps=eps),
        pgd(box, images, labels, eps=eps, chance=stream(0, "x"), steps=5),
    ):
        assert (attacked.shape, attacked.dtype) == (images.shape, np.uint8)
        assert np.abs(attacked.astype(int) - images).max() <= eps * 255
        assert (eps > 0) == (attacked != images).any()


def test_eps_is_rounded_down_to_whole_steps():
    assert [reach(eps) for eps in (0.0, 0.1, 0.2, 0.3, 1.0)] == [0, 25, 51, 76, 255]


def test_steps_raise_the_loss_more_than_the_start_does(box, small_digits):
    images, labels = small_digits.images[:100], small_digits.labels[:100]

    def loss(attacked):
        return -np.log(box.predict_proba(attacked)[np.arange(100), labels]).mean()

    start = pgd(box, images, labels, eps=0.1, chance=stream(0, "x"), steps=1)
    far = pgd(box, images, labels, eps=0.1, chance=stream(0, "x"), steps=20)
    assert loss(far) > loss(images)
    assert loss(far) >= loss(start) - 1e-3


def test_a_seed_decides_the_attack(box, small_digits):
    images, labels = small_digits.images[:10], small_digits.labels[:10]
    first, again, other = (
        pgd(box, images, labels, eps=0.1, chance=stream(s, "x"), steps=3) for s in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
