"""Frames, circles and ovals drawn around what is written: taken away, so that only the writing is left.

Knows nothing about digits, their sizes or lines.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tenfold.pictures.cleaning import FRAME_STRIP, FRAMED_SIDE, is_hollow, run_lengths
from tenfold.reading.ink import Mask
from tenfold.reading.rulings import EVERYWHERE

# A box in which something touches a side has four sides that are seen along this share of each, and what is inside
# is no line from side to side.
SIDE_SEEN, ACROSS = 0.9, 0.85


def without_frames(mask: Mask) -> Mask:
    """The pixels that hold ink, bool (h, w), without those of frames."""
    labels, _ = ndimage.label(mask, EVERYWHERE)
    boxes = ndimage.find_objects(labels)
    ends = np.array(
        [(rows.start, columns.start, rows.stop, columns.stop) for rows, columns in boxes]
    )
    kept = mask.copy()
    for number, box in enumerate(boxes):
        own = labels[box] == number + 1
        if _holds_another(ends, number) and is_hollow(own):
            kept[box] &= ~own
        else:
            kept[box] &= ~_sides_around(own)
    return kept


def _holds_another(ends: NDArray[np.intp], number: int) -> bool:
    """Whether in one of the boxes (n, 4) lies another that is no dash beside it."""
    top, left, bottom, right = ends[number]
    inside = (ends[:, :2] > (top, left)).all(axis=1) & (ends[:, 2:] < (bottom, right)).all(axis=1)
    tall = ends[:, 2] - ends[:, 0] >= FRAMED_SIDE * (bottom - top)
    return bool((inside & tall).any())


def _sides_around(own: Mask) -> Mask:
    """The four sides of the box that a piece, cut out bool (h, w), begins at, if it has them and something hangs on them."""
    sides = np.zeros_like(own)
    for turns in range(4):
        piece = np.rot90(own, turns)
        first = piece.argmax(axis=0)
        seen = piece.any(axis=0) & (first <= FRAME_STRIP * len(piece))
        if seen.mean() < SIDE_SEEN:
            return np.zeros_like(own)
        runs = run_lengths(piece)[first, np.arange(len(first))]
        below = np.arange(len(piece))[:, None] - first
        np.rot90(sides, turns)[:] |= (below >= 0) & (below <= np.median(runs[seen]))
    inside, _ = ndimage.label(own & ~sides, EVERYWHERE)
    tallest = max((rows.stop - rows.start for rows, _ in ndimage.find_objects(inside)), default=0)
    room = int((~sides).any(axis=1).sum())
    is_frame = FRAMED_SIDE * len(own) <= tallest <= ACROSS * room
    return sides if is_frame else np.zeros_like(own)
