"""The arrays of a network: how they start, and the check that they belong to it.

Both engines start from `initial_weights`, so the same seed starts both from the same numbers.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tenfold.digits import Images
from tenfold.errors import ModelError
from tenfold.layers import Parameter, Shape
from tenfold.network import PIXEL_SCALE, Network
from tenfold.randomness import stream

Weights = dict[str, NDArray[np.float32]]
"""Every array of a network under its full name ("dense_1/kernel"), in the order of the plan."""

# Half a million patches give 25 by 25 covariances to a fraction of a percent.
WHITENING_IMAGES = 5000
# Added to a variance before it divides, in squared pixel values (0..1): a component that patches
# hardly have is not blown up into noise (Jordan 2024 has 5e-4 for colour pictures).
WHITENING_FLOOR = 5e-3


class Member(NamedTuple):
    """A network and its weights: a model, or one of several that answer together."""

    network: Network
    weights: Weights


def initial_weights(network: Network, seed: int, images: Images | None = None) -> Weights:
    """Kernels by Glorot & Bengio 2010 (uniform, as Keras does), gains 1, everything else 0.

    Each array has a stream of its own, so adding a layer at the end changes no other. A network with
    a Whitening needs the training images, uint8 (n, 28, 28); ModelError without them.
    """
    return {p.name: _initial(p, seed, images) for p in network.parameters}


def _initial(parameter: Parameter, seed: int, images: Images | None) -> NDArray[np.float32]:
    match parameter.initial:
        case "zeros" | "ones":
            return np.full(parameter.shape, float(parameter.initial == "ones"), np.float32)
        case "glorot_uniform":
            *window, fan_in, fan_out = parameter.shape
            limit = math.sqrt(6 / (math.prod(window) * (fan_in + fan_out)))
            draw = stream(seed, "weights", parameter.name).uniform(-limit, limit, parameter.shape)
            return draw.astype(np.float32)
        case "whitening":
            if images is None:
                raise ModelError(
                    f"{parameter.name}: expected training images, whose patches its filters are made from, "
                    "received none."
                )
            return _whitening(parameter.shape, images, stream(seed, "weights", parameter.name))


def _whitening(shape: Shape, images: Images, chance: np.random.Generator) -> NDArray[np.float32]:
    """Kernels (k, k, 1, 2 c): the c largest principal components of patches, over their deviations, and
    the same negated."""
    side, filters = shape[0], shape[-1]
    some = images[chance.integers(len(images), size=WHITENING_IMAGES)].astype(np.float32)
    windows = sliding_window_view(some * np.float32(PIXEL_SCALE), (side, side), axis=(1, 2))
    # Every third place: the same patch one pixel further on says little that is new.
    rows = windows[:, ::3, ::3].reshape(-1, side**2)
    variances, directions = np.linalg.eigh(np.cov(rows, rowvar=False).reshape(side**2, side**2))
    largest = np.argsort(-variances)[: filters // 2]
    components = directions[:, largest] / np.sqrt(variances[largest] + WHITENING_FLOOR)
    # Which of v and -v is called the component is the linear algebra library's choice, not ours.
    components *= np.sign(components[np.abs(components).argmax(axis=0), range(len(largest))])
    return np.hstack([components, -components]).reshape(shape).astype(np.float32)


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
