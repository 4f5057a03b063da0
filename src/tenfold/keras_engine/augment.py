"""Warps applied to pictures, with Keras's operations: the same on every backend.

`tenfold.augmentation` has decided what happens to each image; this only carries it out.
"""

from typing import Any

import numpy as np
from keras import ops

from tenfold.augmentation import CENTRE, MOST_INK_CUT, Warps, bend_basis, pixel_places
from tenfold.digits import SIDE

# A frame of blank pixels, so that each of the four neighbours of a place beyond the edge exists.
FRAMED = SIDE + 2


def warp(pictures: Any, warps: Warps) -> Any:
    """Pictures (b, 28, 28, 1) of any dtype, warps of as many images -> float32 (b, 28, 28, 1)."""
    places = ops.matmul(warps.affine, pixel_places())
    if warps.bends is not None:
        places = places + ops.matmul(warps.bends, bend_basis())
    values = _bilinear(pictures, places + CENTRE)
    if warps.patches is not None:
        values = _cut(values, warps.patches, warps.patch_side)
    return ops.reshape(values, (-1, SIDE, SIDE, 1))


def _bilinear(pictures: Any, places: Any) -> Any:
    """The value of each picture at its (b, 2, 784) places, rows and columns from the corner -> (b, 784)."""
    # Where nothing is to be seen, how far beyond the edge a place lies makes no difference.
    places = ops.clip(places, -1.0, float(SIDE))
    corner = ops.minimum(ops.floor(places), SIDE - 1.0)
    part = places - corner
    low = 1 - part
    framed = ops.pad(pictures, ((0, 0), (1, 1), (1, 1), (0, 0)))
    pixels = ops.reshape(framed, (-1,))
    first = ops.expand_dims(ops.arange(framed.shape[0], dtype="int32") * FRAMED**2, 1)
    corner = ops.cast(corner, "int32") + 1
    at = first + corner[:, 0] * FRAMED + corner[:, 1]
    upper_left, upper_right, lower_left, lower_right = (
        ops.cast(ops.take(pixels, at + step), "float32") for step in (0, 1, FRAMED, FRAMED + 1)
    )
    upper = low[:, 1] * upper_left + part[:, 1] * upper_right
    lower = low[:, 1] * lower_left + part[:, 1] * lower_right
    return low[:, 0] * upper + part[:, 0] * lower


def _cut(values: Any, patches: Any, side: int) -> Any:
    """(b, 784) values with the patch at each of (b, 2) blanked, where that leaves enough ink."""
    rows, columns = np.indices((SIDE, SIDE)).reshape(2, 1, -1).astype(np.float32)
    # An array of NumPy's cannot itself subtract one of PyTorch's.
    down, right = ops.subtract(rows, patches[:, :1]), ops.subtract(columns, patches[:, 1:])
    inside = (down >= 0) & (down < side) & (right >= 0) & (right < side)
    left = ops.where(inside, 0.0, values)
    enough = ops.sum(left, axis=1, keepdims=True) >= (1 - MOST_INK_CUT) * ops.sum(
        values, axis=1, keepdims=True
    )
    return ops.where(enough, left, values)
