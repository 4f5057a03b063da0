"""Canny's edges: where the light changes most, as lines one pixel wide.

Source: Canny 1986, "A computational approach to edge detection". Smoothed by a Gaussian; kept where the
slope is the largest along its own direction, told to the nearest of four; begun above one threshold and
followed above a lower one. Knows nothing about models or chance.
"""

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import Images

SMOOTHING_PIXELS = 1.0
# Change of light a pixel, black to white being 1. Those of MNIST-C are 0.2 and 0.1 of a sum over Sobel's window, which
# is eight times that: a step from black to white, smoothed, has 0.4 a pixel.
BEGIN, FOLLOW = 0.2 / 8, 0.1 / 8

_NEIGHBOURS = ((0, 1), (1, 1), (1, 0), (1, -1))
"""(down, right) along each direction of the slope: 0, 45, 90 and 135 degrees, rows downwards."""


def edges(images: Images) -> NDArray[np.bool_]:
    """images uint8 (n, 28, 28) -> bool (n, 28, 28): the pixels on an edge."""
    from scipy import ndimage

    smooth = ndimage.gaussian_filter(
        images.astype(np.float64) / 255, (0, SMOOTHING_PIXELS, SMOOTHING_PIXELS), mode="nearest"
    )
    down, right = (np.asarray(np.gradient(smooth, axis=axis), np.float64) for axis in (1, 2))
    slope = np.hypot(down, right)
    crest = _is_crest(slope, down, right)
    weak, strong = crest & (slope >= FOLLOW), crest & (slope >= BEGIN)
    touching = np.zeros((3, 3, 3), bool)
    touching[1] = True  # within a picture, corners too; never from one picture to the next
    parts, _ = ndimage.label(weak, touching)
    kept = np.unique(parts[strong])
    return np.isin(parts, kept[kept > 0])


def _is_crest(
    slope: NDArray[np.float64], down: NDArray[np.float64], right: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Where the slope is larger than at the neighbour before, and not smaller than at the one behind."""
    eighths = np.round(np.arctan2(down, right) / (np.pi / 4)).astype(int) % 4
    framed = np.pad(slope, ((0, 0), (1, 1), (1, 1)))
    height, width = slope.shape[1:]
    crest = np.zeros(slope.shape, bool)
    for direction, (r, c) in enumerate(_NEIGHBOURS):
        behind = framed[:, 1 + r : 1 + r + height, 1 + c : 1 + c + width]
        before = framed[:, 1 - r : 1 - r + height, 1 - c : 1 - c + width]
        # Rounding must not decide between two pixels that are equally far from the edge.
        crest |= (eighths == direction) & (slope > before + 1e-9) & (slope >= behind - 1e-9)
    return crest
