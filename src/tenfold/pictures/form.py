"""A picture of one digit -> its canonical form: ink found, what is not the digit dropped, framed."""

import numpy as np

from tenfold.pictures.cleaning import cleaned
from tenfold.pictures.framing import Digit, box_of, frame, is_framed
from tenfold.pictures.ink import Ink, Picture, check_picture, grey_of, ink_of
from tenfold.pictures.pixels import image_of, pixels_of

# Larger pictures are looked at smaller first. A digit that is then smaller than the other number is looked at
# again, cut out.
LARGE, SMALL_DIGIT = 256, 72
ROOM_SHARE = 0.5


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
    if longer <= LARGE:
        return cleaned(ink_of(grey))
    factor = -(-longer // LARGE)
    ink = cleaned(ink_of(pixels_of(image_of(grey).reduce(factor))))
    box = box_of(ink)
    if box is None:
        return ink
    rows, columns = box
    size = max(rows.stop - rows.start, columns.stop - columns.start)
    if size >= SMALL_DIGIT:
        return ink
    room = max(4, int(ROOM_SHARE * size))
    cut = grey[
        max(rows.start - room, 0) * factor : (rows.stop + room) * factor,
        max(columns.start - room, 0) * factor : (columns.stop + room) * factor,
    ]
    if -(-max(cut.shape) // LARGE) >= factor:
        # It would be looked at as small as before, and never end.
        return ink
    return _ink_of_the_digit(np.ascontiguousarray(cut))
