"""The arrays of a network: how they start, and the check that they belong to it.

Both engines start from `initial_weights`, so the same seed starts both from the same numbers.
"""

import math

import numpy as np
from numpy.typing import NDArray

from tenfold.errors import ModelError
from tenfold.layers import Parameter
from tenfold.network import Network
from tenfold.randomness import stream

Weights = dict[str, NDArray[np.float32]]
"""Every array of a network under its full name ("dense_1/kernel"), in the order of the plan."""


def initial_weights(network: Network, seed: int) -> Weights:
    """Kernels by Glorot & Bengio 2010 (uniform, as Keras does), gains 1, everything else 0.

    Each array has a stream of its own, so adding a layer at the end changes no other.
    """
    return {p.name: _initial(p, seed) for p in network.parameters}


def _initial(parameter: Parameter, seed: int) -> NDArray[np.float32]:
    if parameter.initial != "glorot_uniform":
        return np.full(parameter.shape, float(parameter.initial == "ones"), np.float32)
    *window, fan_in, fan_out = parameter.shape
    limit = math.sqrt(6 / (math.prod(window) * (fan_in + fan_out)))
    draw = stream(seed, "weights", parameter.name).uniform(-limit, limit, parameter.shape)
    return draw.astype(np.float32)


def check_weights(network: Network, weights: Weights) -> Weights:
    """The weights in the order of the plan, float32; ModelError where they do not belong to `network`."""
    expected = {p.name: p.shape for p in network.parameters}
    if weights.keys() != expected.keys():
        missing, extra = expected.keys() - weights.keys(), weights.keys() - expected.keys()
        raise ModelError(
            f"weights: expected the arrays of the network, received others (missing: "
            f"{sorted(missing) or 'none'}; unknown: {sorted(extra) or 'none'})."
        )
    for name, shape in expected.items():
        array = weights[name]
        if array.shape != shape or array.dtype != np.float32:
            raise ModelError(
                f"weights: expected {name} to be float32 {shape}, received {array.dtype} {array.shape}."
            )
        if not np.isfinite(array).all():
            raise ModelError(
                f"weights: {name} holds NaN or infinite values: the training diverged. "
                "Train with a smaller learning rate."
            )
    return {name: weights[name] for name in expected}
