"""The two proofs, on functions whose gradients stand in every table, and on planted faults."""

import numpy as np
import pytest

from tenfold.randomness import stream
from tenfold.scratch.gradcheck import central_differences, taylor_slope

AT = stream(0, "at").uniform(0.5, 2.0, 12)


def loss(vector):
    return float(np.sum(np.exp(vector) + vector**3))


TRUE = np.exp(AT) + 3 * AT**2


def test_central_differences_find_the_derivative_of_exp_and_of_a_cube():
    # The loss is about 100, and a difference is right to 1e-9 of it.
    assert np.allclose(central_differences(loss, AT), TRUE, rtol=0, atol=1e-7)


@pytest.mark.parametrize("direction", range(5))
def test_a_right_gradient_leaves_a_second_order_remainder(direction):
    slope = taylor_slope(loss, AT, TRUE, rng=stream(direction, "direction"))
    # The next term, in h^3, bends the line by less than h = 0.01 times a ratio of derivatives near 1.
    assert abs(slope - 2) < 0.05


@pytest.mark.parametrize("direction", range(5))
def test_a_gradient_1_percent_too_large_is_found_out(direction):
    assert taylor_slope(loss, AT, 1.01 * TRUE, rng=stream(direction, "direction")) < 1.9


def test_one_wrong_number_among_twelve_is_found_out():
    wrong = TRUE.copy()
    wrong[7] *= 1.01
    assert not np.allclose(central_differences(loss, AT), wrong, rtol=1e-3)
    assert taylor_slope(loss, AT, wrong, rng=stream(0, "direction")) < 1.9
