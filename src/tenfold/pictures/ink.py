"""Pixels of any picture -> how much ink is on each: transparency, polarity, uneven light.

Knows nothing about digits, sizes or models.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tenfold.errors import DataError

Picture = NDArray[np.uint8]
Ink = NDArray[np.float32]

LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def check_picture(picture: Picture) -> Picture:
    """A uint8 array (h, w), (h, w, 3) or (h, w, 4) with at least one pixel, or DataError."""
    array = np.asarray(picture)
    shaped = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    if array.dtype != np.uint8 or not shaped or array.size == 0:
        raise DataError(
            "picture: expected uint8 of shape (h, w), (h, w, 3) or (h, w, 4), received "
            f"{array.dtype} {array.shape}. Use `tenfold.pictures.decode` for the bytes of a file."
        )
    return array


def grey_of(picture: Picture) -> Ink:
    """A picture -> brightness float32 (h, w) 0..255; what is transparent lies on white."""
    if picture.ndim == 2:
        return picture.astype(np.float32)
    grey = picture[..., :3] @ LUMA
    if picture.shape[2] == 4:
        opacity = picture[..., 3] / np.float32(255)
        grey = grey * opacity + 255 * (1 - opacity)
    return grey.astype(np.float32)


def ink_of(picture: Picture) -> Ink:
    """uint8 (h, w), (h, w, 3) or (h, w, 4) -> ink float32 (h, w) in 0..1, 0 where there is only paper."""
    grey = grey_of(check_picture(picture))
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    if np.median(border) > grey.mean():
        grey = 255 - grey
    size = max(3, max(grey.shape) // 2)
    if max(grey.shape) > 64:
        step = -(-max(grey.shape) // 64)
        small = grey[::step, ::step]
        paper = ndimage.uniform_filter(ndimage.grey_opening(small, 15), 15)
        rows = np.minimum(np.arange(grey.shape[0]) // step, len(small) - 1)
        columns = np.minimum(np.arange(grey.shape[1]) // step, small.shape[1] - 1)
        grey = np.maximum(grey - paper[np.ix_(rows, columns)], 0)
    else:
        grey = np.maximum(grey - np.median(np.sort(grey, axis=None)[: size * 4]), 0)
    peak = np.percentile(grey, 99.5)
    if peak < 12:
        return np.zeros_like(grey)
    low, high = 0.25 * peak, 0.75 * peak
    return np.clip((grey - low) / (high - low), 0, 1).astype(np.float32)
