"""A photo's pixels -> the lines of digits on it: the steps in their order.

First the photo is looked at as it is, to learn how large the digits are and how far the lines slope; then
at the scale and turn where they are of one height on level lines, and there it is read.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import Classifier
from tenfold.reading.cuts import cut_up, typical_pen
from tenfold.reading.ink import sheet_of, written_on
from tenfold.reading.lattice import Reading, read_lines
from tenfold.reading.lines import lines_of, slope_of
from tenfold.reading.pieces import Piece, height_of_digits, likely, pieces_of
from tenfold.reading.rulings import without_rulings
from tenfold.reading.view import View, limited_scale, look

FIRST_SIDE = 1400
"""The longer side of the first view, in pixels."""
HEIGHT = 56
"""Of digits in the second view: MNIST's have 20, and strokes must be told from rulings."""


class Found(NamedTuple):
    """What was found, and the view that its places are in."""

    view: View
    lines: list[list[Reading]]


def read_grey(photo: NDArray[np.uint8], classifier: Classifier) -> Found:
    """A photo uint8 (h, w) -> its lines from the top, each from left to right."""
    view, pieces, height = _first_look(photo)
    if not pieces:
        return Found(view, [])
    slope = slope_of(pieces, height)
    scale = limited_scale(photo.shape, view.matrix[0, 0] * HEIGHT / height)
    view = look(photo, scale=scale, turn=-slope)
    pieces, height = _pieces(view, HEIGHT)
    lines = lines_of(pieces, height)
    atoms = []
    for line in lines:
        pen = typical_pen(line)
        parts = [part for piece in line for part in cut_up(piece, height, pen)]
        atoms.append(sorted(parts, key=lambda p: p.middle[0]))
    found = read_lines(atoms, classifier)
    return Found(view, [line for line in found if line])


def _first_look(photo: NDArray[np.uint8]) -> tuple[View, list[Piece], float]:
    scale = limited_scale(photo.shape, FIRST_SIDE / max(photo.shape))
    view = look(photo, scale=scale)
    pieces, height = _pieces(view, None)
    return view, pieces, height


def _pieces(view: View, expected: float | None) -> tuple[list[Piece], float]:
    """The pieces of a view that may be digits, and how high digits are."""
    reach = round(0.4 * expected) | 1 if expected else 61
    sheet = sheet_of(view, reach=reach)
    mask = written_on(sheet)
    ruled = without_rulings(sheet.ink, mask, height=expected or 56)
    pieces = pieces_of(ruled.ink, ruled.mask)
    height = height_of_digits([p for p in pieces if p.height > 5])
    if not height:
        return [], 0.0
    kept = likely(pieces, sheet, height)
    height = height_of_digits(kept)
    return (kept, height) if height else ([], 0.0)
