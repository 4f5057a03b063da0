"""Every gradient against two laws: central differences, and the order of Taylor's remainder."""

import numpy as np
import pytest

from tenfold.digits import Images
from tenfold.layers import (
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool,
    MaxPool,
    ReLU,
    Residual,
)
from tenfold.network import Network
from tenfold.randomness import stream
from tenfold.scratch.gradcheck import central_differences, taylor_slope
from tenfold.scratch.losses import cross_entropy, cross_entropy_gradient
from tenfold.scratch.network import ScratchNetwork
from tenfold.weights import initial_weights

LAYERS = {
    "dense": (Dense(3), (4,)),
    "dense without bias": (Dense(3, bias=False), (4,)),
    "relu": (ReLU(), (6,)),
    "dropout": (Dropout(0.4), (6,)),
    "flatten": (Flatten(), (2, 3, 2)),
    "conv": (Conv2D(3), (4, 5, 2)),
    "conv without bias": (Conv2D(2, bias=False), (4, 5, 1)),
    "conv of one pixel": (Conv2D(3, kernel=1), (3, 2, 2)),
    "conv valid": (Conv2D(2, padding="valid"), (4, 5, 2)),
    "conv even kernel": (Conv2D(2, kernel=2), (4, 5, 2)),
    "conv stride 2": (Conv2D(2, stride=2), (4, 5, 2)),
    "conv stride 2, even kernel": (Conv2D(2, kernel=4, stride=2), (6, 7, 1)),
    "conv stride 2, valid": (Conv2D(2, stride=2, padding="valid"), (6, 5, 1)),
    "conv stride beyond its kernel": (Conv2D(2, kernel=2, stride=3), (7, 5, 1)),
    "conv wider than the picture": (Conv2D(2, kernel=5), (2, 3, 1)),
    "pool": (MaxPool(2), (4, 4, 2)),
    "pool with a remainder": (MaxPool(3), (5, 7, 2)),
    "global average": (GlobalAveragePool(), (3, 4, 2)),
    "batch norm": (BatchNorm(), (4,)),
    "batch norm of pictures": (BatchNorm(), (3, 2, 2)),
    "residual": (Residual(Dense(4), ReLU(), Dense(4)), (4,)),
    "residual in a residual": (
        Residual(Conv2D(2), Residual(BatchNorm(), ReLU(), Conv2D(2, kernel=2)), Dropout(0.3)),
        (3, 4, 2),
    ),
}


@pytest.mark.parametrize("kind", LAYERS)
def test_gradient_of_a_layer(alone, kind):
    """Of half the sum of squares of what it gives, with respect to what it is given and what it learns."""
    layer, shape = LAYERS[kind]
    layer, weights, gradients = alone(layer, shape)
    x = stream(0, "x").standard_normal((3, *shape))
    arrays = [x, *(weights[name] for name in gradients)]
    at = np.concatenate([array.ravel() for array in arrays])

    def output(vector):
        ends = np.cumsum([array.size for array in arrays])
        for array, part in zip(arrays, np.split(vector, ends[:-1]), strict=True):
            array[...] = part.reshape(array.shape)
        layer.start_epoch(0, 0)
        return layer.forward(x)

    def loss(vector):
        return float(np.sum(output(vector) ** 2)) / 2

    dz = output(at)
    layer.learn(dz)
    parts = [layer.backward(dz), *gradients.values()]
    gradient = np.concatenate([np.ravel(part) for part in parts])

    # A central difference is right to about 1e-9 of the loss.
    assert np.allclose(gradient, central_differences(loss, at), rtol=0, atol=1e-8 * loss(at))
    assert taylor_slope(loss, at, gradient, rng=stream(0, "direction")) > 1.9


def loss_of(network: ScratchNetwork, images: Images, targets):
    def loss(vector):
        network.parameters[...] = vector
        network.start_epoch(0, 0)
        return float(cross_entropy(network.forward(images), targets).mean())

    return loss


NETWORKS = {
    "dense": Network(Dense(8), ReLU(), Dense(10)),
    "one layer": Network(Dense(10)),
    "nothing to learn in front": Network(MaxPool(4), ReLU(), Dense(10)),
    "a residual in front": Network(Residual(Conv2D(1), ReLU()), MaxPool(7), Dense(10)),
    "all kinds": Network(
        Conv2D(3, kernel=5, stride=2, bias=False),
        BatchNorm(),
        ReLU(),
        MaxPool(2),
        Residual(Conv2D(3), BatchNorm(), ReLU(), Residual(Conv2D(3, kernel=2), Dropout(0.2))),
        Conv2D(4, padding="valid"),
        GlobalAveragePool(),
        Dropout(0.2),
        Dense(10),
    ),
}


@pytest.mark.parametrize("kind", NETWORKS)
def test_gradient_of_a_whole_network(small_digits, kind):
    weights = initial_weights(NETWORKS[kind], seed=1)
    network = ScratchNetwork(NETWORKS[kind], {k: w.astype(float) for k, w in weights.items()})
    # Biases start at 0, and there black pixels put every ReLU exactly at its kink.
    network.parameters += stream(0, "away").uniform(0, 0.1, network.parameters.shape)
    images, targets = small_digits.images[:6], np.eye(10, dtype=np.float32)[small_digits.labels[:6]]
    loss, at = loss_of(network, images, targets), network.parameters.copy()

    network.start_epoch(0, 0)
    network.backward(cross_entropy_gradient(network.forward(images), targets))
    gradient = network.gradient.copy()

    assert taylor_slope(loss, at, gradient, rng=stream(0, "direction")) > 1.9
    # 1 % too much must be seen, or the line above says nothing.
    assert taylor_slope(loss, at, 1.01 * gradient, rng=stream(0, "direction")) < 1.9


def test_gradient_of_the_loss_with_respect_to_logits():
    logits = stream(0, "logits").standard_normal((4, 10)) * 3
    targets = np.eye(10, dtype=np.float32)[np.array([0, 3, 9, 3], np.uint8)]

    def loss(vector):
        return float(cross_entropy(vector.reshape(4, 10), targets).mean())

    gradient = cross_entropy_gradient(logits, targets).ravel()
    assert np.allclose(gradient, central_differences(loss, logits.ravel()), rtol=0, atol=1e-9)
    assert taylor_slope(loss, logits.ravel(), gradient, rng=stream(0, "direction")) > 1.9
