"""Pixels of any picture -> how much ink is on each: transparency, colour, polarity, uneven light.

Knows nothing about digits, their sizes or models. All that is assumed of ink: it lies on paper that is
lighter all over or darker all over, covers less than half of it, and its strokes are narrow beside the picture.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from tenfold.errors import DataError
from tenfold.pictures.pixels import image_of, pixels_of

Picture = NDArray[np.uint8]
Grey = NDArray[np.uint8]
Ink = NDArray[np.float32]

# Paper is looked for on a grid of so many cells along the longer side; in each cell it is as bright as the
# brightest within so many cells. A stroke, or a blot where strokes run together, may thus be half of
# a small picture wide. A large picture is a page, whose strokes are narrow and whose shadows are not.
GRID, LARGE_GRID = 24, 96
LARGE_PICTURE = 640
WINDOW = 13
# Paper that differs by no more is left as even as that. Otherwise its light is also fitted by a curved plane;
# then a narrower window will do where it finds so much of the ink.
EVEN = 8
NARROW_WINDOW, NARROW_SHARE = 5, 0.9
OUTSIDE = 1000
# What a window of so many cells leaves dark at the rim of the picture is the corner of a shadow: a stroke is narrower.
RIM_WINDOW = 7
# Beside the edge of a shadow nobody knows which paper a pixel lies on, the bright or the dark. It is ink by so many
# times as it is darker than the dark one.
EDGE_TIMES = 3
# In deeper shade than this, of 255, ink is not made up for: the paper's grain would grow with it.
DEEP_SHADE = 48

# Less contrast than this, of 255, is taken for the unevenness of blank paper, as is what does not
# rise above the paper's own grain so many times.
LEAST_CONTRAST = 8
GRAIN_TIMES = 4.0
# Of the pixels that are looked at, so many hundredths are darker than ink, or brighter than paper, by chance.
LEAST_SEEN = (0.5, 99.5)
# In a smaller picture neighbours differ because of what is drawn.
LEAST_GRAINY = 40
# Ink is full at its greatest depth, but at most at so many times its mean depth, weighted by itself; half of
# that is between ink and paper.
FULL_DEPTH = 1.2

# A pixel on the rim of a picture counts so many times when ink and paper are told apart: digits are
# mostly drawn inside of it.
RIM_WEIGHT = 3.0
# Paper fills so much of a picture at least, and a digit less than the rest.
LEAST_PAPER = 0.45
# So many rings of the grid may belong to a frame, and so much of a ring must agree to tell.
RINGS, RING_SHARE = 4, 0.97

_DEPTHS = np.arange(256, dtype=np.float64)
_LITTLE = 1e-6 * np.eye(6)


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


def ink_of(picture: Picture) -> Ink:
    """uint8 (h, w), (h, w, 3) or (h, w, 4) -> ink float32 (h, w) in 0..1, 0 where there is only paper.

    0.5 is halfway between the paper and what most of the ink is like. What is transparent lies on white, or on
    black where nothing could be seen on white. A picture without ink gives all 0.

    Raises:
        DataError: another shape or dtype, or no pixel.
    """
    depth, grain = _depth(grey_of(check_picture(picture)))
    return _ramp(np.bincount(depth.ravel(), minlength=256), grain).take(depth)


def grey_of(picture: Picture) -> Grey:
    """A picture -> uint8 (h, w), in which ink and paper differ as much as in any of its channels."""
    if picture.ndim == 2:
        return picture
    if picture.shape[2] == 4:
        return _laid_on_paper(picture)
    return _most_contrast(picture)


def _laid_on_paper(picture: Picture) -> Grey:
    opacity = picture[..., 3]
    if opacity.min() == 255:
        return _most_contrast(picture[..., :3])
    whole = Image.fromarray(picture)
    for paper in ("white", "black"):
        ground = Image.new("RGBA", whole.size, paper)
        laid = _most_contrast(np.asarray(Image.alpha_composite(ground, whole).convert("RGB")))
        if laid.max() - laid.min() >= LEAST_CONTRAST:
            break
    return laid


def _most_contrast(colours: NDArray[np.uint8]) -> Grey:
    """RGB (h, w, 3) -> brightness; or one channel where that shows much more: yellow on white, red on green."""
    step = max(1, max(colours.shape[:2]) // 32)
    seen = colours[::step, ::step].reshape(-1, 3)
    spreads = seen.std(axis=0)
    brightness = Image.fromarray(np.ascontiguousarray(colours)).convert("L")
    grey = np.asarray(brightness)
    dark, bright = np.percentile(grey[::step, ::step], LEAST_SEEN)
    # Where brightness shows ink as it is, a channel that varies more shows a highlighter.
    faint = bright - dark < np.ptp(np.percentile(seen, LEAST_SEEN, axis=0), axis=0).max() / 2
    if faint and grey[::step, ::step].std() < spreads.max() / 2:
        return np.ascontiguousarray(colours[..., int(spreads.argmax())])
    return grey


def _depth(grey: Grey) -> tuple[Grey, float]:
    """How far each pixel is from its paper, in the direction of ink: uint8 (h, w); and the paper's grain.

    Of even paper the depth itself shows the grain: then it is 0.
    """
    longer = max(grey.shape)
    cell = max(1, -(-longer // (LARGE_GRID if longer > LARGE_PICTURE else GRID)))
    small = pixels_of(image_of(grey).reduce(cell)).astype(np.int16)
    dark = _ink_is_dark(small)
    paper = paper_of(small if dark else 255 - small)
    bright = grey if dark else 255 - grey
    if (paper == paper[0, 0]).all():
        return np.maximum(paper[0, 0], bright) - bright, 0.0
    around = _lowest(paper.astype(np.int16), 3).astype(np.uint8)
    ground, darkest = _enlarged(paper, grey), _enlarged(around, grey)
    below = np.minimum(np.maximum(darkest, bright) - bright, 255 // EDGE_TIMES) * EDGE_TIMES
    depth: Grey = np.minimum(np.maximum(ground, bright) - bright, below)
    grain = _grain(grey)
    if not dark:
        return depth, grain
    # In the shade ink is darker too, and nearer to its paper.
    lit = np.asarray(depth * (255 / np.maximum(ground, DEEP_SHADE, dtype=np.float32)), np.uint8)
    return lit, grain


def _enlarged(cells: Grey, grey: Grey) -> Grey:
    """Values of a grid at each pixel of the picture."""
    size = grey.shape[1], grey.shape[0]
    return pixels_of(image_of(cells).resize(size, Image.Resampling.BILINEAR))


def paper_of(small: NDArray[np.int16]) -> Grey:
    """The brightness of the paper under dark ink, on a grid of int16 (h, w) in 0..255 -> uint8 (h, w)."""
    paper = _closed(small, WINDOW)
    if _is_even(paper):
        return np.asarray(paper, np.uint8)
    depth = paper - small
    trend = np.rint(_plane(small, depth <= int(0.3 * depth.max()))).astype(np.int16)
    # Each is at least as bright as the paper: the first of two is too bright where light falls off towards an
    # edge of the picture, the second beside the edge of a shadow.
    rest = small - trend
    wide = np.minimum(paper, trend + _closed(rest, WINDOW))
    both = _closed(np.array([small, rest]).swapaxes(0, 1), NARROW_WINDOW)
    narrow = np.minimum(both[:, 0], trend + both[:, 1])
    depth = wide - small
    inked = depth > depth.max() // 2
    # Where strokes are narrow, narrower shadows can be told from them.
    is_narrow = (narrow - small)[inked].sum() >= NARROW_SHARE * depth[inked].sum()
    paper = _with_dark_rim(narrow if is_narrow else wide, small)
    return np.maximum(np.minimum(paper, 255), 0).astype(np.uint8)


def _with_dark_rim(paper: NDArray[np.int16], small: NDArray[np.int16]) -> NDArray[np.int16]:
    """The paper, dark where it would have been taken for ink because the shadow ends at the rim of the picture."""
    # No window leaves a place darker than the grid itself.
    if not _rim(paper - small > EVEN).any():
        return paper
    darker = _closed(small, RIM_WINDOW)
    return np.where(joined_to_rim(paper - darker > EVEN), darker, paper)


def joined_to_rim(
    marked: NDArray[np.bool_], neighbours: NDArray[np.float64] | None = None
) -> NDArray[np.bool_]:
    """What of bool (h, w) is joined to the picture's rim; by sides, or as `ndimage.label` takes `neighbours`."""
    if not _rim(marked).any():
        return np.zeros_like(marked)
    parts, count = ndimage.label(marked, neighbours)
    on_rim = np.zeros(count + 1, bool)
    on_rim[_rim(parts)] = True
    on_rim[0] = False
    return on_rim.take(parts)


def _rim(grid: NDArray[Any]) -> NDArray[Any]:
    """What is on the rim of (h, w), its corners twice."""
    return np.concatenate([grid[0], grid[-1], grid[:, 0], grid[:, -1]])


def _is_even(paper: NDArray[np.int16]) -> bool:
    return int(paper.max()) - int(paper.min()) <= EVEN


def _plane(small: NDArray[np.int16], where: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The curved plane nearest to a grid (h, w) in some of its places."""
    basis = _basis(*small.shape)
    places = np.flatnonzero(where)
    known = basis.take(places, axis=0)
    # The last term decides where too few places, or all in a row, do not.
    square = known.T @ known + _LITTLE
    weights = np.linalg.solve(square, known.T @ small.take(places).astype(np.float64))
    return (basis @ weights).reshape(small.shape)


@lru_cache(maxsize=64)
def _basis(height: int, width: int) -> NDArray[np.float64]:
    """1, x, y, x^2, xy, y^2 at each place of a grid: (h w, 6)."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].reshape(2, -1)
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)


def _closed(values: NDArray[np.int16], window: int) -> NDArray[np.int16]:
    """Dark parts narrower than the window filled with what is around them."""
    return _lowest(_highest(values, window), window)


def _highest(values: NDArray[np.int16], window: int) -> NDArray[np.int16]:
    """The largest value in a window around each place."""
    return _extreme(np.maximum, values, window, -OUTSIDE)


def _lowest(values: NDArray[np.int16], window: int) -> NDArray[np.int16]:
    """The smallest value in a window around each place."""
    return _extreme(np.minimum, values, window, OUTSIDE)


def _extreme(
    most: np.ufunc, values: NDArray[np.int16], window: int, outside: int
) -> NDArray[np.int16]:
    """The extreme in a window around each place of a grid (h, w), or of grids side by side (h, k, w)."""
    height, width, half = len(values), values.shape[-1], window // 2
    wider = (height + window, *values.shape[1:-1], width + window - 1)
    padded = np.empty(wider, np.int16)
    padded.fill(outside)
    padded[half : half + height, ..., half : half + width] = values
    # The rows follow each other as one line: what a window reaches of the next row is outside.
    line, row = padded.ravel(), padded[0].size
    for step in (row, 1):
        windows = (window, line.size - step * (window - 1))
        line = most.reduce(np.ndarray(windows, np.int16, line, 0, (2 * step, 2)), axis=0)
    return line[: height * row].reshape(height, *wider[1:])[..., :width]


def _ink_is_dark(small: NDArray[np.int16]) -> bool:
    """Whether the paper is the bright part: it fills a ring around the digit, or else most of the picture."""
    darkest, brightest = int(small.min()), int(small.max())
    if brightest - darkest < LEAST_CONTRAST:
        return True
    bright = small > (darkest + brightest) // 2
    filled = _filled_ring(bright)
    if filled is not None:
        # What fills the rim and not half of the picture is what the paper lies on.
        return filled if (bright == filled).mean() >= LEAST_PAPER else not filled
    highest, lowest = _highest(small, WINDOW), _lowest(small, WINDOW)
    if not _is_even(_lowest(highest, WINDOW)) and not _is_even(_highest(lowest, WINDOW)):
        # As if the picture were lit evenly.
        small = (small - _plane(small, np.ones(small.shape, bool))).astype(np.int16)
        highest, lowest = _highest(small, WINDOW), _lowest(small, WINDOW)
    weights = (highest - lowest).astype(np.float32)
    # The square leaves out places where there is only paper and its grain.
    score = (small - lowest - weights / 2) * weights
    rim = score[0].sum() + score[-1].sum() + score[:, 0].sum() + score[:, -1].sum()
    return bool(score.sum() + RIM_WEIGHT * rim >= 0)


def _filled_ring(bright: NDArray[np.bool_]) -> bool | None:
    """Where the rim is all bright or all dark: whether the innermost ring that is so is bright; else None.

    Outside of that there may be a frame, inside of it is the digit.
    """
    filled, count = None, np.count_nonzero(bright)
    for ring in range(min(RINGS, (min(bright.shape) - 1) // 2)):
        inner = bright[1:-1, 1:-1]
        count_inside = np.count_nonzero(inner)
        share = (count - count_inside) / (bright.size - inner.size)
        if not 1 - RING_SHARE < share < RING_SHARE:
            filled = bool(share > 0.5)
        elif ring == 0:
            break
        bright, count = inner, count_inside
    return filled


def _grain(grey: Grey) -> float:
    """The standard deviation of the paper's grain, from how much neighbouring pixels differ."""
    if min(grey.shape) < LEAST_GRAINY:
        return 0.0
    rows = grey[:: max(1, len(grey) // 12)].astype(np.int16)
    summed = np.bincount(np.abs(rows[:, 1:] - rows[:, :-1]).ravel(), minlength=256).cumsum()
    shares = summed / summed[-1]
    # A quarter of normal differences lie within 0.45 standard deviations of the grain. Of whole numbers, those
    # that are 0 may be up to half; a picture without grain has more of them.
    quarter = int(shares.searchsorted(0.25))
    below = float(shares[quarter - 1]) if quarter else 0.0
    within = quarter - 0.5 + (0.25 - below) / (float(shares[quarter]) - below)
    return max(within, 0.0) / 0.45


def _ramp(counts: NDArray[np.intp], grain: float) -> Ink:
    """How many pixels have each depth 0..255 (256,) -> the ink of each depth, float32 (256,)."""
    summed = counts.cumsum()
    # Paper is most of the picture, and half of that at least lies below its middle.
    low, middle = (summed / summed[-1]).searchsorted((0.1, 0.3))
    above = np.maximum(_DEPTHS - middle, 0)
    grain = max(grain, (middle - low) / 0.75)
    mass = counts * above
    masses = mass.cumsum()
    typical = (mass @ above) / max(masses[-1], 1)
    if typical < max(LEAST_CONTRAST, GRAIN_TIMES * grain):
        return np.zeros(256, np.float32)
    # The last hundredth of the ink may be spots that are deeper than any stroke.
    deepest = above[masses.searchsorted(0.99 * masses[-1])]
    full = min(deepest, typical * FULL_DEPTH)
    ink = above / full
    ink[ink < min(3 * grain, 0.3 * typical) / full] = 0
    return np.asarray(np.minimum(ink, 1), np.float32)
