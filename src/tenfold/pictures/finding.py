"""Where a small digit is on a large picture whose light is so uneven that light and shade are taken for ink.

Knows nothing about digits' forms or models.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tenfold.pictures.cleaning import EIGHT_NEIGHBOURS, INKED, Ink
from tenfold.pictures.ink import GRAIN_TIMES, LEAST_CONTRAST, Picture, joined_to_rim
from tenfold.pictures.pixels import Box

# Strokes of a small thing are narrower than so many pixels, and it is smaller than this share of the picture.
STROKE, SMALL = 15, 0.4
# Of what differs most, this share is looked at; what is so near to each other is one thing.
MARKED, NEAR = 1 / 3, 2
# What holds so much of the picture's rim is what the paper lies on, and nothing in it is a digit.
RIM_HELD = 0.4
# Light and shade rise within three pixels by less than this share of what a stroke beside them does.
SOFTER = 0.5


def small_thing(picture: Picture, ink: Ink) -> Box | None:
    """The box of what differs most from all around it within a stroke's width, if that is likelier to be the digit.

    Args:
        picture: uint8 (h, w).
        ink: float32 (h, w) in 0..1, what has been taken for the digit; it is believed if it has edges as sharp.
    """
    grey, inked = picture.astype(np.int32), ink >= INKED
    hat = _narrow(grey)
    if hat.max() < max(2 * LEAST_CONTRAST, 2 * GRAIN_TIMES * float(np.median(hat))):
        return None
    rim = np.concatenate([inked[0], inked[-1], inked[1:-1, 0], inked[1:-1, -1]])
    is_desk = rim.mean() >= RIM_HELD
    if is_desk:
        desk = joined_to_rim(inked, EIGHT_NEIGHBOURS)
        hat[ndimage.binary_dilation(desk, EIGHT_NEIGHBOURS, STROKE // 3)] = 0
    marked = hat > MARKED * hat.max()
    labels, count = ndimage.label(ndimage.binary_dilation(marked, EIGHT_NEIGHBOURS, NEAR))
    boxes = ndimage.find_objects(labels)
    masses = np.bincount(labels.ravel(), hat.ravel(), count + 1)[1:]
    for number in np.argsort(-masses):
        rows, columns = boxes[number]
        ends = rows.start, columns.start, len(grey) - rows.stop, grey.shape[1] - columns.stop
        size = max(rows.stop - rows.start, columns.stop - columns.start)
        if min(ends) > 0 and size < SMALL * max(grey.shape):
            found = marked & (labels == number + 1)
            return (rows, columns) if is_desk or _is_softer(grey, inked, found) else None
    return None


def _narrow(grey: NDArray[np.int32]) -> NDArray[np.int32]:
    """How much darker, or else lighter, each pixel is than what is around it within a stroke's width, 0..255."""
    window = (STROKE, STROKE)
    over, under = ndimage.grey_closing(grey, size=window), ndimage.grey_opening(grey, size=window)
    # In the shade ink is as dark a share of the paper as in the light.
    dark, light = 255 * (over - grey) // np.maximum(over, 1), grey - under
    return dark if dark.max() >= light.max() else light


def _is_softer(grey: NDArray[np.int32], inked: NDArray[np.bool_], other: NDArray[np.bool_]) -> bool:
    """Whether the edges of what is taken for ink rise much less steeply than something else does."""
    edge = inked & ~ndimage.binary_erosion(inked, EIGHT_NEIGHBOURS, border_value=1)
    if not edge.any():
        return True
    rise = ndimage.maximum_filter(grey, 3) - ndimage.minimum_filter(grey, 3)
    return bool(np.median(rise[edge]) < SOFTER * np.median(rise[other]))
