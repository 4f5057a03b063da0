"""Weights start as Glorot & Bengio say, belong to their network, and logits become probabilities."""

import math

import numpy as np
import pytest
from sklearn.decomposition import PCA

from tenfold.engine import weights_of
from tenfold.errors import ModelError
from tenfold.layers import BatchNorm, Conv2D, Dense, GlobalAveragePool, ReLU, Whitening
from tenfold.network import Network
from tenfold.randomness import stream
from tenfold.weights import WHITENING_FLOOR, check_weights, initial_weights

NETWORK = Network(Conv2D(16, kernel=5), BatchNorm(), ReLU(), Dense(10))


@pytest.fixture(scope="module")
def noise_images():
    return stream(0, "noise").integers(0, 256, (2000, 28, 28)).astype(np.uint8)


@pytest.mark.parametrize(
    ("network", "name", "inputs", "outputs"),
    [
        (Network(Dense(300), Dense(10)), "dense_1/kernel", 784, 300),
        (Network(Conv2D(64, 5), Conv2D(64, 5), Dense(10)), "conv2d_2/kernel", 25 * 64, 25 * 64),
    ],
)
def test_kernels_follow_the_law_of_glorot_and_bengio(network, name, inputs, outputs):
    """Uniform within sqrt(6 / (inputs + outputs)), so variance 2 / (inputs + outputs) and mean 0.

    The mean of n draws deviates by s / sqrt(n), their variance by s^2 sqrt(0.8 / n) (the fourth moment
    of a uniform law is 1.8 s^4). Five deviations are passed once in two million draws.
    """
    drawn = initial_weights(network, seed=0)[name].astype(float)
    variance = 2 / (inputs + outputs)
    limit = math.sqrt(3 * variance)
    assert 0.999 * limit < np.abs(drawn).max() <= limit * (1 + 1e-7)  # rounded to float32
    assert abs(drawn.mean()) < 5 * math.sqrt(variance / drawn.size)
    assert abs(drawn.var() - variance) < 5 * variance * math.sqrt(0.8 / drawn.size)


def test_what_is_not_a_kernel_starts_at_one_or_nothing():
    weights = initial_weights(NETWORK, seed=0)
    starts = {
        name: set(array.ravel().tolist()) for name, array in weights.items() if "kernel" not in name
    }
    assert starts == {
        "conv2d_1/bias": {0.0},
        "batchnorm_1/gamma": {1.0},
        "batchnorm_1/beta": {0.0},
        "batchnorm_1/moving_mean": {0.0},
        "batchnorm_1/moving_variance": {1.0},
        "dense_1/bias": {0.0},
    }


def test_weights_start_where_they_always_started():
    """As constants: the first numbers of seed 0."""
    first = initial_weights(Network(Dense(10)), 0)["dense_1/kernel"][0, :4]
    assert first.dtype == np.float32
    assert first.tolist() == pytest.approx(
        [-0.08451486, -0.06278421, 0.07776608, -0.01022563], rel=1e-6
    )


def test_a_layer_more_changes_no_other_and_another_seed_changes_all():
    short, long = Network(Dense(8), Dense(10)), Network(Dense(8), Dense(10), Dense(10))
    before, after = initial_weights(short, 3), initial_weights(long, 3)
    assert all(np.array_equal(before[name], after[name]) for name in before)
    other = initial_weights(short, 4)
    assert not any(np.array_equal(before[name], other[name]) for name in before if "kernel" in name)


def test_whitened_patches_have_no_direction_in_which_they_vary_more(noise_images):
    """All components of white noise: their responses are uncorrelated, each of variance 1 (but for the floor)."""
    network = Network(Whitening(18, 3), GlobalAveragePool(), Dense(10))
    kernel = initial_weights(network, 0, noise_images)["whitening_1/kernel"].reshape(9, 18)
    windows = np.lib.stride_tricks.sliding_window_view(noise_images / 255, (3, 3), axis=(1, 2))
    covariance = np.cov(windows.reshape(-1, 9) @ kernel[:, :9], rowvar=False)
    # A variance v becomes v / (v + floor); that of even noise is 1/12.
    assert covariance == pytest.approx(np.eye(9) / (1 + 12 * WHITENING_FLOOR), abs=0.02)


def test_whitening_filters_are_the_largest_components_and_their_negatives(noise_images):
    stripes = noise_images.copy()
    stripes[:, ::2] //= 8  # dark rows: patches vary most in what their bright rows hold
    kernel = initial_weights(Network(Whitening(4, 3), Dense(10)), 0, stripes)["whitening_1/kernel"]
    plus, minus = np.split(kernel.reshape(9, 4), 2, axis=1)
    assert np.array_equal(plus, -minus)
    assert plus.T @ plus / np.linalg.norm(plus, axis=0) ** 2 == pytest.approx(np.eye(2), abs=1e-5)
    windows = np.lib.stride_tricks.sliding_window_view(stripes / 255, (3, 3), axis=(1, 2))
    every_third = windows[:, ::3, ::3].reshape(-1, 9)
    largest = PCA(2).fit(every_third).components_
    assert np.abs(largest @ plus / np.linalg.norm(plus, axis=0)) == pytest.approx(
        np.eye(2), abs=0.1
    )


def test_a_whitening_needs_images():
    with pytest.raises(ModelError, match="expected training images, .* received none"):
        initial_weights(Network(Whitening(4, 3), Dense(10)), 0)


def test_weights_in_any_order_are_given_back_in_the_order_of_the_plan():
    weights = initial_weights(NETWORK, 0)
    shuffled = dict(reversed(weights.items()))
    assert list(check_weights(NETWORK, shuffled)) == [p.name for p in NETWORK.parameters]


def broken(name: str, array: np.ndarray | None) -> dict[str, np.ndarray]:
    weights = initial_weights(NETWORK, 0) | {name: array}
    return {name: array for name, array in weights.items() if array is not None}


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        ({}, "missing: .*'conv2d_1/bias'"),
        (broken("dense_1/bias", None), r"missing: \['dense_1/bias'\]; unknown: none"),
        (
            broken("dense_2/bias", np.zeros(10, np.float32)),
            r"missing: none; unknown: \['dense_2/bias'\]",
        ),
        (
            broken("dense_1/bias", np.zeros(11, np.float32)),
            r"float32 \(10,\), received float32 \(11,\)",
        ),
        (broken("dense_1/bias", np.zeros(10)), r"received float64 \(10,\)"),
        (broken("dense_1/bias", np.full(10, np.nan, np.float32)), "dense_1/bias holds NaN"),
        (broken("dense_1/bias", np.full(10, np.inf, np.float32)), "smaller learning rate"),
    ],
)
def test_weights_of_another_network_are_refused(weights, sentence):
    with pytest.raises(ModelError, match=sentence):
        check_weights(NETWORK, weights)


def test_the_weights_of_a_state_are_those_that_stand_under_weights():
    state = {
        "weights/dense_1/kernel": np.ones((2, 3), np.float32),
        "first_moment/dense_1/kernel": np.zeros((2, 3), np.float32),
        "step": np.array(5),
    }
    assert list(weights_of(state)) == ["dense_1/kernel"]
    assert weights_of(state)["dense_1/kernel"].tolist() == [[1, 1, 1], [1, 1, 1]]
