"""A picture of one digit -> its canonical form: ink found, what is not the digit dropped, framed."""

import numpy as np

from tenfold.pictures.cleaning import cleaned
from tenfold.pictures.finding import small_thing
from tenfold.pictures.framing import Digit, box_of, frame, is_framed
from tenfold.pictures.ink import Ink, Picture, check_picture, grey_of, ink_of
from tenfold.pictures.pixels import Box, image_of, pixels_of

# Larger pictures are looked at smaller first. A digit that is then smaller than the other number is looked at
# again, cut out.
LARGE, SMALL_DIGIT = 256, 72
ROOM_SHARE = 0.5
# On a smaller picture the digit is not that small.
LEAST_SEARCHED = 160


def canonical(picture: Picture) -> Digit:
    """uint8 (h, w), (h, w, 3) or (h, w, 4) of ONE digit -> uint8 (28, 28), ink bright on 0.

    A picture without ink gives all 0. One that has MNIST's form already, dark or bright, gives itself.

    Raises:
        DataError: another shape or dtype, or no pixel.
    """
    grey = grey_of(check_picture(picture))
    for upright in (grey, 255 - grey) if grey.shape == (28, 28) else ():
        if is_framed(upright):
            return upright.copy()
    return frame(_ink_of_the_digit(grey))


def _ink_of_the_digit(grey: Picture) -> Ink:
    longer = max(grey.shape)
    factor = -(-longer // LARGE)
    small = pixels_of(image_of(grey).reduce(factor)) if factor > 1 else grey
    ink = cleaned(ink_of(small))
    if longer < LEAST_SEARCHED:
        return ink
    found = small_thing(small, ink)
    box = found or box_of(ink)
    if box is None or (found is None and (factor == 1 or _size(box) >= SMALL_DIGIT)):
        return ink
    cut = _around(grey, box, factor)
    # Where it would be looked at as small as before, there would be no end.
    again = max(cut.shape) < longer and (found is not None or -(-max(cut.shape) // LARGE) < factor)
    return _ink_of_the_digit(cut) if again else ink


def _size(box: Box) -> int:
    rows, columns = box
    return int(max(rows.stop - rows.start, columns.stop - columns.start))


def _around(grey: Picture, box: Box, factor: int) -> Picture:
    """A box with some room, cut out of a picture that is `factor` times as large as the one it was found on."""
    rows, columns = box
    room = max(4, int(ROOM_SHARE * _size(box)))
    cut = grey[
        max(rows.start - room, 0) * factor : (rows.stop + room) * factor,
        max(columns.start - room, 0) * factor : (columns.stop + room) * factor,
    ]
    return np.ascontiguousarray(cut)
