"""Pixels of any picture -> how much ink is on each: transparency, colour, polarity, uneven light.

Knows nothing about digits, their sizes or models. All that is assumed of ink: it lies on paper that is
lighter all over or darker all over, covers less than half of it, and its strokes are narrow beside the picture.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tenfold.errors import DataError

Picture = NDArray[np.uint8]
Grey = NDArray[np.uint8]
Ink = NDArray[np.float32]

# Paper is looked for on a grid of so many cells along the longer side; in each cell it is as bright as the
# brightest within so many cells. A stroke, or a blot where strokes run together, may thus be half of
# a small picture wide. A large picture is a page, whose strokes are narrow and whose shadows are not.
GRID, LARGE_GRID = 32, 96
LARGE_PICTURE = 640
WINDOW = 17

# Less contrast than this, of 255, is taken for the unevenness of blank paper, as is what does not
# rise above the paper's own grain so many times.
LEAST_CONTRAST = 8
GRAIN_TIMES = 5.0

# A pixel on the rim of a picture counts so many times when ink and paper are told apart: digits are
# mostly drawn inside of it.
RIM_WEIGHT = 3.0


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
    depth = _depth(grey_of(check_picture(picture)))
    ramp = _ramp(np.bincount(depth.ravel(), minlength=256))
    return ramp.take(depth)


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
    if grey[::step, ::step].std() < spreads.max() / 2:
        return np.ascontiguousarray(colours[..., int(spreads.argmax())])
    return grey


def _depth(grey: Grey) -> Grey:
    """How far each pixel is from its paper, in the direction of ink: uint8 (h, w)."""
    height, width = grey.shape
    longer = max(height, width)
    cell = max(1, -(-longer // (LARGE_GRID if longer > LARGE_PICTURE else GRID)))
    image = Image.fromarray(grey)
    small = np.asarray(image.reduce(cell))
    highest, lowest = _highest(small), 255 - _highest(255 - small)
    if _ink_is_dark(small, highest, lowest):
        paper = 255 - _highest(255 - highest)
        return _above(_stretched(paper, grey), grey)
    return _above(grey, _stretched(_highest(lowest), grey))


def _highest(values: Grey) -> Grey:
    """The largest value within WINDOW of each: uint8 (h, w), from maxima of 1, 2, 4, 8... neighbours."""
    height, width = values.shape
    reached = np.zeros((height + WINDOW - 1, width + WINDOW - 1), np.uint8)
    half = WINDOW // 2
    reached[half : half + height, half : half + width] = values
    seen = 1
    while seen < WINDOW:
        further = min(seen, WINDOW - seen)
        reached = np.maximum(reached[further:], reached[:-further])
        reached = np.maximum(reached[:, further:], reached[:, :-further])
        seen += further
    return reached


def _stretched(paper: Grey, grey: Grey) -> Grey:
    if paper.min() == paper.max():
        return paper[:1, :1]
    height, width = grey.shape
    return np.asarray(Image.fromarray(paper).resize((width, height), Image.Resampling.BILINEAR))


def _above(high: Grey, low: Grey) -> Grey:
    return np.maximum(high, low) - low


def _ink_is_dark(small: Grey, highest: Grey, lowest: Grey) -> bool:
    """Whether the paper is the bright part: it is the larger one, in the places where there are both."""
    weights = (highest - lowest).astype(np.float32)
    middle = lowest + weights / 2
    # The square leaves out places where there is only paper and its grain.
    score = (small - middle) * weights
    rim = score[0].sum() + score[-1].sum() + score[:, 0].sum() + score[:, -1].sum()
    return bool(score.sum() + RIM_WEIGHT * rim >= 0)


def _ramp(counts: NDArray[np.intp]) -> Ink:
    """How many pixels have each depth 0..255 (256,) -> the ink of each depth, float32 (256,)."""
    depths = np.arange(256, dtype=np.float64)
    shares = np.cumsum(counts) / counts.sum()
    # Paper is most of the picture, and half of that at least lies below its middle.
    low, middle = np.searchsorted(shares, (0.1, 0.3))
    above = np.maximum(depths - middle, 0)
    grain = (middle - low) / 0.75
    mass = counts * above
    typical = (mass * above).sum() / max(mass.sum(), 1)
    if typical < max(LEAST_CONTRAST, GRAIN_TIMES * grain):
        return np.zeros(256, np.float32)
    ink = above / (typical * 1.15)
    floor = min(3 * grain, 0.3 * typical) / (typical * 1.15)
    ink = np.where(ink < floor, 0, ink)
    return np.minimum(ink, 1).astype(np.float32)
