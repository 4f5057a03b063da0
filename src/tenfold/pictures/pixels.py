"""Pixels as Pillow's images and back, and the box of those that are marked. Knows nothing about what they show."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Box = tuple[slice, slice]

_MARK = b"\x01"


def image_of(pixels: Pixels) -> Image.Image:
    """uint8 (h, w) -> Pillow's image of it, which may be the same memory."""
    # As `Image.fromarray` does it, which first asks what kind of array it is, at half the cost of a small one.
    height, width = pixels.shape
    pixels = np.ascontiguousarray(pixels)
    return Image.frombuffer("L", (width, height), pixels, "raw", "L", 0, 1)


def pixels_of(image: Image.Image) -> Pixels:
    """An image in mode L -> uint8 (h, w), read only."""
    return np.frombuffer(image.tobytes(), np.uint8).reshape(image.height, image.width)


def box_of_marks(marks: NDArray[np.bool_]) -> Box | None:
    """The rows and columns that hold the marks of bool (h, w), or None where there are none."""
    # Bytes are searched from either end faster than an array is.
    whole, width = marks.tobytes(), marks.shape[1]
    if _MARK not in whole:
        return None
    rows = slice(whole.find(_MARK) // width, whole.rfind(_MARK) // width + 1)
    columns = marks[rows].any(axis=0).tobytes()
    return rows, slice(columns.find(_MARK), columns.rfind(_MARK) + 1)
