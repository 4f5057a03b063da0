"""Which connected ink is a frame around other ink."""

import numpy as np
import pytest

from tenfold.reading.frames import without_frames


def page(*drawn: str) -> np.ndarray:
    """A page in words, `#` ink, each sign four pixels high and wide."""
    small = np.array([[sign == "#" for sign in row] for row in drawn])
    return np.kron(small, np.ones((4, 4))) > 0


BOX = page(
    "#########",
    "#.......#",
    "#...#...#",
    "#..##...#",
    "#...#...#",
    "#...#...#",
    "#.......#",
    "#########",
)
INNER = (slice(4, -4), slice(4, -4))


def test_a_box_goes_and_what_is_in_it_stays():
    left = without_frames(BOX)
    assert (left[INNER] == BOX[INNER]).all()
    assert left.sum() == BOX[INNER].sum()


def test_of_what_touches_a_box_the_sides_go():
    touching = BOX.copy()
    touching[12:16, 16:] = True  # from the middle to the right side
    left = without_frames(touching)
    assert (left[INNER] == touching[INNER]).mean() > 0.97
    left[INNER] = False
    assert not left.any()


def test_a_circle_with_a_gap_goes():
    y, x = np.mgrid[-40:41, -40:41]
    circle = abs(np.hypot(y, x) - 36) < 3
    circle[38:44, 70:] = False
    bar = np.zeros_like(circle)
    bar[24:56, 36:44] = True
    assert (without_frames(circle | bar) == bar).all()


@pytest.mark.parametrize(
    "drawn",
    [
        ("#########", "#.......#", "#.......#", "#.......#", "#########"),  # nothing inside
        ("#########", "#.......#", "#..###..#", "#.......#", "#########"),  # a dash inside
        ("#...#", "#...#", "#.#.#", "#.#.#", "#.#.#", "#...#", "#####"),  # open above
        (
            "#......",
            "#..#...",
            "#..#...",
            "#..#...",
            "#......",
            "#######",
        ),  # the two strokes of a 4
        ("####", "#..#", "####", "#..#", "####"),  # an 8 with corners
        ("###########", "#....#....#", "#....#....#", "#....#....#", "###########"),  # two cells
    ],
)
def test_what_surrounds_nothing_stays(drawn):
    drawing = page(*drawn)
    assert (without_frames(drawing) == drawing).all()


def test_a_page_without_ink_stays_empty():
    assert not without_frames(np.zeros((30, 40), bool)).any()
