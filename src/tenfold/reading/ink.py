"""A page in grey -> how much ink each pixel holds, its noise, and which pixels are written on.

The ground is what is left when everything narrower than a stroke is filled (a closing): light may
fall unevenly and shadows may have edges. Knows nothing about digits.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tenfold.reading.view import View

Ink = NDArray[np.float32]
Mask = NDArray[np.bool_]

# A ground darker than this share of the paper is taken for this dark: in deep shadow the same noise
# would else count for more.
DARKEST_GROUND = 0.3


class Sheet(NamedTuple):
    """The ink of a page.

    Attributes:
        ink: float32 (h, w), the share of light that ink takes, 0..1, about 0 on paper.
        noise: the standard deviation of `ink` on empty paper.
        paper: bool (h, w), where the paper is.
    """

    ink: Ink
    noise: float
    paper: Mask


def sheet_of(view: View, *, reach: int) -> Sheet:
    """A view -> its ink; `reach` is wider than any stroke, in pixels."""
    grey = ndimage.gaussian_filter(view.grey.astype(np.float32), 0.7)
    paper = paper_of(grey, view.inside)
    if is_light_on_dark(grey, paper):
        grey = 255 - grey
    ground = ndimage.grey_closing(grey, size=(reach, reach))
    white = float(np.percentile(ground[paper][::7], 90)) if paper.any() else 255.0
    ink = (ground - grey) / np.maximum(ground, max(DARKEST_GROUND * white, 1.0))
    some = ink[paper][::5] if paper.any() else ink.ravel()
    level = float(np.median(some))
    noise = 1.4826 * float(np.median(np.abs(some - level)))
    return Sheet(np.clip(ink - level, 0, 1), max(noise, 0.004), paper)


def is_light_on_dark(grey: Ink, paper: Mask) -> bool:
    """Whether what differs from the paper around it is lighter; paper is what most of any place is."""
    step = max(1, max(grey.shape) // 240)
    height, width = (side // step * step for side in grey.shape)
    blocks = (height // step, step, width // step, step)
    small = grey[:height, :width].reshape(blocks).mean(axis=(1, 3))
    on = paper[:height, :width].reshape(blocks).all(axis=(1, 3))
    if not on.any():
        return False
    off = (small - ndimage.median_filter(small, 11))[on]
    floor = 3 * float(np.median(np.abs(off))) + 4
    light, dark = np.clip(off - floor, 0, None), np.clip(-off - floor, 0, None)
    return float(light.sum()) > 1.2 * float(dark.sum())


def paper_of(grey: Ink, inside: Mask) -> Mask:
    """Where the paper is: the largest light part, if what is around it is clearly darker and sharply cut off."""
    step = max(1, max(grey.shape) // 400)
    small = ndimage.grey_closing(grey[::step, ::step], size=(9, 9))
    within = inside[::step, ::step]
    threshold = _between_two(small[within])
    light, dark = small[(small >= threshold) & within], small[(small < threshold) & within]
    if not len(dark) or not len(light) or np.median(dark) > 0.72 * np.median(light):
        return inside
    labels, count = ndimage.label((small >= threshold) & within)
    if not count:
        return inside
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    found = ndimage.binary_fill_holes(labels == sizes.argmax())
    if found.sum() < 0.12 * within.sum() or not _is_cut_off_sharply(grey, found, step, inside):
        return inside
    found = ndimage.binary_erosion(found, iterations=2, border_value=1)
    rows = np.minimum(np.arange(grey.shape[0]) // step, found.shape[0] - 1)
    columns = np.minimum(np.arange(grey.shape[1]) // step, found.shape[1] - 1)
    return found[rows[:, None], columns] & inside


def _is_cut_off_sharply(grey: Ink, found: Mask, step: int, inside: Mask) -> bool:
    """Whether light falls to dark within a few pixels, as at an edge of paper and not of a shadow."""
    edge = found & ~ndimage.binary_erosion(found, border_value=1)
    rows, columns = np.nonzero(edge & ndimage.binary_erosion(inside[::step, ::step], iterations=4))
    if len(rows) < 8:
        return False
    pick = np.linspace(0, len(rows) - 1, min(len(rows), 400)).astype(int)
    rows, columns = rows[pick] * step, columns[pick] * step
    near, far = _fall(grey, rows, columns, 3 * step), _fall(grey, rows, columns, 9 * step)
    steep = near / np.maximum(far, 1)
    return float(np.median(steep)) > 0.75


def _fall(grey: Ink, rows: NDArray[np.intp], columns: NDArray[np.intp], reach: int) -> Ink:
    """The greatest difference across each place within `reach`, along rows, columns and diagonals."""
    height, width = grey.shape
    falls = []
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        sides = [
            grey[
                np.clip(rows + sign * reach * down, 0, height - 1),
                np.clip(columns + sign * reach * right, 0, width - 1),
            ]
            for sign in (-1, 1)
        ]
        falls.append(np.abs(sides[0] - sides[1]))
    result: Ink = np.max(falls, axis=0)
    return result


def _between_two(values: Ink) -> float:
    """The threshold that splits values best into two. Source: Otsu 1979."""
    counts, edges = np.histogram(values, bins=64)
    middles = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * middles)
    with np.errstate(invalid="ignore", divide="ignore"):
        gap = sums / below - (sums[-1] - sums) / above
        between = np.where((below > 0) & (above > 0), below * above * gap**2, 0)
    return float(edges[1:][between.argmax()])


def written_on(sheet: Sheet) -> Mask:
    """The pixels that hold ink, rulings included: bool (h, w)."""
    ink = np.where(sheet.paper, sheet.ink, 0)
    clear = ink[ink > 5 * sheet.noise]
    strong = float(np.percentile(clear, 90)) if len(clear) else 1.0
    low = max(4 * sheet.noise, 0.15 * strong, 0.03)
    mask: Mask = ink > low
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    if not count:
        return mask
    return mask & (peaks_of(ink, labels, count) >= max(6 * sheet.noise, 0.3 * strong))[labels]


def peaks_of(ink: Ink, labels: NDArray[np.int32], count: int) -> Ink:
    """The most ink on a pixel of each part 1..count of a labelled page; 0 where there is no part."""
    peaks = np.zeros(count + 1, np.float32)
    on = labels > 0
    np.maximum.at(peaks, labels[on], ink[on])
    return peaks
