"""Where digits that touch may be cut apart: more cuts than are right, for a classifier to choose among.

A cut is a path from top to bottom that leans as it likes and crosses little ink. Knows nothing about
models. Source: Casey & Lecolinet 1996, "A survey of methods and strategies in character segmentation" (over-segmentation).
"""

import numpy as np
from numpy.typing import NDArray

from tenfold.reading.pieces import Piece, pen_width, trimmed

# Shares of the height of digits: no digit but 1 is narrower than this, and two paths nearer than that are one.
NARROW = 0.42
APART = 0.15
# A path that crosses more than this many widths of the pen goes along a stroke, or through two.
DEAREST = 2.4
# What a path pays for a pixel without ink, and for a step aside, in pixels of ink: the straightest of equals wins.
EMPTY = 0.02
ASIDE = 0.12


def cut_up(piece: Piece, height: float, pen: float) -> list[Piece]:
    """A piece -> itself, or its parts from left to right where it may be several digits."""
    if piece.width < NARROW * height or piece.width < 3 * pen:
        return [piece]
    crossed, paths = best_paths(piece.mask.astype(np.float32))
    columns = _valleys(crossed / pen, round(APART * height))
    if not len(columns):
        return [piece]
    across = np.arange(piece.mask.shape[1])
    parts, rest = [], np.ones(piece.mask.shape, bool)
    cost = piece.cut
    for column in columns:
        left = across < paths[column][:, None]
        part = trimmed(piece, rest & left, cut=cost)
        if part is None or part.width < 0.05 * height or part.mass < 2 * pen:
            continue
        parts.append(part)
        rest &= ~left
        cost = float(crossed[column]) / pen
    last = trimmed(piece, rest, cut=cost)
    return parts if last is None else [*parts, last]


def best_paths(ink: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Ink (h, w) -> for each column the ink on the cheapest path through its middle row, and the paths (w, h).

    A path enters at the top, leaves at the bottom and moves at most one column a row.
    """
    height, width = ink.shape
    price = ink + np.float32(EMPTY)
    middle = height // 2
    above, up = _cheapest(price[: middle + 1])
    below, down = _cheapest(price[middle:][::-1])
    crossed = above + below - price[middle]
    start = np.arange(width)
    path = np.empty((width, height), np.intp)
    path[:, middle] = start
    place = start
    for row in range(middle - 1, -1, -1):
        place = up[row + 1][place]
        path[:, row] = place
    place = start
    for number, row in enumerate(range(middle + 1, height)):
        place = down[len(down) - 1 - number][place]
        path[:, row] = place
    return crossed, path


def _cheapest(price: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Prices (h, w) -> the cheapest way from the top to each place of the last row, and where it came from (h, w)."""
    height, width = price.shape
    total = price[0]
    came = np.zeros((height, width), np.intp)
    columns = np.arange(width)
    for row in range(1, height):
        padded = np.pad(total, 1, constant_values=np.float32(1e6))
        ways = np.stack([padded[1:-1], padded[:-2] + ASIDE, padded[2:] + ASIDE])
        best = ways.argmin(axis=0)
        came[row] = columns + np.array([0, -1, 1])[best]
        total = ways[best, columns] + price[row]
    return total, came


def _valleys(cost: NDArray[np.float32], apart: int) -> list[int]:
    """The columns where a cut is cheapest around, not dear, and not at either end; from left to right."""
    chosen: list[int] = []
    for column in np.argsort(cost, kind="stable"):
        if cost[column] > DEAREST:
            break
        if not apart <= column < len(cost) - apart:
            continue
        if all(abs(column - other) > apart for other in chosen):
            chosen.append(int(column))
    return sorted(chosen)


def typical_pen(pieces: list[Piece]) -> float:
    """The pen's width on a line: the median over its pieces."""
    return float(np.median([pen_width(p) for p in pieces]))
