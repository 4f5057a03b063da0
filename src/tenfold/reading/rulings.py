"""Straight lines that are not part of a digit: rulings, squares, underlines, boxes of forms.

A ruling is a straight run, level or upright within some degrees, that is longer than a stroke of a
digit and thin. Strokes that cross it stay whole. Knows nothing about lines of digits.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tenfold.reading.ink import Ink, Mask

# A stroke of the thinnest pen is about this many times as long as it is wide; a ruling is longer.
THIN = 15
MOST_TILT = 12
EVERYWHERE = np.ones((3, 3))


class Ruled(NamedTuple):
    """Ink without rulings, the pixels that still hold ink, and where rulings were."""

    ink: Ink
    mask: Mask
    rulings: Mask


def without_rulings(ink: Ink, mask: Mask, *, height: float) -> Ruled:
    """Take rulings out of a page whose digits are about `height` pixels high."""
    level, thickness = _lines(ink, mask, round(1.25 * height), thin=THIN)
    upright_t, _ = _lines(ink.T, mask.T, round(0.9 * height), thin=8)
    upright = _between_levels(upright_t.T, level, height)
    level = level > 0
    rulings = level | upright
    if not rulings.any():
        return Ruled(ink, mask, rulings)
    gone = _removable(ink, mask, level) | _removable(ink.T, mask.T, upright.T).T
    kept = mask & ~gone
    kept &= ~_crumbs(kept, ndimage.binary_dilation(rulings, EVERYWHERE, iterations=2), height)
    fringe = ndimage.binary_dilation(gone, EVERYWHERE) & ~kept
    return Ruled(np.where(fringe | gone, 0, ink).astype(np.float32), kept, rulings)


def run_lengths(mask: Mask) -> NDArray[np.int32]:
    """For each pixel that is on, how many are on in its run along its column; 0 where it is off."""
    flat = np.pad(mask, ((1, 1), (0, 0))).T.ravel().astype(np.int8)
    changes = np.diff(flat)
    starts, ends = np.flatnonzero(changes == 1) + 1, np.flatnonzero(changes == -1) + 1
    lengths = np.zeros(len(flat), np.int32)
    lengths[starts] = ends - starts
    filled = np.repeat(ends - starts, ends - starts)
    lengths[flat > 0] = filled
    return lengths.reshape(mask.shape[1], mask.shape[0] + 2).T[1:-1]


def straight_runs(mask: Mask, length: int) -> Mask:
    """The pixels that lie in a straight run of `length` pixels, level within MOST_TILT degrees."""
    size = max(5, length // 2) | 1
    small = _wide_parts(_halved(mask), size).astype(np.uint8)
    rows, columns = np.indices(small.shape, sparse=True)
    found = np.zeros(small.shape, np.uint8)
    if not small.any():
        return np.zeros(mask.shape, bool)
    padded = np.pad(small, ((1, 1), (0, 0)))
    for degrees in np.arange(-MOST_TILT, MOST_TILT + 1):
        shift = np.round(columns * np.tan(np.radians(degrees))).astype(int)
        sheared = padded[np.clip(rows + shift, -1, small.shape[0]) + 1, columns]
        if not sheared.any():
            continue
        joined = ndimage.minimum_filter1d(ndimage.maximum_filter1d(sheared, 3, axis=1), 3, axis=1)
        runs = ndimage.minimum_filter1d(joined, size, axis=1)
        if not runs.any():
            continue
        runs = ndimage.maximum_filter1d(runs, size, axis=1)
        back = np.pad(runs, ((1, 1), (0, 0)))
        found |= back[np.clip(rows - shift, -1, small.shape[0]) + 1, columns]
    large = np.repeat(np.repeat(found > 0, 2, axis=0), 2, axis=1)
    return large[: mask.shape[0], : mask.shape[1]] & mask


def _wide_parts(mask: Mask, width: int) -> Mask:
    """The connected parts that are so wide at least; few pages have any."""
    labels, count = ndimage.label(mask, EVERYWHERE)
    boxes = ndimage.find_objects(labels)
    wide = np.array([False, *(box[1].stop - box[1].start >= width for box in boxes)])
    kept: Mask = wide[labels]
    return kept


def _halved(mask: Mask) -> Mask:
    padded = np.pad(mask, ((0, mask.shape[0] % 2), (0, mask.shape[1] % 2)))
    halves: Mask = padded.reshape(padded.shape[0] // 2, 2, -1, 2).any(axis=(1, 3))
    return halves


def _lines(ink: Ink, mask: Mask, length: int, *, thin: int) -> tuple[NDArray[np.float32], float]:
    """Level rulings: (their thickness at each of their pixels, 0 elsewhere; the median thickness)."""
    runs = straight_runs(mask, length)
    across = run_lengths(mask)
    labels, count = ndimage.label(runs, EVERYWHERE)
    thickness = np.zeros(mask.shape, np.float32)
    typical = []
    for number, place in enumerate(ndimage.find_objects(labels), 1):
        mine = labels[place] == number
        thick = float(np.median(across[place][mine]))
        if mine.shape[1] >= max(length, thin * thick):
            thickness[place][mine] = thick
            typical.append(thick)
    return thickness, float(np.median(typical)) if typical else 0.0


def _between_levels(
    upright: NDArray[np.float32], level: NDArray[np.float32], height: float
) -> Mask:
    """Of upright lines, those that end at level ones as in squares and boxes, or are far too long for a digit."""
    labels, count = ndimage.label(upright > 0, EVERYWHERE)
    near = ndimage.binary_dilation(level > 0, EVERYWHERE, iterations=3)
    kept = np.zeros(upright.shape, bool)
    for number, place in enumerate(ndimage.find_objects(labels), 1):
        mine = labels[place] == number
        rows = np.flatnonzero((mine & near[place]).any(axis=1))
        tall = mine.shape[0]
        thick = float(np.median(upright[place][mine]))
        ends = len(rows) > 0 and rows[0] < 0.12 * height and rows[-1] > tall - 1 - 0.12 * height
        if tall >= 3 * height and tall > 30 * thick or ends and np.ptp(rows) > 0.8 * height:
            kept[place] |= mine
    return kept


def _removable(ink: Ink, mask: Mask, lines: Mask) -> Mask:
    """The pixels of level lines that no stroke crosses: no thicker and no darker than the line."""
    if not lines.any():
        return lines
    across = run_lengths(mask)
    labels, count = ndimage.label(lines, EVERYWHERE)
    thick, dark = np.zeros(count + 1), np.zeros(count + 1)
    for number, place in enumerate(ndimage.find_objects(labels), 1):
        mine = labels[place] == number
        thick[number] = np.median(across[place][mine])
        # The middle of the line: its edges are soft, and what crosses it is a small part of it.
        dark[number] = np.percentile(ink[place][mine], 75)
    spread = ndimage.grey_dilation(labels, size=(5, 1)) * mask
    within = spread > 0
    thin = across <= 1.6 * thick[spread] + 1
    pale = ink <= 1.35 * dark[spread] + 0.05
    removable: Mask = within & thin & pale
    return removable


def _crumbs(mask: Mask, zone: Mask, height: float) -> Mask:
    """Small pieces left over along rulings."""
    labels, count = ndimage.label(mask, EVERYWHERE)
    if not count:
        return mask
    index = np.arange(count + 1)
    share = ndimage.mean(zone, labels, index)
    small = np.bincount(labels.ravel(), minlength=count + 1) < (0.25 * height) ** 2
    crumb = (share > 0.6) & small
    crumb[0] = False
    found: Mask = crumb[labels]
    return found
