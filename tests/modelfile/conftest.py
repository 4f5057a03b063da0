"""Networks with weights that hide nothing: no zero bias, no moving statistic at its start."""

from collections.abc import Callable

import numpy as np
import pytest

from tenfold.digits import Images
from tenfold.layers import BatchNorm, Conv2D, Dense, MaxPool, ReLU, Residual
from tenfold.network import Network
from tenfold.weights import Weights

Draw = Callable[[Network], Weights]


@pytest.fixture(scope="session")
def draw_weights() -> Draw:
    """Network -> weights at random, every array away from its start, variances 0.5..2."""

    def draw(network: Network) -> Weights:
        rng = np.random.default_rng(1)
        weights = {}
        for parameter in network.parameters:
            if parameter.name.endswith("variance"):
                array = rng.uniform(0.5, 2, parameter.shape)
            else:
                fan_in = parameter.size / parameter.shape[-1]
                array = rng.normal(0.1, 1, parameter.shape) / np.sqrt(fan_in)
            weights[parameter.name] = array.astype(np.float32)
        return weights

    return draw


@pytest.fixture(scope="session")
def mixed_network() -> Network:
    """A little of everything, 2,766 numbers."""
    return Network(
        Conv2D(4, 3, 2), BatchNorm(), ReLU(), Residual(Conv2D(4, 2), ReLU()), MaxPool(), Dense(10)
    )


@pytest.fixture(scope="session")
def noise() -> Images:
    """uint8 (5, 28, 28): every grey level occurs."""
    return np.random.default_rng(2).integers(0, 256, (5, 28, 28)).astype(np.uint8)
