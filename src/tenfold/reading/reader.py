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
from tenfold.errors import DataError
from tenfold.modelfile import open_classifier, pretrained
from tenfold.pictures import MAX_PICTURE_BYTES, decode
from tenfold.pictures.ink import check_picture, grey_of
from tenfold.reading.close_up import close_up
from tenfold.reading.cuts import cut_up, typical_pen
from tenfold.reading.doubt import STROKES, rejections
from tenfold.reading.frames import without_frames
from tenfold.reading.ink import sheet_of, written_on
from tenfold.reading.lattice import Reading, read_lines
from tenfold.reading.lines import ANCHOR, lines_of, slope_of
from tenfold.reading.page import Box, Digit, Line, Page
from tenfold.reading.pieces import TALLEST, Piece, height_of_digits, likely, of_writing, pieces_of
from tenfold.reading.rulings import without_rulings
from tenfold.reading.view import View, limited_scale, look

FIRST_SIDE = 1400
"""The longer side of the first view, in pixels."""
HEIGHT = 56
"""Of digits in the second view: MNIST's have 20, and strokes must be told from rulings."""
# On a page with writing, so many of the digits are surely others than 1 and 7, where eight in ten are others; of 300 pictures
# that a digit of MNIST's training part fills, read as a page, none had so many.
SURE, DIGITS = 0.95, 0.3
# Smaller writing is looked for where so many pieces of about one height, no lower than this in pixels of the photo, stand
# apart from the lines; when it is read, what is so many times higher belongs to the larger.
FEWEST, FEWEST_HIGH, LOWEST, TALLER = 4, 2, 8, 1.8

Photo = NDArray[np.uint8]
Heights = tuple[float, float]
"""From and to, in heights of the digits that are looked for."""
ANY: Heights = (0.0, np.inf)


def read(photo: Path | str | Photo, *, model: Path | str | Classifier | None = None) -> Page:
    """Read the lines of digits on a photo or scan.

    Args:
        photo: the path of a picture file, or pixels: uint8 (h, w), (h, w, 3) or (h, w, 4).
        model: a run folder, a model folder, an .onnx file, or a Classifier; None is the model in the box.

    Raises:
        DataError: the photo cannot be read, is no picture, or holds far more writing than a page of digits does.
        ModelError: there is no such model.
    """
    if model is None or isinstance(model, (str, Path)):
        classifier: Classifier = pretrained() if model is None else open_classifier(Path(model))
    else:
        classifier = model
    pixels = check_picture(photo) if isinstance(photo, np.ndarray) else open_photo(photo)
    try:
        found = read_grey(grey_of(pixels), classifier)
    except DataError as error:
        what = "photo" if isinstance(photo, np.ndarray) else photo
        raise DataError(f"{what}: {error}") from None
    reject_below = getattr(classifier, "reject_below", 0.0)
    lines = tuple(
        Line(
            tuple(
                _digit(one, view, pixels.shape, rejected)
                for one, rejected in zip(line, rejections(line, reject_below), strict=True)
            )
        )
        for view, line in found
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
    """A line that was found, from left to right, and the view that its places are in."""

    view: View
    readings: list[Reading]


def read_grey(photo: NDArray[np.uint8], classifier: Classifier) -> list[Found]:
    """A photo uint8 (h, w) -> its lines from the top."""
    found = _read_as_page(photo, classifier)
    close = close_up(photo)
    if close is None or _is_of_digits(found):
        return found
    lines = _read_as_page(close.grey, classifier)
    return [Found(close.seen(line.view), line.readings) for line in lines] or found


def _read_as_page(photo: NDArray[np.uint8], classifier: Classifier) -> list[Found]:
    """The lines of the writing that holds most ink; and where there is much smaller or larger writing, that too."""
    first = _first_look(photo)
    found = _read_at(photo, first, classifier)
    others = (_smaller_writing(first), (0.0, TALLER)), (_larger_writing(first), (ANCHOR, np.inf))
    for other, heights in others:
        if other is not None:
            lines = _read_at(photo, other, classifier, heights)
            found = _together(found, lines) if _is_of_digits(lines) else found
    return found


def _read_at(
    photo: NDArray[np.uint8], looked: "Looked", classifier: Classifier, heights: Heights = ANY
) -> list[Found]:
    view, lines = _atoms_at(photo, looked, heights)
    return [Found(view, line) for line in read_lines(lines, classifier) if line]


def _is_of_digits(found: list[Found]) -> bool:
    """Whether digits stand in these lines, or pieces of wide strokes: those are told to be 1 or 7, if anything."""
    told = [reading.probabilities for line in found for reading in line.readings]
    sure = sum(one.max() > SURE and one.argmax() not in STROKES for one in told)
    return bool(sure >= max(2, DIGITS * len(told)))


def _together(found: list[Found], others: list[Found]) -> list[Found]:
    """The lines of both from the top; of the others those that do not lie on what was found."""
    if not found:
        return others
    taken = np.concatenate([_extents(line) for line in found])
    apart = []
    for line in others:
        own = _extents(line)
        wide = np.minimum(own[:, None, 2:], taken[None, :, 2:])
        shared = (wide - np.maximum(own[:, None, :2], taken[None, :, :2]) > 0).all(axis=2)
        if shared.any(axis=1).mean() < 0.5:
            apart.append(line)
    return sorted([*found, *apart], key=lambda line: float(_extents(line)[:, 1::2].mean()))


def _extents(line: Found) -> NDArray[np.float64]:
    """Where the readings of a line are in the photo: (n, 4), left, top, right, bottom, about."""
    corners = []
    for one in line.readings:
        high, wide = one.piece.mask.shape
        low = np.array([one.piece.left, one.piece.top], float)
        corners.append(line.view.to_photo(np.stack([low, low + (wide, high)])))
    return np.array(corners).reshape(-1, 4)


class Looked(NamedTuple):
    """A view, the pieces in it that may be digits, how high digits are (0 where there are none), and pieces that are far too high."""

    view: View
    pieces: list[Piece]
    height: float
    high: list[Piece]


def _smaller_writing(looked: Looked) -> Looked | None:
    """What stands above, between or below the lines and is much lower than their digits, as one digit is as another; or None."""
    tall = [p for p in looked.pieces if p.height >= ANCHOR * looked.height]
    beside = np.zeros(looked.view.grey.shape[0], bool)
    for piece in tall:
        beside[max(piece.top, 0) : piece.top + piece.height] = True
    low = [
        p for p in looked.pieces if p.height < ANCHOR * looked.height and not beside[_middle_row(p)]
    ]
    height = height_of_digits(low)
    like = [p for p in low if 0.6 * height < p.height < 1.6 * height]
    if len(like) < FEWEST or height < LOWEST * looked.view.scale:
        return None
    return Looked(looked.view, low, height, [])


def _larger_writing(looked: Looked) -> Looked | None:
    """What is far too high for the digits of the lines, where several of it are as high as one digit is as another; or None."""
    height = height_of_digits(looked.high)
    like = [p for p in looked.high if 0.6 * height < p.height < 1.6 * height > p.width]
    return Looked(looked.view, like, height, []) if len(like) >= FEWEST_HIGH else None


def _middle_row(piece: Piece) -> int:
    return max(int(piece.middle[1]), 0)


def read_atoms(photo: NDArray[np.uint8]) -> tuple[View, list[list[Piece]]]:
    """A photo uint8 (h, w) -> the view it is read in, and the atoms of each line, digits or parts of them."""
    return _atoms_at(photo, _first_look(photo))


def _atoms_at(
    photo: NDArray[np.uint8], looked: Looked, heights: Heights = ANY
) -> tuple[View, list[list[Piece]]]:
    if not looked.pieces:
        return looked.view, []
    slope = slope_of(looked.pieces, looked.height)
    scale = limited_scale(photo.shape, looked.view.scale * HEIGHT / looked.height)
    view = look(photo, scale=scale, turn=-slope)
    pieces, height, _ = _pieces(view, HEIGHT, heights)
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


def _first_look(photo: NDArray[np.uint8]) -> Looked:
    scale = limited_scale(photo.shape, FIRST_SIDE / max(photo.shape))
    view = look(photo, scale=scale)
    return Looked(view, *_pieces(view, None))


def _pieces(
    view: View, expected: float | None, heights: Heights = ANY
) -> tuple[list[Piece], float, list[Piece]]:
    """The pieces of a view that may be digits, how high digits are, and those far too high; of `heights` times what is expected."""
    reach = round(0.4 * expected) | 1 if expected else 61
    sheet = sheet_of(view, reach=reach)
    # Of a round frame the search for rulings would take only what is level; another hangs on rulings.
    mask = without_frames(written_on(sheet))
    ruled = without_rulings(sheet.ink, mask, height=expected or 56)
    pieces = pieces_of(ruled.ink, without_frames(ruled.mask))
    if expected:
        low, high = heights
        pieces = [p for p in pieces if low * expected <= p.height <= high * expected]
    pieces = of_writing(pieces, len(view.grey))
    height = height_of_digits([p for p in pieces if p.height > 5])
    if not height:
        return [], 0.0, []
    kept = likely(pieces, sheet, height)
    height = height_of_digits(kept)
    high_ones = [p for p in pieces if p.height > TALLEST * height]
    return (kept, height, high_ones) if height else ([], 0.0, [])
