"""The ink of one digit -> the 28x28 picture MNIST would have made of it.

Source: LeCun et al. 1998, section III-A (20x20 box, aspect kept, anti-aliased; centre of mass at the
centre of 28x28). Knows nothing about files, paper or light.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tenfold.digits import SIDE

Ink = NDArray[np.float32]
Digit = NDArray[np.uint8]

BOX_PIXELS = 20
# The middle of 28 pixels lies between the 14th and the 15th; MNIST's digits have their centre of mass on the
# 15th, within half a pixel (all 70,000).
CENTRE = 14.0

# Strokes are mended on a canvas where the box is four times its size.
FINE = 4
FINE_BOX = BOX_PIXELS * FINE
ROOM = 4 * FINE

# Stroke widths in pixels of the 20x20 box, as `stroke_width` finds them in MNIST's training images:
# half of them lie between the first two, 98 % between the others.
USUAL_STROKES = (2.0, 2.8)
ANY_STROKES = (1.4, 4.3)


def frame(ink: Ink) -> Digit:
    """Ink of ONE digit float32 (h, w) in 0..1 -> uint8 (28, 28); no ink gives all 0."""
    box = _box(ink)
    if box is None:
        return np.zeros((SIDE, SIDE), np.uint8)
    fine = _enlarged(ink[box])
    fine = _mended(fine)
    return _centred(_shrunk(fine))


def _box(ink: Ink, least: float = 0.5) -> tuple[slice, slice] | None:
    rows = np.flatnonzero(ink.max(axis=1) >= least)
    columns = np.flatnonzero(ink.max(axis=0) >= least)
    if not len(rows):
        return None
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _enlarged(cut: Ink) -> Digit:
    """The digit, cut to its ink, on the fine canvas: uint8, ROOM on each side."""
    height, width = cut.shape
    scale = FINE_BOX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = scale >= 1
    way = Image.Resampling.BICUBIC if small else Image.Resampling.BOX
    padded = np.pad(cut, 1)
    resized = Image.fromarray(padded).resize(
        (round((width + 2) * scale), round((height + 2) * scale)), way
    )
    fine = np.asarray(resized)
    # One pixel of the source is a ramp of `scale` pixels here, and should be one of FINE.
    steep = max(1.0, scale / FINE, min(FINE / scale, 4.0))
    fine = np.clip((fine - 0.5) * steep + 0.5, 0, 1)
    return np.pad((255 * fine).astype(np.uint8), ROOM)


def stroke_width(fine: Digit) -> float:
    """The mean width of strokes, in pixels: twice the ink over the length of its outline.

    A stroke of width w and length l holds w l ink, and its outline, the total variation, is 2 l.
    """
    values = fine.astype(np.float32)
    down = values[1:, :-1] - values[:-1, :-1]
    right = values[:-1, 1:] - values[:-1, :-1]
    outline = float(np.sqrt(down * down + right * right).sum())
    return 2 * float(values.sum()) / max(outline, 1.0)


def _mended(fine: Digit) -> Digit:
    width = stroke_width(fine) / FINE
    low, high = USUAL_STROKES
    wanted = min(max(width, low), high)
    # Every side of the digit moves out by r, and the digit is shrunk into its box again:
    # (width + 2 r) / (20 + 2 r) = wanted / 20.
    radius = FINE * (wanted - width) / (2 * (1 - wanted / BOX_PIXELS))
    if radius > 0:
        return _grown(fine, min(radius, ROOM))
    return 255 - _grown(255 - fine, -radius)


def _grown(fine: Digit, radius: float) -> Digit:
    """Every dark pixel within `radius` of ink becomes ink: by octagons, whole steps and a part of one."""
    steps = int(radius)
    for step in range(steps):
        fine = _step(fine, step)
    part = radius - steps
    if part > 0.05:
        wider = _step(fine, steps)
        fine = (fine + (wider.astype(np.float32) - fine) * part).astype(np.uint8)
    return fine


def _step(fine: Digit, step: int) -> Digit:
    out = fine.copy()
    np.maximum(out[1:], fine[:-1], out=out[1:])
    np.maximum(out[:-1], fine[1:], out=out[:-1])
    # Crosses and squares in turn make an octagon; three crosses to two squares come nearest to a circle.
    across = out.copy() if step % 5 in (1, 3) else fine
    np.maximum(out[:, 1:], across[:, :-1], out=out[:, 1:])
    np.maximum(out[:, :-1], across[:, 1:], out=out[:, :-1])
    return out


def _shrunk(fine: Digit) -> Digit:
    box = _box(fine, 128)
    if box is None:
        return fine[:1, :1]
    rows, columns = box
    height, width = rows.stop - rows.start, columns.stop - columns.start
    scale = BOX_PIXELS / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    area = (columns.start, rows.start, columns.stop, rows.stop)
    return np.asarray(Image.fromarray(fine).resize(size, Image.Resampling.BOX, area))


def _centred(digit: Digit) -> Digit:
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    at = []
    for axis in (0, 1):
        profile = digit.sum(axis=1 - axis, dtype=np.float64)
        centre = (profile * np.arange(len(profile))).sum() / max(profile.sum(), 1)
        at.append(min(max(round(CENTRE - centre), 0), SIDE - len(profile)))
    canvas[at[0] : at[0] + digit.shape[0], at[1] : at[1] + digit.shape[1]] = digit
    return canvas
