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
# On paper without any grain, so much of the light is still taken for noise.
LEAST_NOISE = 0.004

# Paper is looked for at this size, in pixels; there an edge is sharp where brightness falls by a fifth within
# three pixels.
COARSE_SIDE = 400
SHARP = 0.22
# Paper has this share of the photo at least, and what is around it at most this share of its brightness.
SMALLEST_PAPER = 0.12
DARKER = 0.75
# A hole is at most so many times as wide as the widest stroke, and this share of the light around it comes from
# it; its rim is so many eighths of a stroke's width.
HOLE, HOLE_DARK, HOLE_RIM = 4, 0.75, 3


class Sheet(NamedTuple):
    """The ink of a page.

    Attributes:
        ink: float32 (h, w), the share of light that ink takes, 0..1, about 0 on paper.
        noise: float32 (h, w), the standard deviation that `ink` would have there on empty paper.
        paper: bool (h, w), where the paper is.
    """

    ink: Ink
    noise: Ink
    paper: Mask


def sheet_of(view: View, *, reach: int) -> Sheet:
    """A view -> its ink; `reach` is wider than any stroke, in pixels."""
    grey = ndimage.gaussian_filter(view.grey.astype(np.float32), 0.7)
    paper = paper_of(grey, view.inside)
    if is_light_on_dark(grey, paper):
        grey = 255 - grey
    ground = ndimage.grey_closing(grey, size=(reach, reach))
    white = float(np.percentile(ground[paper][::7], 90)) if paper.any() else 255.0
    paper = paper & ~_holes(ground, reach)
    light = np.maximum(ground, max(DARKEST_GROUND * white, 1.0))
    ink = (ground - grey) / light
    on = paper if paper.any() else np.ones_like(paper)
    some = ink[on][::5]
    level = float(np.median(some))
    # The same grain takes a larger share of less light.
    grain = 1.4826 * float(np.median(np.abs(some - level) * light[on][::5]))
    noise = np.maximum(grain / light, LEAST_NOISE)
    return Sheet(np.clip(ink - level, 0, 1), noise, paper)


def _holes(ground: Ink, reach: int) -> Mask:
    """Where the ground is dark in small spots: holes, rings and blots, which are wider than a stroke."""
    step = max(1, reach // 8)
    small = ground[::step, ::step]
    most = HOLE * reach // step
    dark = small < HOLE_DARK * ndimage.grey_closing(small, size=(most | 1, most | 1))
    labels, _ = ndimage.label(dark)
    for number, place in enumerate(ndimage.find_objects(labels), 1):
        if max(side.stop - side.start for side in place) > most:
            dark[labels == number] = False
    # The rim of a hole is dark too, and is no stroke.
    wide = ndimage.binary_dilation(dark, np.ones((3, 3), bool), iterations=HOLE_RIM)
    holes: Mask = wide.repeat(step, 0).repeat(step, 1)[: len(ground), : ground.shape[1]]
    return holes


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
    """Where the paper is: the largest light part, with all that no sharp edge divides from it.

    A shadow begins softly, a desk does not. Where there is nothing clearly darker around it, all is paper.
    """
    step = max(1, max(grey.shape) // COARSE_SIDE)
    small = ndimage.grey_closing(grey[::step, ::step], size=(9, 9))
    within = inside[::step, ::step]
    light = (small >= _between_two(small[within])) & within
    shade = np.log(small + 4)
    sharp = ndimage.maximum_filter(shade, 3) - ndimage.minimum_filter(shade, 3) > SHARP
    labels, count = ndimage.label(within & ~sharp)
    sizes = np.bincount(labels[light], minlength=count + 1)
    sizes[0] = 0
    found = labels == sizes.argmax()
    # The edge itself belongs to the paper as much as to what is around it.
    found = ndimage.binary_fill_holes(ndimage.binary_dilation(found, iterations=1))
    around = small[within & ~found]
    enough = sizes.max() > 0 and found.sum() > SMALLEST_PAPER * within.sum()
    if not enough or not len(around) or np.median(around) > DARKER * np.median(small[found]):
        return inside
    found = ndimage.binary_erosion(found, iterations=2, border_value=1)
    rows = np.minimum(np.arange(grey.shape[0]) // step, found.shape[0] - 1)
    columns = np.minimum(np.arange(grey.shape[1]) // step, found.shape[1] - 1)
    on_paper: Mask = found[rows[:, None], columns] & inside
    return on_paper


def _between_two(values: Ink) -> float:
    """The threshold that splits values best into two. Source: Otsu 1979."""
    low, high = float(values.min()), float(values.max())
    if high - low < 1:
        return low
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
    low = np.maximum(4 * sheet.noise, max(0.15 * strong, 0.03))
    mask: Mask = ink > low
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    if not count:
        return mask
    tall = ink >= np.maximum(6 * sheet.noise, 0.3 * strong)
    return mask & (np.bincount(labels[tall], minlength=count + 1) > 0)[labels]


def peaks_of(ink: Ink, labels: NDArray[np.signedinteger], count: int) -> Ink:
    """The most ink on a pixel of each part 1..count of a labelled page; 0 where there is no part."""
    peaks = np.zeros(count + 1, np.float32)
    on = labels > 0
    np.maximum.at(peaks, labels[on], ink[on])
    return peaks
