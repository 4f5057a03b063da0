"""Pixels to Pillow and back, boxes of marks, and closings, each beside another way to the same."""

import numpy as np
import pytest
from scipy import ndimage

from tenfold.pictures.ink import _closed
from tenfold.pictures.pixels import box_of_marks, image_of, pixels_of
from tenfold.randomness import stream


@pytest.mark.parametrize("share", [0.002, 0.05, 1.0])
def test_the_box_of_marks_ends_at_the_first_and_last_rows_and_columns_that_hold_any(share):
    rng = stream(0, "marks")
    for _ in range(50):
        marks = rng.random(rng.integers(1, 40, 2)) < share
        rows, columns = (np.flatnonzero(marks.any(axis=axis)) for axis in (1, 0))
        box = box_of_marks(marks)
        if box is None:
            assert not marks.any()
        else:
            sides = [(side.start, side.stop) for side in box]
            assert sides == [(side[0], side[-1] + 1) for side in (rows, columns)]


def test_pixels_come_back_from_pillow_whatever_their_strides():
    pixels = stream(0, "pixels").integers(0, 256, (7, 12)).astype(np.uint8)
    for view in (pixels, pixels.T, pixels[::-1, ::2]):
        assert (pixels_of(image_of(view)) == view).all()


@pytest.mark.parametrize("window", [3, 5, 13])
@pytest.mark.parametrize("shape", [(1, 1), (3, 20), (20, 20), (24, 9)])
def test_grids_are_closed_as_scipy_closes_them_alone_and_side_by_side(window, shape):
    rng = stream(0, "grids")
    one, other = (rng.integers(-255, 256, shape).astype(np.int16) for _ in range(2))

    def closed(grid):
        highest = ndimage.maximum_filter(grid, window, mode="constant", cval=-1000)
        return ndimage.minimum_filter(highest, window, mode="constant", cval=1000)

    assert (_closed(one, window) == closed(one)).all()
    both = _closed(np.stack([one, other], axis=1), window)
    assert (both[:, 0] == closed(one)).all()
    assert (both[:, 1] == closed(other)).all()
