"""The ink of one digit -> the 28x28 picture MNIST would have made of it.

Source: LeCun et al. 1998, section III-A (20x20 box, aspect kept, anti-aliased; centre of mass at the
centre of 28x28). Knows nothing about files, paper or light.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tenfold.digits import SIDE

BOX_PIXELS = 20


def frame(ink: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Ink of ONE digit float32 (h, w) in 0..1 -> uint8 (28, 28); no ink gives all 0."""
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    rows, columns = np.nonzero(ink.max(axis=1) > 0.5)[0], np.nonzero(ink.max(axis=0) > 0.5)[0]
    if not len(rows):
        return canvas
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = BOX_PIXELS / max(cut.shape)
    size = [max(1, round(scale * side)) for side in cut.shape]
    shrunk = np.asarray(
        Image.fromarray(cut).resize(
            (size[1], size[0]), Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
        )
    )
    shrunk = np.clip(shrunk, 0, 1)
    mass = shrunk.sum()
    at = []
    for axis in (0, 1):
        centre = (shrunk.sum(axis=1 - axis) * np.arange(shrunk.shape[axis])).sum() / mass
        start = round(SIDE / 2 - centre - 0.5)
        at.append(min(max(start, 0), SIDE - shrunk.shape[axis]))
    canvas[at[0] : at[0] + size[0], at[1] : at[1] + size[1]] = np.rint(255 * shrunk)
    return canvas
