"""A photo's pixels -> the lines of digits on it: the steps in their order.

First the photo is looked at as it is, to learn how large the digits are and how far the lines slope; then
at the scale and turn where they are of one height on level lines, and there it is read.
"""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.data.raw import read_file, user_path
from tenfold.digits import Classifier
from tenfold.modelfile import open_classifier, pretrained
from tenfold.pictures import MAX_PICTURE_BYTES, decode
from tenfold.pictures.ink import check_picture, grey_of
from tenfold.reading.close_up import close_up
from tenfold.reading.cuts import cut_up, typical_pen
from tenfold.reading.doubt import STROKES, rejections
from tenfold.reading.ink import sheet_of, written_on
from tenfold.reading.lattice import Reading, read_lines
from tenfold.reading.lines import lines_of, slope_of
from tenfold.reading.page import Box, Digit, Line, Page
from tenfold.reading.pieces import Piece, height_of_digits, likely, pieces_of
from tenfold.reading.rulings import without_rulings
from tenfold.reading.view import View, limited_scale, look

FIRST_SIDE = 1400
"""The longer side of the first view, in pixels."""
HEIGHT = 56
"""Of digits in the second view: MNIST's have 20, and strokes must be told from rulings."""
# On a page with writing, so many of the digits are surely others than 1 and 7, where eight in ten are others; of 300 pictures
# that a digit of MNIST's training part fills, read as a page, none had so many.
SURE, DIGITS = 0.95, 0.3

Photo = NDArray[np.uint8]


def read(photo: Path | str | Photo, *, model: Path | str | Classifier | None = None) -> Page:
    """Read the lines of digits on a photo or scan.

    Args:
        photo: the path of a picture file, or pixels: uint8 (h, w), (h, w, 3) or (h, w, 4).
        model: a run folder, a model folder, an .onnx file, or a Classifier; None is the model in the box.

    Raises:
        DataError: the photo cannot be read, or is no picture.
        ModelError: there is no such model.
    """
    if model is None or isinstance(model, (str, Path)):
        classifier: Classifier = pretrained() if model is None else open_classifier(Path(model))
    else:
        classifier = model
    pixels = check_picture(photo) if isinstance(photo, np.ndarray) else open_photo(photo)
    found = read_grey(grey_of(pixels), classifier)
    reject_below = getattr(classifier, "reject_below", 0.0)
    lines = tuple(
        Line(
            tuple(
                _digit(one, found.view, pixels.shape, rejected)
                for one, rejected in zip(line, rejections(line, reject_below), strict=True)
            )
        )
        for line in found.lines
    )
    return Page(None if isinstance(photo, np.ndarray) else str(photo), lines)


def open_photo(path: Path | str) -> Photo:
    """The pixels of a picture file, upright; DataError where it is none."""
    return decode(read_file(user_path(str(path)), at_most=MAX_PICTURE_BYTES), where=str(path))


def _digit(reading: Reading, view: View, shape: tuple[int, ...], rejected: bool) -> Digit:
    digit = int(reading.probabilities.argmax())
    box = _box(reading.piece, view, shape)
    return Digit(digit, float(reading.probabilities[digit]), box, reading.image, rejected)


def _box(piece: Piece, view: View, shape: tuple[int, ...]) -> Box:
    """Where a piece's strokes are in a photo of this shape."""
    rows, columns = np.nonzero(piece.mask)
    middles = np.column_stack([columns + piece.left + 0.5, rows + piece.top + 0.5])
    places = view.to_photo(middles)
    half = 0.5 / view.scale
    low = np.maximum(np.floor(places.min(axis=0) - half + 0.5), 0).astype(int)
    high = np.minimum(np.ceil(places.max(axis=0) + half - 0.5), shape[1::-1]).astype(int)
    width, height = (max(1, int(side)) for side in high - low)
    return Box(int(low[0]), int(low[1]), width, height)


class Found(NamedTuple):
    """What was found, and the view that its places are in."""

    view: View
    lines: list[list[Reading]]


def read_grey(photo: NDArray[np.uint8], classifier: Classifier) -> Found:
    """A photo uint8 (h, w) -> its lines from the top, each from left to right."""
    found = _read_as_page(photo, classifier)
    close = close_up(photo)
    if close is None or _is_of_digits(found.lines):
        return found
    view, lines = _read_as_page(close.grey, classifier)
    return Found(close.seen(view), lines) if lines else found


def _read_as_page(photo: NDArray[np.uint8], classifier: Classifier) -> Found:
    view, lines = read_atoms(photo)
    return Found(view, [line for line in read_lines(lines, classifier) if line])


def _is_of_digits(lines: list[list[Reading]]) -> bool:
    """Whether digits stand in these lines, or pieces of wide strokes: those are told to be 1 or 7, if anything."""
    told = [reading.probabilities for line in lines for reading in line]
    sure = sum(one.max() > SURE and one.argmax() not in STROKES for one in told)
    return bool(sure >= max(2, DIGITS * len(told)))


def read_atoms(photo: NDArray[np.uint8]) -> tuple[View, list[list[Piece]]]:
    """A photo uint8 (h, w) -> the view it is read in, and the atoms of each line, digits or parts of them."""
    view, pieces, height = _first_look(photo)
    if not pieces:
        return view, []
    slope = slope_of(pieces, height)
    scale = limited_scale(photo.shape, view.scale * HEIGHT / height)
    view = look(photo, scale=scale, turn=-slope)
    pieces, height = _pieces(view, HEIGHT)
    return view, [_atoms(line, height) for line in lines_of(pieces, height)]


def _atoms(line: list[Piece], height: float) -> list[Piece]:
    """The pieces of a line, cut up, from left to right; parts of one piece stay in their order."""
    pen = typical_pen(line)
    placed = []
    for number, piece in enumerate(line):
        place = -np.inf
        for part in cut_up(piece, height, pen):
            place = max(place, part.middle[0])
            placed.append((place, replace(part, whole=number)))
    return [part for _, part in sorted(placed, key=lambda pair: pair[0])]


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
