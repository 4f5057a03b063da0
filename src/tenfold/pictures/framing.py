"""The ink of one digit -> the 28x28 picture MNIST would have made of it.

Source: LeCun et al. 1998, section III-A (20x20 box, aspect kept, anti-aliased; centre of mass at the
centre of 28x28). Knows nothing about files, paper or light.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tenfold.digits import SIDE
from tenfold.pictures.pixels import Box, box_of_marks, image_of, pixels_of

Ink = NDArray[np.float32]
Digit = NDArray[np.uint8]

BOX_PIXELS = 20
# The middle of 28 pixels lies between the 14th and the 15th; MNIST's digits have their centre of mass on the
# 15th, within half a pixel (all 70,000).
CENTRE = 14.0

# Strokes are mended on a canvas where the box is three times its size.
FINE = 3
FINE_BOX = BOX_PIXELS * FINE
# The thinnest line grows by no more.
ROOM = 5
# Edges are not made steeper than this; beyond, dust beside a stroke would become ink.
STEEPEST = 4.0
# The ink of a stroke some pixels wide is this share of the full on average, weighted by itself.
FULL = 0.75
# A pixel of a small picture is the mean of the ink on it, which is flatter than the ink in its middle; so
# much of the second difference makes up for it.
SHARPENED = 0.2

# Stroke widths in pixels of the 20x20 box, as `stroke_width` finds them in MNIST's training images:
# half of them lie between these.
USUAL_STROKES = (2.1, 2.9)

# Weights by which pixels are summed for their mass and their centre; of whole numbers such sums are exact.
_MOMENTS = np.stack([np.ones(SIDE), np.arange(SIDE)])


def frame(ink: Ink) -> Digit:
    """Ink of ONE digit float32 (h, w) in 0..1 -> uint8 (28, 28); no ink gives all 0."""
    box = box_of(ink)
    if box is None:
        return np.zeros((SIDE, SIDE), np.uint8)
    return _centred(_shrunk(_mended(_enlarged(ink[box]))))


def is_framed(image: Digit) -> bool:
    """Whether uint8 (28, 28) lies in its frame as MNIST's do: a box of 20, centre of mass at the centre."""
    box = box_of_marks(image >= 1)
    if box is None or image[0, 0] or max(_sides(box)) != BOX_PIXELS:
        return False
    return all(abs(place - CENTRE) <= 0.5 + 1e-6 for place in _centre(image))


def box_of(ink: Ink) -> Box | None:
    """The rows and columns with ink in float32 (h, w), or None where there is none."""
    return box_of_marks(ink >= 0.5)


def _sides(box: Box) -> tuple[int, int]:
    return box[0].stop - box[0].start, box[1].stop - box[1].start


def _enlarged(cut: Ink) -> Digit:
    """The digit, cut to its ink, on the fine canvas: uint8, with ROOM on each side."""
    scale = FINE_BOX / max(cut.shape)
    height, width = (max(1, round((side + 2) * scale)) for side in cut.shape)
    fine = np.zeros((height + 2 * ROOM, width + 2 * ROOM), np.uint8)
    inner = fine[ROOM:-ROOM, ROOM:-ROOM]
    if scale > FINE:
        finer = Image.fromarray(_sharpened(cut)).resize((width, height), Image.Resampling.BICUBIC)
        inner[:] = 255 * np.clip(np.asarray(finer), 0, 1)
        return fine
    source = np.zeros((cut.shape[0] + 2, cut.shape[1] + 2), np.uint8)
    source[1:-1, 1:-1] = 255 * cut
    way = Image.Resampling.BICUBIC if scale > 1 else Image.Resampling.BOX
    resized = pixels_of(image_of(source).resize((width, height), way))
    # An edge is a ramp of one pixel of the source; on the fine canvas it is to be one of FINE.
    steep = round(min(FINE / scale, STEEPEST), 1)
    inner[:] = _ramp(steep, _typical(resized) if scale < 1 else 255).take(resized)
    return fine


def _typical(values: Digit) -> int:
    """What the ink is like in the middle of strokes: 255, or less where they are finer than a pixel."""
    masses = values.ravel().astype(np.float64)
    return round(float(masses @ masses) / max(float(masses.sum()), 1.0))


@cache
def _ramp(steep: float, typical: int) -> Digit:
    """Each of 0..255 so many times as far from the middle of ink and paper: uint8 (256,)."""
    whole = min(255.0, max(typical, 1) / FULL)
    values = np.arange(256) * (255 / whole)
    return np.asarray(np.clip((values - 127.5) * steep + 127.5, 0, 255), np.uint8)


def _sharpened(cut: Ink) -> Ink:
    """The ink with one more pixel on each side, as it was before every pixel took the mean over its area."""
    around = np.pad(cut, 2)
    middle = around[1:-1, 1:-1]
    neighbours = around[:-2, 1:-1] + around[2:, 1:-1] + around[1:-1, :-2] + around[1:-1, 2:]
    sharp = middle + np.float32(SHARPENED) * (4 * middle - neighbours)
    return np.asarray(sharp, np.float32)


def stroke_width(fine: Digit) -> float:
    """The mean width of strokes, in pixels: twice the ink over the length of its outline.

    A stroke of width w and length l holds w l ink, and its outline, the total variation, is 2 l.
    """
    # Half the size is a quarter of the work, and strokes are still some pixels wide.
    values = pixels_of(image_of(fine).reduce(2)).astype(np.float32)
    down = values[1:, :-1] - values[:-1, :-1]
    right = values[:-1, 1:] - values[:-1, :-1]
    outline = float(np.sqrt(down * down + right * right).sum())
    return 4 * float(values.sum()) / max(outline, 1.0)


def _mended(fine: Digit) -> Digit:
    """Strokes brought to a width that is usual in MNIST."""
    width = stroke_width(fine) / FINE
    wanted = min(max(width, USUAL_STROKES[0]), USUAL_STROKES[1])
    # Every side of the digit moves out by r, and the digit is shrunk into its box again:
    # (width + 2 r) / (20 + 2 r) = wanted / 20.
    radius = FINE * (wanted - width) / (2 * (1 - wanted / BOX_PIXELS))
    return _grown(fine, min(radius, ROOM)) if radius >= 0 else _worn(fine, -radius)


def _grown(fine: Digit, radius: float) -> Digit:
    """Every pixel within `radius` of ink becomes ink: whole steps, and a part of one."""
    steps = int(radius)
    for step in range(steps):
        fine = _step(fine, step)
    part = radius - steps
    return _between(fine, _step(fine, steps), part) if part else fine


def _worn(fine: Digit, radius: float) -> Digit:
    """Every pixel within `radius` of paper becomes paper, but for the middle of strokes that would vanish."""
    whole, steps = fine, int(np.ceil(radius))
    lost = np.zeros_like(fine)
    for step in range(steps):
        thinner = 255 - _step(255 - fine, step)
        lost = np.maximum(lost, fine - np.minimum(_step(thinner, step), fine))
        fine = _between(fine, thinner, min(radius - step, 1.0))
    # A step wider, so that it shows.
    return np.maximum(fine, np.minimum(_step(lost, 0), whole)) if steps else fine


def _between(one: Digit, other: Digit, share: float) -> Digit:
    if share >= 1:
        return other
    return (one + (other.astype(np.float32) - one) * np.float32(share)).astype(np.uint8)


def _step(fine: Digit, step: int) -> Digit:
    """One pixel further: to the four neighbours, or now and then to the eight, which together make a circle."""
    # The rows follow each other as one line: until the last step, the outermost columns are all alike.
    line, row = fine.ravel(), fine.shape[1]
    out = line.copy()
    np.maximum(out[row:], line[:-row], out=out[row:])
    np.maximum(out[:-row], line[row:], out=out[:-row])
    # Two squares to three crosses come nearest to a circle.
    across = out.copy() if step % 5 in (1, 3) else line
    np.maximum(out[1:], across[:-1], out=out[1:])
    np.maximum(out[:-1], across[1:], out=out[:-1])
    return out.reshape(fine.shape)


def _shrunk(fine: Digit) -> Digit:
    """The digit cut out of the fine canvas, its longer side 20 pixels."""
    # Where no ink is as full as half, the fullest tells.
    box = box_of_marks(fine >= 127) or box_of_marks(fine >= max(int(fine.max()), 1))
    if box is None:
        return fine[:1, :1]
    height, width = _sides(box)
    scale = BOX_PIXELS / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    area = (box[1].start, box[0].start, box[1].stop, box[0].stop)
    return pixels_of(image_of(fine).resize(size, Image.Resampling.BOX, area))


def _centred(digit: Digit) -> Digit:
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    top, left = (
        min(max(round(CENTRE - place), 0), SIDE - side)
        for place, side in zip(_centre(digit), digit.shape, strict=True)
    )
    canvas[top : top + digit.shape[0], left : left + digit.shape[1]] = digit
    return canvas


def _centre(digit: Digit) -> tuple[float, float]:
    """The row and the column of the centre of mass."""
    height, width = digit.shape
    sums = _MOMENTS[:, :height] @ digit.astype(np.float64) @ _MOMENTS[:, :width].T
    mass = max(sums[0, 0], 1.0)
    return float(sums[1, 0] / mass), float(sums[0, 1] / mass)
