"""A network is one vector, and its layers are views into it."""

import numpy as np
import pytest

from tenfold.layers import BatchNorm, Dense, MaxPool, ReLU
from tenfold.network import Network
from tenfold.scratch.network import ScratchNetwork
from tenfold.weights import initial_weights

SMALL = Network(MaxPool(7), BatchNorm(), Dense(3), ReLU(), Dense(10))


@pytest.fixture
def network():
    return ScratchNetwork(SMALL, initial_weights(SMALL, 0))


def test_the_vector_holds_what_is_trained_in_the_order_of_the_plan(network):
    # BatchNorm: gamma and beta of one channel; 16 inputs to 3 units; 3 to 10.
    assert network.parameters.shape == (2 + 16 * 3 + 3 + 3 * 10 + 10,)
    names = [p.name for p in SMALL.parameters if p.trainable]
    flat = np.concatenate([network.weights[name].ravel() for name in names])
    assert np.array_equal(network.parameters, flat)


def test_moving_the_vector_moves_the_layers(network, small_digits):
    network.parameters[...] = 0
    network.weights["dense_2/bias"][...] = np.arange(10)
    # With all kernels 0, only the last bias reaches the logits.
    assert np.array_equal(network.use(small_digits.images[:2]), [np.arange(10)] * 2)


def test_the_weights_it_was_given_stay_as_they_were(small_digits):
    weights = initial_weights(SMALL, 0)
    network = ScratchNetwork(SMALL, weights)
    network.parameters += 1
    network.forward(small_digits.images[:8])
    again = initial_weights(SMALL, 0)
    assert all(np.array_equal(weights[name], again[name]) for name in again)


def test_it_computes_in_the_dtype_of_its_weights(small_digits):
    images = small_digits.images[:4]
    single = ScratchNetwork(SMALL, initial_weights(SMALL, 0))
    weights = {name: array.astype(float) for name, array in initial_weights(SMALL, 0).items()}
    double = ScratchNetwork(SMALL, weights)
    for network, dtype in ((single, np.float32), (double, np.float64)):
        logits = network.forward(images)
        network.backward(np.ones_like(logits))
        assert (logits.dtype, network.gradient.dtype) == (dtype, dtype)
    # 2^-24 for each of a few hundred operations on numbers near 1.
    assert np.allclose(single.gradient, double.gradient, rtol=1e-4, atol=1e-4)


def test_pixels_enter_as_0_to_1():
    network = ScratchNetwork(Network(Dense(10)), initial_weights(Network(Dense(10)), 0))
    # Every logit is the pixel of row 2, column 3.
    network.weights["dense_1/kernel"][...] = 0
    network.weights["dense_1/kernel"][2 * 28 + 3] = 1
    images = np.zeros((3, 28, 28), np.uint8)
    images[:, 2, 3] = 0, 51, 255
    # 1/255 and its product are each rounded to 24 bits.
    assert np.allclose(network.use(images), [[0] * 10, [0.2] * 10, [1] * 10], rtol=2e-7)
