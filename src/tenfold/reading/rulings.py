"""Straight lines that are not part of a digit: rulings, squares, underlines, boxes of forms.

A ruling is a straight run, level or upright within some degrees, that is longer than a stroke of a
digit and thin. Strokes that cross it stay whole. Knows nothing about lines of digits.
"""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from tenfold.pictures.cleaning import run_lengths
from tenfold.reading.ink import Ink, Mask

# A stroke of the thinnest pen is about this many times as long as it is wide; a ruling is longer.
THIN = 15
MOST_TILT = 12
EVERYWHERE = np.ones((3, 3), bool)


class Ruled(NamedTuple):
    """Ink without rulings, and the pixels that still hold ink."""

    ink: Ink
    mask: Mask


class _Line(NamedTuple):
    """A straight line: the window it is in, its pixels there, how thick and how dark it is."""

    place: tuple[slice, slice]
    on: Mask
    thick: float
    dark: float


def without_rulings(ink: Ink, mask: Mask, *, height: float) -> Ruled:
    """Take rulings out of a page whose digits are about `height` pixels high."""
    level = [
        line
        for line in _lines(ink, mask, round(1.25 * height))
        if line.on.shape[1] >= THIN * line.thick
    ]
    upright = _upright(ink, mask, level, height)
    if not level and not upright:
        return Ruled(ink, mask)
    gone = _removable(ink, mask, level) | _removable(ink.T, mask.T, upright).T
    rulings = _drawn(level, mask.shape) | _drawn(upright, mask.T.shape).T
    kept = mask & ~gone
    kept &= ~_crumbs(kept, ndimage.binary_dilation(rulings, EVERYWHERE, iterations=2), height)
    fringe = ndimage.binary_dilation(gone, EVERYWHERE) & ~kept
    return Ruled(np.where(fringe | gone, 0, ink).astype(np.float32), kept)


def straight_runs(mask: Mask, length: int) -> Mask:
    """The pixels that lie in a straight run of `length` pixels, level within MOST_TILT degrees."""
    size = max(5, length // 2) | 1
    small = _wide_parts(_halved(mask), size).astype(np.uint8)
    rows, columns = np.arange(small.shape[0])[:, None], np.arange(small.shape[1])[None]
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
    halves: Mask = padded[::2, ::2] | padded[1::2, ::2] | padded[::2, 1::2] | padded[1::2, 1::2]
    return halves


def _lines(ink: Ink, mask: Mask, length: int) -> list[_Line]:
    """The level lines that are so long at least."""
    labels, _ = ndimage.label(straight_runs(mask, length), EVERYWHERE)
    across = run_lengths(mask)
    found = []
    for number, place in enumerate(ndimage.find_objects(labels), 1):
        on = labels[place] == number
        if on.shape[1] >= length:
            thick = float(np.median(across[place][on]))
            # The middle of the line, where nothing crosses it: its edges are soft.
            dark = float(np.median(np.where(on, ink[place], 0).max(axis=0)))
            found.append(_Line((place[0], place[1]), on, thick, dark))
    return found


def _upright(ink: Ink, mask: Mask, level: list[_Line], height: float) -> list[_Line]:
    """The upright rulings of a page turned on its side: those that end at level ones and look like
    them, as in squares and boxes, and those that are far too long for a digit."""
    near = ndimage.binary_dilation(_drawn(level, mask.shape), EVERYWHERE, iterations=3).T
    thick = float(np.median([line.thick for line in level])) if level else 0.0
    dark = float(np.median([line.dark for line in level])) if level else 0.0
    found = []
    for line in _lines(ink.T, mask.T, round(0.9 * height)):
        length = line.on.shape[1]
        places = np.flatnonzero((line.on & near[line.place]).any(axis=0))
        ends = (
            len(places) > 0
            and places[0] < 0.12 * height
            and places[-1] > length - 1 - 0.12 * height
        )
        alike = line.thick <= 1.6 * thick + 1 and line.dark <= 1.35 * dark + 0.05
        long = length >= 3 * height and length > 2 * THIN * line.thick
        if long or (ends and alike and np.ptp(places) > 0.8 * height):
            found.append(line)
    return found


def _drawn(lines: list[_Line], shape: tuple[int, ...]) -> Mask:
    drawn = np.zeros(shape, bool)
    for line in lines:
        drawn[line.place] |= line.on
    return drawn


def _removable(ink: Ink, mask: Mask, lines: list[_Line]) -> Mask:
    """The pixels of level lines that no stroke crosses: no thicker and no darker than the line."""
    removable = np.zeros(mask.shape, bool)
    across = run_lengths(mask) if lines else mask
    for line in lines:
        rows = slice(max(line.place[0].start - 2, 0), line.place[0].stop + 2)
        place = rows, line.place[1]
        on = np.zeros((rows.stop - rows.start, line.on.shape[1]), bool)
        on[line.place[0].start - rows.start :][: line.on.shape[0]] = line.on
        on = ndimage.binary_dilation(on, np.ones((5, 1), bool))[: mask.shape[0] - rows.start]
        thin = across[place] <= 1.6 * line.thick + 1
        pale = ink[place] <= 1.35 * line.dark + 0.05
        removable[place] |= on & thin & pale & mask[place]
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
