"""Arrays as somebody prepared them -> the pictures they were made from, as far as that can be undone.

What scaling, centring, standardising or flattening did is taken back, so that pictures prepared in
different ways can be compared with each other and with real digits. Polarity and direction are kept:
whether they are right is for others to say.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import SIDE, Images
from tenfold.pictures.framing import CENTRE

# Rows from which minimum and maximum of a pixel are taken.
ROWS_LOOKED_AT = 4_000
# Pixels that share one extreme value, and by how much of the range values may differ in being shared.
SHARED, SAME = 0.9, 0.02
# Of MNIST's pixels 80 of 100 are ground; with noise, 2 of 100 are near the least value of all.
NOISY = 0.15
# Of MNIST's pixels 1 in 100 is white but for three steps of 255.
WHITEST = 0.995
CHUNK = 8_192
SIDES = range(7, 129)


def restore(x: NDArray[Any]) -> Images | None:
    """Numbers (n, ...) -> uint8 (n, 28, 28), or None where a row is no square picture."""
    pixels = as_squares(x)
    if pixels is None or len(pixels) == 0:
        return None
    pixels = _one_size(pixels)
    step = max(1, len(pixels) // ROWS_LOOKED_AT)
    sample = finite(pixels[::step])
    low, reach = _low_and_reach(sample)
    if not (reach > 0).any():
        return None
    safe = np.where(reach > 0, reach, np.float32(1))
    by_image = _normed_by_image(sample)
    out = np.empty((len(pixels), SIDE, SIDE), np.uint8)
    for start in range(0, len(pixels), CHUNK):
        part = ((finite(pixels[start : start + CHUNK]) - low) / safe).astype(np.float32, copy=False)
        if by_image:
            part /= np.maximum(part.max(axis=(1, 2), keepdims=True), 1e-12)
        out[start : start + CHUNK] = np.rint(np.clip(_to_side(part), 0, 1) * 255)
    return out


def side_of(x: NDArray[Any]) -> int | None:
    """The side of the square pictures in rows (n, ...), or None where they are none."""
    squares = as_squares(x[:1])
    return None if squares is None else squares.shape[1]


def as_squares(x: NDArray[Any]) -> NDArray[Any] | None:
    """Numbers (n, ...) -> (n, side, side) grey; None where that is impossible."""
    if x.ndim < 2 or x.dtype.kind not in "uifb" or len(x) == 0:
        return None
    shape = x.shape[1:]
    without = tuple(size for size in shape if size != 1)
    if len(without) == 3 and without[0] == without[1] and without[2] in (3, 4):
        return np.asarray(x.reshape(len(x), *without)[..., :3].mean(axis=3))
    if len(without) == 3 and without[1] == without[2] and without[0] in (3, 4):
        return np.asarray(x.reshape(len(x), *without)[:, :3].mean(axis=1))
    side = math.isqrt(math.prod(shape))
    if side * side != math.prod(shape) or side not in SIDES:
        return None
    return x.reshape(len(x), side, side)


def finite(values: NDArray[Any]) -> NDArray[np.float32]:
    """The values as float32, 0 where they are no numbers."""
    with np.errstate(all="ignore"):
        floats = values.astype(np.float32)
    return np.nan_to_num(floats, nan=0.0, posinf=0.0, neginf=0.0)


def places(pictures: Images) -> NDArray[np.float64]:
    """uint8 (n, 28, 28), bright ink -> (n, 2): the row and column where the ink has its centre of mass.

    Ink is what is brighter than the median of the picture; without any, NaN.
    """
    ink = pictures.astype(np.float32)
    ink = np.maximum(ink - np.median(ink, axis=(1, 2), keepdims=True), 0)
    place = np.arange(SIDE)
    with np.errstate(invalid="ignore"):
        rows, columns = ink.sum(axis=2) @ place, ink.sum(axis=1) @ place
        centres = np.column_stack([rows, columns]) / ink.sum(axis=(1, 2))[:, None]
    return np.asarray(centres, np.float64)


def in_the_middle(pictures: Images) -> Images:
    """uint8 (n, 28, 28), bright ink -> the same, each moved by whole pixels to where MNIST has its digits.

    What leaves on one side comes back on the other. MNIST's own 70,000 stay as they are.
    """
    off = np.rint(CENTRE - np.nan_to_num(places(pictures), nan=CENTRE)).astype(int)
    moved = np.flatnonzero(off.any(axis=1))
    if not len(moved):
        return pictures
    place = np.arange(SIDE)
    down, right = ((place - off[moved, axis, None]) % SIDE for axis in (0, 1))
    out = pictures.copy()
    out[moved] = pictures[moved[:, None, None], down[:, :, None], right[:, None, :]]
    return out


def levelled(pictures: Images) -> Images:
    """uint8 (n, 28, 28) -> the same, each from 0 to 255: as bright as others, where it was made darker or paler."""
    low = pictures.min(axis=(1, 2), keepdims=True).astype(np.float32)
    reach = np.maximum(pictures.max(axis=(1, 2), keepdims=True) - low, 1)
    return np.asarray(np.rint((pictures - low) / reach * 255), np.uint8)


def gap_in_size(sizes: NDArray[np.floating[Any]]) -> float | None:
    """The size (n,) below which pictures are many times smaller than those above; None without such a gap."""
    ordered = np.sort(np.log(sizes + 1e-12))
    few = max(1, len(ordered) // 50)
    if len(ordered) < 50:
        return None
    steps = np.diff(ordered)[few:-few]
    widest = int(steps.argmax())
    # The darkest digits have a quarter of the brightest ones' size, with all sizes between.
    if steps[widest] <= np.log(8):
        return None
    return float(np.exp((ordered[few + widest] + ordered[few + widest + 1]) / 2))


def _one_size(pixels: NDArray[Any]) -> NDArray[Any]:
    """(n, side, side), some 0..1 and others 0..255 -> the small ones as large as the others."""
    # Pictures of whole numbers have one size; so do nearly all others, and this is asked of few.
    if pixels.dtype.kind != "f":
        return pixels
    few = finite(pixels[:: max(1, len(pixels) // 500)])
    gap = gap_in_size(np.abs(few).max(axis=(1, 2)))
    if gap is None:
        return pixels
    sizes = np.abs(finite(pixels)).max(axis=(1, 2))
    small = sizes < gap
    factor = np.where(
        small, np.median(sizes[~small]) / max(float(np.median(sizes[small])), 1e-12), 1.0
    )
    return finite(pixels) * factor.astype(np.float32)[:, None, None]


def _low_and_reach(
    sample: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What to subtract and what to divide by, each (1, 1) or (side, side).

    Pixels of one picture share black and white. Where most pixels reach neither the same least nor
    the same greatest value, each was centred or standardised for itself.
    """
    low, high = sample.min(axis=0), sample.max(axis=0)
    least, greatest = low.min(), high.max()
    whole = greatest - least
    moving = high > low
    reach = high - low
    if _is_noisy(sample, low, reach):
        # Half of all pixels and more are ground; a hundredth is the whitest ink, noise added.
        ground, white = np.quantile(sample, [0.5, 0.99])
        return np.full((1, 1), ground, np.float32), np.full((1, 1), white - ground, np.float32)
    # Standardised, a pixel that is seldom lit reaches a hundred times as far as others.
    same = SAME * np.median(reach[moving]) if moving.any() else 0.0
    alike = (np.abs(low - least) <= same)[moving], (np.abs(high - greatest) <= same)[moving]
    if not moving.any() or max(a.mean() for a in alike) >= SHARED:
        # Scaled by the extremes that each pixel has elsewhere, a few that are seldom lit reach a hundred times as far as white.
        white = np.quantile(sample, WHITEST) - least
        reach_of_all = white if 0 < 2 * white < whole else whole
        return np.full((1, 1), least, np.float32), np.full((1, 1), reach_of_all, np.float32)
    # Pixels at the rim are lit in few pictures and reach little; blown up they would drown the rest.
    return low, np.where(moving, np.maximum(reach, np.median(reach[moving]) / 2), 0.0)


def _is_noisy(
    sample: NDArray[np.float32], low: NDArray[np.float32], reach: NDArray[np.float32]
) -> bool:
    """Whether pixels of the ground have no value of their own, as where noise was added: else most are all but alike."""
    at = (sample - low) / np.where(reach > 0, reach, np.float32(1))
    return bool(max((at < SAME).mean(), (at > 1 - SAME).mean()) < NOISY)


def _normed_by_image(sample: NDArray[np.float32]) -> bool:
    """Whether every picture was brought to the same length, as by `keras.utils.normalize`."""
    norms = np.sqrt((sample**2).sum(axis=(1, 2)))
    return bool(norms.std() < 1e-3 * norms.mean())


def _to_side(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, side, side) -> (n, 28, 28): a rim cut off where little is missing, enlarged or shrunk otherwise."""
    side = pictures.shape[1]
    if side == SIDE:
        return pictures
    if SIDE < side <= 36:
        edge = (side - SIDE) // 2
        return pictures[:, edge : edge + SIDE, edge : edge + SIDE]
    # The pixel of the old grid under the middle of each pixel of the new one.
    rows = ((np.arange(SIDE) + 0.5) * side / SIDE).astype(int)
    return pictures[:, rows][:, :, rows]
