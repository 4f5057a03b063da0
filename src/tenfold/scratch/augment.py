"""Warps applied to pictures in NumPy; what is decided for each image stands in `tenfold.augmentation`."""

import numpy as np
from numpy.typing import NDArray

from tenfold.augmentation import CENTRE, MOST_INK_CUT, Warps, bend_basis, pixel_places
from tenfold.digits import SIDE, Images

# A frame of blank pixels, so that each of the four neighbours of a place beyond the edge exists.
FRAMED = SIDE + 2

_PLACES, _BASIS = pixel_places(), bend_basis()


def warp(images: Images, warps: Warps) -> NDArray[np.float32]:
    """Images uint8 (n, 28, 28), warps of as many images -> float32 (n, 28, 28), 0..255."""
    places = warps.affine @ _PLACES
    if warps.bends is not None:
        places += warps.bends @ _BASIS
    places += np.float32(CENTRE)
    values = _bilinear(images, places)
    if warps.patches is not None:
        values = _cut(values, warps.patches, warps.patch_side)
    return values.reshape(-1, SIDE, SIDE)


def taken(warps: Warps, rows: NDArray[np.int32]) -> Warps:
    """The warps of the images at `rows`."""
    affine, bends, patches, side = warps
    return Warps(
        affine[rows],
        bends if bends is None else bends[rows],
        patches if patches is None else patches[rows],
        side,
    )


def _bilinear(images: Images, places: NDArray[np.float32]) -> NDArray[np.float32]:
    """The value of each image at its (n, 2, 784) places, rows and columns from the corner -> (n, 784)

    (1 - r)(1 - c) upper left + (1 - r) c upper right + r (1 - c) lower left + r c lower right
    """
    # Where nothing is to be seen, how far beyond the edge a place lies makes no difference.
    np.clip(places, -1, SIDE, out=places)
    corner = np.minimum(np.floor(places), SIDE - 1)
    places -= corner
    r, c = places[:, 0], places[:, 1]
    framed = np.zeros((len(images), FRAMED, FRAMED), np.float32)
    framed[:, 1:-1, 1:-1] = images
    pixels = framed.ravel()
    row, column = (corner.astype(np.int32) + 1).transpose(1, 0, 2)
    at = row * FRAMED + column + np.arange(len(images), dtype=np.int32)[:, None] * FRAMED**2
    left = pixels.take(at) * (1 - r) + pixels.take(at + FRAMED) * r
    right = pixels.take(at + 1) * (1 - r) + pixels.take(at + FRAMED + 1) * r
    values: NDArray[np.float32] = left + c * (right - left)
    return values


def _cut(
    values: NDArray[np.float32], patches: NDArray[np.float32], side: int
) -> NDArray[np.float32]:
    """(n, 784) values with the patch at each of (n, 2) blanked, where that leaves enough ink."""
    rows, columns = np.indices((SIDE, SIDE)).reshape(2, 1, -1)
    down, right = rows - patches[:, :1], columns - patches[:, 1:]
    inside = (down >= 0) & (down < side) & (right >= 0) & (right < side)
    left = np.where(inside, np.float32(0), values)
    enough = left.sum(axis=1) >= (1 - MOST_INK_CUT) * values.sum(axis=1)
    return np.where(enough[:, None], left, values)
