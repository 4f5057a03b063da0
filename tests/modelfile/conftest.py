"""A network whose weights hide nothing (no bias at 0, no statistic at its start), and a folder of it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tenfold.digits import Images
from tenfold.layers import BatchNorm, Conv2D, Dense, MaxPool, ReLU, Residual
from tenfold.modelfile import Model, save_model
from tenfold.network import Network
from tenfold.weights import Member, Weights

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


@pytest.fixture(scope="session")
def pristine(
    tmp_path_factory: pytest.TempPathFactory, mixed_network: Network, draw_weights: Draw
) -> Path:
    """A model folder, for reading."""
    folder = tmp_path_factory.mktemp("pristine") / "model"
    about = {"recipe": "mixed", "seed": 2**63 - 1}
    trained_on = np.array([2**64 - 1, 7, 2**40, 7], np.uint64)
    member = Member(mixed_network, draw_weights(mixed_network))
    save_model(folder, Model((member,), trained_on, about))
    return folder


@pytest.fixture
def folder(pristine: Path, tmp_path: Path) -> Path:
    """A copy of it, for damaging."""
    return Path(shutil.copytree(pristine, tmp_path / "model"))
