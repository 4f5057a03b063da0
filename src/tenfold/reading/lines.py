"""Pieces of a page -> the lines they stand in, from the top, each from left to right.

Lines may slope and need not be parallel or far apart. Knows nothing about models.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tenfold.reading.pieces import Piece

Values = NDArray[np.float64]

# Shares of the height of a digit. What is lower does not say where its line is: dots, bars, commas.
ANCHOR = 0.45
# Two rows of digits that are nearer to each other than this are one line that is not straight.
NEAREST = 0.62
STEEPEST = 20.0


def slope_of(pieces: Sequence[Piece], height: float) -> float:
    """By how many degrees the lines fall to the right, the same for all of them.

    The slope at which the digits lie in the fewest, fullest rows; where there are too few digits to tell, 0.
    """
    anchors = [p for p in pieces if p.height >= ANCHOR * height]
    if len(anchors) < 3:
        return 0.0
    x, y = np.array([p.middle for p in anchors]).T
    weights = np.minimum(np.array([p.width for p in anchors]) / height, 3) + 0.3
    slopes = np.arange(-STEEPEST, STEEPEST + 0.25, 0.5)
    scores = [_fullness(y - x * np.tan(np.radians(s)), weights, height) for s in slopes]
    # Few digits fit several slopes equally well: the more level one wins unless another is clearly better.
    best = int(np.argmax(np.array(scores) * (1 - 0.004 * np.abs(slopes))))
    return float(slopes[best])


def _fullness(y: Values, weights: Values, height: float) -> float:
    """How much the digits keep to rows: the energy of their middles, each spread over a part of its height."""
    step = height / 12
    places = ((y - y.min()) / step).astype(int) + 12
    rows = np.bincount(places, weights, minlength=int(places.max()) + 13)
    spread = np.exp(-0.5 * (np.arange(-8, 9) / 2.5) ** 2)
    return float((np.convolve(rows, spread, mode="same") ** 2).sum())


def lines_of(pieces: Sequence[Piece], height: float) -> list[list[Piece]]:
    """Pieces on about level lines -> those of each line, by their middles from left to right."""
    anchors = [p for p in pieces if p.height >= ANCHOR * height]
    if not anchors:
        return []
    x, y = np.array([p.middle for p in anchors]).T
    # A tall digit's middle is further off its line than a low one's; its weight is that of one digit.
    rows = _rows(y, height)
    for _ in range(6):
        fits = [_fit(x[rows == r], y[rows == r], height) for r in np.unique(rows)]
        fits = _apart(fits, x, height)
        offsets = np.array([np.abs(y - a - b * x) for a, b in fits])
        changed = offsets.argmin(axis=0)
        if np.array_equal(changed, rows):
            break
        rows = changed
    fits = [_fit(x[rows == r], y[rows == r], height) for r in np.unique(rows)]
    return _sorted(pieces, fits, height)


def _rows(y: Values, height: float) -> NDArray[np.intp]:
    """A first guess of each digit's row: where middles are dense there is one, where they are not there is none."""
    step = height / 12
    places = ((y - y.min()) / step).astype(int) + 24
    density = np.bincount(places, minlength=int(places.max()) + 25).astype(float)
    spread = np.exp(-0.5 * (np.arange(-16, 17) / 3.6) ** 2)
    smooth = np.convolve(density, spread, mode="same")
    peak = (smooth[1:-1] >= smooth[:-2]) & (smooth[1:-1] > smooth[2:])
    peaks = np.flatnonzero(peak) + 1
    kept: list[int] = []
    for place in peaks[np.argsort(-smooth[peaks])]:
        if all(abs(place - other) * step >= NEAREST * height for other in kept):
            kept.append(int(place))
    result: NDArray[np.intp] = np.abs(places[:, None] - np.array(sorted(kept))).argmin(axis=1)
    return result


def _fit(x: Values, y: Values, height: float) -> tuple[float, float]:
    """y = a + b x, little moved by single digits; b is drawn to 0 unless the line is long enough to tell."""
    middle = float(np.median(x))
    centred, b = x - middle, 0.0
    a = float(np.median(y))
    for _ in range(4):
        off = y - a - b * centred
        weights = 1 / (1 + (off / (0.25 * height)) ** 2)
        a = float((weights * (y - b * centred)).sum() / weights.sum())
        # As if digits without a slope stood some heights away on either side.
        b = float(
            (weights * centred * (y - a)).sum() / ((weights * centred**2).sum() + 12 * height**2)
        )
    return a - b * middle, b


def _apart(fits: list[tuple[float, float]], x: Values, height: float) -> list[tuple[float, float]]:
    """Of lines that come too near to each other, the first."""
    middle = float(np.median(x))
    kept: list[tuple[float, float]] = []
    for a, b in sorted(fits, key=lambda fit: fit[0] + fit[1] * middle):
        if kept and a + b * middle - kept[-1][0] - kept[-1][1] * middle < NEAREST * height:
            continue
        kept.append((a, b))
    return kept


def _sorted(
    pieces: Sequence[Piece], fits: list[tuple[float, float]], height: float
) -> list[list[Piece]]:
    """Every piece to the nearest line, if that is near enough."""
    a, b = np.array(fits).T
    middle = float(np.median([p.middle[0] for p in pieces]))
    lines: list[list[Piece]] = [[] for _ in fits]
    for piece in pieces:
        x, y = piece.middle
        off = np.abs(y - a - b * x)
        if off.min() < 0.95 * height:
            lines[int(off.argmin())].append(piece)
    order = np.argsort(a + b * middle)
    return [sorted(lines[i], key=lambda p: p.middle[0]) for i in order if lines[i]]
