"""Warps applied in NumPy, held against SciPy's interpolation and against pictures moved by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from tenfold.augmentation import (
    CENTRE,
    POINTS,
    Cutout,
    Elastic,
    Rotate,
    Scale,
    Shear,
    Shift,
    Warps,
    bend_basis,
    draw,
    ink_boxes,
)
from tenfold.randomness import stream
from tenfold.scratch.augment import taken, warp

RNG = stream(0, "pictures")
IMAGES = RNG.integers(0, 256, (12, 28, 28)).astype(np.uint8)
IDENTITY = np.eye(2, 3, dtype=np.float32)


def moved_by(matrix, images=IMAGES):
    """Every image with the same affine map."""
    return warp(images, Warps(np.tile(np.float32(matrix), (len(images), 1, 1)), None, None, 0))


def by_scipy(image, affine, bend):
    """One picture, place by place in float64; beyond the frame SciPy goes over to 0 as we do."""
    rows, columns = np.indices((28, 28)) - CENTRE
    places = np.einsum("ij,jrc->irc", affine.astype(float), [rows, columns, np.ones((28, 28))])
    if bend is not None:
        places += (bend.astype(float) @ bend_basis()).reshape(2, 28, 28)
    return map_coordinates(
        image.astype(float), places + CENTRE, order=1, mode="grid-constant", cval=0
    )


@given(
    seed=st.integers(0, 2**32),
    wildness=st.floats(0, 2),
    bend=st.one_of(st.none(), st.floats(0, 4)),
)
def test_any_map_gives_what_scipy_gives(seed, wildness, bend):
    chance = np.random.default_rng(seed)
    affine = IDENTITY + wildness * chance.normal(0, [0.3, 0.3, 6], (3, 2, 3)).astype(np.float32)
    bends = None if bend is None else chance.normal(0, bend, (3, 2, POINTS**2)).astype(np.float32)
    result = warp(IMAGES[:3], Warps(affine, bends, None, 0))
    assert (result.shape, result.dtype) == ((3, 28, 28), np.float32)
    for i in range(3):
        expected = by_scipy(IMAGES[i], affine[i], None if bends is None else bends[i])
        # Float32 places some tens of pixels away, to 1e-5, in pictures whose neighbours differ by 255.
        assert result[i] == pytest.approx(expected, abs=0.02)


def test_what_stays_where_it_is_stays_what_it_is():
    np.testing.assert_array_equal(moved_by(IDENTITY), IMAGES)


@pytest.mark.parametrize(("down", "right"), [(1, 0), (-2, 3), (5, -4), (0, 27), (-28, 0), (40, 9)])
def test_a_shift_by_whole_pixels_is_a_shift_of_the_array(down, right):
    padded = np.pad(IMAGES, ((0, 0), (40, 40), (40, 40)))
    expected = np.roll(padded, (down, right), axis=(1, 2))[:, 40:68, 40:68]
    # The map leads back: to the place that the pixel came from.
    np.testing.assert_array_equal(moved_by([[1, 0, -down], [0, 1, -right]]), expected)


def test_a_shift_by_half_a_pixel_is_the_mean_of_two():
    padded = np.pad(IMAGES.astype(np.float32), ((0, 0), (0, 0), (1, 0)))
    expected = (padded[:, :, :-1] + padded[:, :, 1:]) / 2
    np.testing.assert_array_equal(moved_by([[1, 0, 0], [0, 1, -0.5]]), expected)


def test_quarter_turns_and_mirrors_move_pixels_only():
    for matrix, expected in (
        ([[0, 1, 0], [-1, 0, 0]], np.rot90(IMAGES, 1, axes=(1, 2))),
        ([[-1, 0, 0], [0, -1, 0]], np.rot90(IMAGES, 2, axes=(1, 2))),
        ([[0, 1, 0], [1, 0, 0]], IMAGES.transpose(0, 2, 1)),
        ([[1, 0, 0], [0, -1, 0]], IMAGES[:, :, ::-1]),
    ):
        np.testing.assert_array_equal(moved_by(matrix), expected)


def test_a_bend_of_all_points_by_the_same_moves_the_middle_as_a_whole():
    """The bells add up to nearly the same everywhere but at the edge: there are fewer of them."""
    height = bend_basis().sum(axis=0)
    row_by_row = bend_basis().sum(axis=0).reshape(28, 28)
    assert row_by_row[7:21, 7:21] == pytest.approx(row_by_row[13, 13], rel=0.02)
    bends = np.zeros((1, 2, POINTS**2), np.float32)
    bends[:, 1] = 3 / height[13 * 28 + 13]
    picture = np.zeros((1, 28, 28), np.uint8)
    picture[0, 13, 10:12] = 200
    result = warp(picture, Warps(IDENTITY[None], bends, None, 0))[0]
    # Columns are read 3 further on, so ink comes 3 to the left; the rows stay.
    assert result[13, 7:9] == pytest.approx(200, abs=200 * 3 * 0.02)
    assert result[[*range(12), *range(15, 28)]].max() == 0


def test_images_are_taken_with_their_own_warps():
    steps = (Shift(), Rotate(), Scale(), Shear(), Elastic(), Cutout())
    warps = draw(steps, ink_boxes(IMAGES), stream(0, "augmentation", 0))
    rows = np.array([7, 2, 11], np.int32)
    whole = warp(IMAGES, warps)
    some = warp(IMAGES[rows], taken(warps, rows))
    # Matrix products of other sizes may add up in another order.
    assert some == pytest.approx(whole[rows], abs=1e-2)
    plain = draw((Shift(),), ink_boxes(IMAGES), stream(0, "augmentation", 0))
    assert taken(plain, rows)[1:] == (None, None, 0)


def test_a_cutout_by_hand():
    image = np.ones((1, 28, 28), np.uint8)

    def cut(top, first, side, picture=image):
        patches = np.array([[top, first]], np.float32)
        return warp(picture, Warps(IDENTITY[None], None, patches, side))[0]

    inside = cut(3, 5, 4)
    assert np.argwhere(inside == 0).tolist() == [[r, c] for r in range(3, 7) for c in range(5, 9)]
    assert cut(-2, 26, 4).sum() == 784 - 2 * 2
    # 784 / 3 is 261.3: 16 x 16 is less, 17 x 17 is more.
    assert cut(0, 0, 16).sum() == 784 - 256
    assert cut(0, 0, 17).sum() == 784
    bar = np.zeros_like(image)
    bar[0, 10, 5:14] = 90
    # Three of nine pixels are a third and may go, four are more.
    assert cut(9, 4, 4, bar)[10, 5:14].tolist() == [0, 0, 0, 90, 90, 90, 90, 90, 90]
    assert cut(9, 5, 4, bar)[10, 5:14].tolist() == [90] * 9


def test_a_cutout_looks_at_the_ink_where_it_has_come_to():
    """Four pixels moved under the patch by the warp: all of the ink, so it stays."""
    picture = np.zeros((1, 28, 28), np.uint8)
    picture[0, 10, 10:14] = 255
    patches = np.array([[19, 9]], np.float32)
    shifted = np.float32([[[1, 0, -10], [0, 1, 0]]])
    result = warp(picture, Warps(shifted, None, patches, 6))[0]
    assert result[20, 10:14].tolist() == [255] * 4


def test_a_blank_picture_stays_blank():
    blank = np.zeros((5, 28, 28), np.uint8)
    steps = (Shift(), Rotate(), Scale(), Shear(), Elastic(), Cutout())
    assert warp(blank, draw(steps, ink_boxes(blank), stream(0, "augmentation"))).max() == 0
