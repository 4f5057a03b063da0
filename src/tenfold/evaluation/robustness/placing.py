"""A digit somewhere else: moved, turned, scaled, sheared about the centre of the frame.

Each takes pictures and a number for each of them, or one for all, and is done by one map of places with
bilinear interpolation; beyond the frame there is no ink. Knows nothing about models or chance.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tenfold.augmentation import Warps
from tenfold.digits import Images
from tenfold.scratch.augment import warp

Matrices = NDArray[np.float64]


def moved_by(images: Images, down: ArrayLike, right: ArrayLike) -> Images:
    """images uint8 (n, 28, 28) moved by pixels, one number or (n,) each; what leaves the frame is lost."""
    n = len(images)
    shift = np.stack([np.broadcast_to(down, n), np.broadcast_to(right, n)], axis=1)
    return _placed(images, np.tile(np.eye(2), (n, 1, 1)), shift.astype(np.float64))


def turned(images: Images, degrees: ArrayLike) -> Images:
    """images uint8 (n, 28, 28) turned anticlockwise by degrees, one number or (n,)."""
    angle = np.radians(np.broadcast_to(np.asarray(degrees, np.float64), len(images)))
    cosine, sine = np.cos(angle), np.sin(angle)
    # Rows run downwards: what goes anticlockwise to the eye has a minus at the other sine.
    return _placed(images, _matrices(cosine, -sine, sine, cosine))


def scaled(images: Images, factor: ArrayLike) -> Images:
    """images uint8 (n, 28, 28), the digit factor times as large (factor > 0), one number or (n,)."""
    factors = np.broadcast_to(np.asarray(factor, np.float64), len(images))
    nothing = np.zeros(len(images))
    return _placed(images, _matrices(factors, nothing, nothing, factors))


def sheared(images: Images, angle: ArrayLike) -> Images:
    """images uint8 (n, 28, 28) slanted to the right by angle, in radians, one number or (n,): rows stay as long as they
    are and are moved; so upright lines grow to 1 / cos(angle) of their height, and lean by tan(angle) of the old one."""
    angles = np.broadcast_to(np.asarray(angle, np.float64), len(images))
    one, nothing = np.ones(len(images)), np.zeros(len(images))
    return _placed(images, _matrices(1 / np.cos(angles), nothing, -np.tan(angles), one))


def _matrices(
    rows_of_rows: Matrices, rows_of_columns: Matrices, columns_of_rows: Matrices, columns: Matrices
) -> Matrices:
    return np.stack([rows_of_rows, rows_of_columns, columns_of_rows, columns], axis=1).reshape(
        -1, 2, 2
    )


def _placed(images: Images, forward: Matrices, shift: Matrices | None = None) -> Images:
    """The place (row, column) of the old picture, counted from the centre, goes to forward @ place + shift."""
    if len(images) == 0:
        return images.copy()
    backward = np.linalg.inv(forward)
    back = np.zeros((len(images), 2, 1)) if shift is None else -backward @ shift[:, :, None]
    affine = np.concatenate([backward, back], axis=2).astype(np.float32)
    return warp(images, Warps(affine, None, None, 0)).round().astype(np.uint8)
