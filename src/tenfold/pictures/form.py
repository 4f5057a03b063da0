"""A picture of one digit -> its canonical form: ink found, what is not the digit dropped, framed."""

import numpy as np
from numpy.typing import NDArray

from tenfold.pictures.framing import frame
from tenfold.pictures.ink import Picture, ink_of


def canonical(picture: Picture) -> NDArray[np.uint8]:
    """uint8 (h, w), (h, w, 3) or (h, w, 4) of ONE digit -> uint8 (28, 28), ink bright on 0.

    A picture without ink gives all 0.

    Raises:
        DataError: another shape or dtype.
    """
    return frame(ink_of(picture))
